// The ledger: who did what and why, what followed, and how the verdict changed. Newest first.
import {button, fill, h} from "./dom.js"
import {age, capped, figure, value} from "./format.js"
import {FACES, icon, whoSign, word} from "./verdict.js"

const DID = {pause: "paused it", resume: "resumed it", stop: "stopped it", cancel: "cancelled it", checkpoint: "asked for a checkpoint", tune: "tuned", branch: "branched", approve: "approved", reject: "rejected"}
export const isPolicy = principal => principal.name === "policy" || principal.name.startsWith("policy:")
export const kindOf = principal => (isPolicy(principal) ? "policy" : principal.kind)

export function changesOf(args) {
	return Object.entries(args.set || args).filter(([name]) => !["from", "name"].includes(name)).map(([name, to]) => `${name} ${value(to)}`).join(", ")
}

export function entry(decision, {operation = null, unit = "step", onhover = null} = {}) {
	const {principal, verb, args, followed, status} = decision, isRefused = status === "refused"
	const object = verb === "tune" ? ` ${changesOf(args)}` : verb === "branch" ? ` from ${value(args.from ?? "best")}` : ""
	const effect = [status === "accepted" ? "not yet applied" : isRefused ? `refused: ${decision.detail}` : decision.at_step !== null ? `took effect at ${unit} ${figure(decision.at_step)}` : "took effect",
		followed && followed.after !== null ? h("b", `${followed.metric} ${figure(followed.before)} → ${figure(followed.after)} in ${followed.evaluations} evaluations`) : null,
		decision.created ? h("a", {href: `#/op/${decision.created}`}, "open the branch") : null].filter(Boolean)
	return h("li", {id: `d-${decision.id}`, class: status, onpointerenter: onhover && (() => onhover(decision.id)), onpointerleave: onhover && (() => onhover(null))},
		h("span.g", whoSign(kindOf(principal), 13)),
		h("div", h(".h", h("span", h("b", principal.name), " ", h(isRefused ? "s" : "span", {}, DID[verb] + object), operation ? [" ", h("a", {href: `#/op/${operation.id}`}, operation.name || operation.id)] : null), h("time", {datetime: decision.at, title: decision.at}, age(decision.at))),
			decision.reason ? reason(decision.reason) : null, h(".eff", effect.flatMap((part, i) => (i ? [" · ", part] : [part])))))
}

function reason(text) {
	const said = h("q", capped(`“${text}”`))
	if (text.length > 400) said.append(" ", button("more", () => fill(said, `“${text}”`), "bare"))
	return said
}

function quiet(sign, words, at, detail) {
	return h("li.soft", h("span.g", sign), h("div", h(".h", h("span", words), h("time", {datetime: at, title: at}, age(at))), detail ? h(".eff", detail) : null))
}

const quietly = {
	verdict: event => {const name = event.data.verdict; return quiet(icon(name, 14), ["Verdict became ", h("b", {class: `v-${FACES[name]?.[1]} vw`}, word(name).toLowerCase())], event.at, event.data.sentence || "")},
	attempt_started: event => quiet(whoSign("policy", 10), `Attempt ${event.attempt} started${event.data.from_step ? ` from step ${figure(event.data.from_step)}` : ""}`, event.at, event.data.hardware || ""),
	state: event => quiet(icon(event.data.state, 14), `${word(event.data.state)}`, event.at, event.data.detail || event.data.reason || ""),
	error: event => quiet(icon("failed", 14), capped(String(event.data.message || "Failed"), 200), event.at, event.data.hint || ""),
}
const PLAIN_STATES = ["running", "pausing", "stopping", "resuming", "pending"]

export function timeline(operation, decisions, events, onhover) {
	const lines = [...decisions.map(item => [item.at, entry(item, {unit: operation.metrics.unit, onhover})]),
		...events.filter(event => quietly[event.kind] && !(event.kind === "state" && PLAIN_STATES.includes(event.data.state)) && !(event.kind === "verdict" && event.data.verdict === "insufficient_evidence" )).map(event => [event.at, quietly[event.kind](event)]),
		[operation.created_at, h("li", h("span.g", whoSign(operation.owner.kind, 13)), h("div", h(".h", h("span", h("b", operation.owner.name), " created it"), h("time", {datetime: operation.created_at, title: operation.created_at}, age(operation.created_at))),
			operation.links.map(link => h(".eff", h("a", {href: `#/op/${link.id}`}, `${link.kind === "branch" ? "branch of" : "takes"} …${link.id.slice(-6)}${link.at === null ? "" : ` at ${figure(link.at)}`}`)))))]]
	return h("ol", lines.sort((a, b) => (a[0] < b[0] ? 1 : -1)).map(([, line]) => line))
}

// The ledger for a report; what others wrote cannot become markup there either.
const plain = text => text.replace(/[\\`*_[\]<>|#]/g, "\\$&").replace(/\s+/g, " ")
export const markdown = items => items.map(item => `- ${item.at} **${plain(item.principal.name)}** (${item.principal.kind}) ${item.verb} ${plain(changesOf(item.args))} ${item.operation}: ${plain(item.reason)} (${item.status}${item.at_step === null ? "" : ` at ${item.at_step}`})`).join("\n")
