// The verdict banner: sentence, evidence, action. It renders the judge's own words and writes none.
import {mayAct} from "./api.js"
import {asking, commandsOf, recommended, sentenceOf} from "./commands.js"
import {byId, fill, h} from "./dom.js"
import {age, capped, figure} from "./format.js"
import {isPolicy} from "./ledger.js"
import {face, family, icon, shown, story, word} from "./verdict.js"

const DEEDS = {completed: ["stop", "Stopped early"], cancelled: ["cancel", "Cancelled"], paused: ["pause", "Paused"]}

// Who brought it to where it is, and why: what a stranger asks first.
function deed(op, decisions) {
	const [verb, done] = DEEDS[op.state] || [], last = decisions.filter(item => item.verb === verb && item.status === "applied").at(-1)
	if (!last || (op.state === "completed" && !op.stopped_early)) return null
	const who = isPolicy(last.principal) ? "its policy" : last.principal.name
	return [h("b", `${done} by ${who}${last.at_step === null ? "" : ` at ${op.metrics.unit} ${figure(last.at_step)}`}.`), last.reason ? ` “${capped(last.reason, 240)}”` : ""]
}

export function banner(op, {decisions, onlit}) {
	const show = shown(op), [sentence, detail] = story(op), said = op.assessment, did = deed(op, decisions)
	const about = ["running", "completed", "paused"].includes(op.state) && said ? said : null
	const isQuiet = !op.attention && !op.error && (["green", "grey"].includes(face(show)[1]) || !about?.evidence.length)
	const since = [about?.since_at && op.state === "running" ? `Found ${age(about.since_at)} ago.` : "", detail, about?.confidence && op.state === "running" ? `Confidence ${figure(about.confidence, 2)}.` : ""].filter(Boolean).join(" ")
	return h("section", {class: `banner ${family(show)}${isQuiet ? " calm" : ""}`, id: "banner", tabindex: -1, "aria-label": "Verdict"},
		h(".bv", icon(show, isQuiet ? 18 : 30), h("div", h(".w", word(show)), h(".say", op.state === "completed" || !did ? capped(sentence || "") : did), did && op.state === "completed" ? h(".deed", did) : null, since ? h(".since", since) : null,
			op.error ? trace(op.error) : null)),
		about?.evidence.length && !isQuiet ? h("dl.ev", about.evidence.slice(0, 4).map(item => h("div", {tabindex: item.at_step === null ? null : 0, onpointerenter: () => onlit(item.at_step), onpointerleave: () => onlit(null)},
			h("dt", item.label), h("dd", figure(item.value), item.unit ? h("small", ` ${item.unit}`) : null)))) : h("span"),
		action(op))
}

function trace(error) {
	const lines = error.traceback_tail.length ? error.traceback_tail : error.log_tail
	return lines.length ? h("details", h("summary", "What it said last"), h("pre.log", lines.join("\n"))) : null
}

export const useOf = op => (op.state === "completed" && op.result?.modelPath ? h("a.btn.pri", {href: `#/models/${op.id}`}, "Use this model") : null)

function action(op) {
	const act = mayAct() ? recommended(op) : null, legal = commandsOf(op), buttons = [useOf(op)].filter(Boolean)
	if (act) buttons.push(asking(op, act, "pri"))
	if (act?.verb === "approve") buttons.push(asking(op, {verb: "reject"}))
	else if (act && act.verb !== "branch" && legal.includes("branch") && op.metrics.best) buttons.push(asking(op, {verb: "branch"}))
	const said = sentenceOf(op), live = !["completed", "cancelled", "failed", "interrupted"].includes(op.state), waiting = op.policy.pending
	if (!buttons.length && !waiting && !(live && said)) return null
	return h(".rec", live && said ? h(".l", h("b", "Recommended: "), said) : null, buttons.length ? h(".bs", buttons) : null, waiting ? hold(waiting) : null)
}

function hold({do: what, held, hold: needed, at_step: at}) {
	return h(".hold", h("progress", {max: needed, value: held, "aria-label": `policy held ${held} of ${needed}`}), h("span", `policy: ${what} ${at === null ? `when held ${needed} times, ${held} so far` : `at ${figure(at)}`}`))
}

// Tells a screen reader about a verdict once it changes; red is told at once.
export function announce(before, op) {
	const now = shown(op)
	if (!before || before === now) return now
	const place = byId(face(now)[1] === "red" ? "assertive" : "polite")
	fill(place, `${op.name || op.id}: ${word(now)}. ${story(op)[0] || ""}`)
	return now
}
