// The verbs: which are legal, which is recommended, and the one dialog that asks for a reason.
import {get, post, service, session} from "./api.js"
import {button, byId, choice, field, fill, h} from "./dom.js"
import {figure, nameOf, value} from "./format.js"
import {isLive} from "./live.js"
import {ENDED, shown, word} from "./verdict.js"

const ORDER = ["approve", "reject", "pause", "resume", "tune", "branch", "stop", "checkpoint", "cancel"]
const WORDS = {
	pause: ["Pause", "Pausing at the next step", "Keep it running", ["Saves a checkpoint at the next step and ends the process.", "Frees the machine for what waits.", "Can be resumed from that checkpoint."]],
	resume: ["Resume", "Resuming", "Leave it", ["Goes on from its latest checkpoint as soon as there is a place.", "Later steps of the earlier attempt are superseded."]],
	stop: ["Stop", "Stopping at the next step", "Keep it running", ["Ends at the next step and keeps the best it has.", "Runs the final evaluation. State becomes completed, stopped early.", "Cannot be continued; a branch can start from its checkpoint."]],
	cancel: ["Cancel", "Cancelling", "Keep it running", ["Abandons it at the next step; a checkpoint is kept.", "No final evaluation and no result."]],
	checkpoint: ["Checkpoint", "Saving at the next step", "Not now", ["Saves a resumable state at the next step; training goes on."]],
	tune: ["Tune", "Applied at the next step", "Leave it as it is", ["Changes the settings below at the next step.", "The change is marked on the curve and kept in the ledger."]],
	branch: ["Branch", "Branching", "Not now", ["Starts a new operation from a checkpoint of this one.", "This one goes on as it is."]],
	approve: ["Approve", "Approving", "Decide later", ["It goes on with what it asked for."]],
	reject: ["Reject", "Rejecting", "Decide later", ["It goes on without what it asked for; where that is not possible, it stops."]],
}

export const commandsOf = op => ORDER.filter(verb => op.commands[verb] === null)
export const refusedOf = op => ORDER.filter(verb => typeof op.commands[verb] === "string").map(verb => [WORDS[verb][0], op.commands[verb]])
const labelOf = act => act.label ?? `${WORDS[act.verb][0]}…`
// The button of an act: {verb, label, args}. `op` is an operation, or tells the newest one when asked.
export const asking = (op, act, kind) => button(labelOf(act), () => openDialog(op.id ? op : op(), act), kind)

const stepOf = args => args.at ?? args.from ?? args.step ?? args.checkpoint ?? null

export function recommended(op) {
	const legal = commandsOf(op)
	if (legal.includes("approve")) return {verb: "approve"}
	const advice = op.assessment?.recommendation, best = op.metrics.best
	if (op.state === "failed" && legal.includes("resume")) return {verb: "resume"}
	if (op.state === "paused" && legal.includes("resume")) return {verb: "resume"}
	if (!advice || ENDED.includes(op.state)) return null
	const step = stepOf(advice.args) ?? best?.step
	if (advice.do === "stop" && legal.includes("stop")) return {verb: "stop", label: best ? `Stop, keep ${figure(best.step)}…` : undefined}
	if (advice.do === "use_checkpoint" && legal.includes("branch")) return {verb: "branch", label: `Branch from ${figure(step)}…`, args: {from: step}}
	if (advice.do === "use_checkpoint" && legal.includes("stop")) return {verb: "stop"}
	if (advice.do === "tune" && legal.includes("tune")) {
		const [[name, to] = []] = Object.entries(advice.args.set || advice.args)
		return {verb: "tune", label: name && `Set ${name} to ${value(to)}…`, args: advice.args.set || advice.args}
	}
	return null
}

export function sentenceOf(op) {
	const advice = op.assessment?.recommendation
	if (!advice) return ""
	const step = stepOf(advice.args) ?? op.metrics.best?.step
	const at = step == null ? "" : ` of ${op.metrics.unit} ${figure(step)}`
	return {continue: "let it run", stop: at ? `stop and use the model${at}` : "stop it", use_checkpoint: `use the checkpoint${at}`, insufficient_evidence: "wait for more evaluations",
		tune: `set ${Object.entries(advice.args.set || advice.args).map(([name, to]) => `${name} to ${value(to)}`).join(", ")}`}[advice.do] || advice.do
}

function reasonFor(op, verb) {
	const said = op.assessment
	if (!said || said.verdict === "insufficient_evidence" || ["resume", "approve", "reject", "checkpoint"].includes(verb)) return ""
	return `${word(shown(op))}: ${said.sentence}${op.metrics.best ? ` Best ${figure(op.metrics.best.value)} at ${figure(op.metrics.best.step)}.` : ""}`
}

// Asks for the reason, then sends one command to each; the ledger entry is the receipt.
export async function openDialog(op, act, many = [op]) {
	if (!isLive()) return
	const {verb, args} = act, [title, doing, leave, consequences] = WORDS[verb]
	const dialog = byId("dialog"), {principal} = session()
	const what = many.length > 1 ? `${many.length} operations` : nameOf(op)
	const more = verb === "tune" ? await tuneFields(op, args || {}) : verb === "branch" ? await branchFields(op, args || {}) : null
	const why = h("textarea", {id: "why", required: true, maxlength: 2000, value: reasonFor(op, verb)})
	const says = h("p.wrong", {role: "alert"})
	const send = h("button", {type: "submit", class: "btn pri"}, labelOf(act).replace("…", ""))
	const form = h("form", h("h2", {id: "dialog-title"}, `${title} ${what}?`), h("ul", consequences.map(line => h("li", line))), more?.element,
		field(why, "Reason"), h(".rd", `Recorded as ${principal ? `${principal.name} (${principal.kind})` : "the one signed in"}, with the verdict and its evidence.`), says,
		h(".row2", h("kbd", "Ctrl Enter"), button(leave, () => dialog.close()), send))
	form.addEventListener("submit", event => {event.preventDefault(); submit()})
	form.addEventListener("keydown", event => {if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit()})
	async function submit() {
		send.disabled = true
		const label = send.textContent
		send.textContent = doing
		try {
			const given = more ? more.values() : {}
			for (const each of many) await post(`/operations/${each.id}/commands`, {verb, args: given, reason: why.value}, {"Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random())})
			dialog.close()
		} catch (error) {
			fill(says, error.message, error.hint ? ` ${error.hint}` : "")
			send.disabled = false
			send.textContent = label
		}
	}
	fill(dialog, form)
	dialog.showModal()
	why.focus()
	why.select()
}

async function tuneFields(op, asked) {
	const {tunables} = await service(op.service)
	const offered = tunables.length ? tunables : Object.keys((await get(`/operations/${op.id}/spec`)).config?.settings || {}).map(name => ({name, about: "as the script reads it"}))
	const inputs = offered.map(item => [item, h("input", {id: `tune-${item.name}`, type: "text", inputmode: "decimal", placeholder: "unchanged", value: asked[item.name] ?? ""})])
	const extra = h("input", {id: "tune-other", type: "text", placeholder: "name=value, where the run takes more"})
	return {
		element: h(".fields", inputs.map(([item, input]) => field(input, item.name, item.low === undefined ? "" : `${figure(item.low)} to ${figure(item.high)}`, item.about)), tunables.length ? null : field(extra, "Setting")),
		values: () => Object.fromEntries([...inputs.filter(([, input]) => input.value.trim()).map(([item, input]) => [item.name, typed(input.value)]),
			...(extra.value.includes("=") ? [[extra.value.split("=")[0].trim(), typed(extra.value.slice(extra.value.indexOf("=") + 1))]] : [])]),
	}
}

async function branchFields(op, asked) {
	const kept = (await get(`/operations/${op.id}/checkpoints`)).items
	const from = choice(["best", "last", ...kept.map(item => [item.step, `${op.metrics.unit} ${figure(item.step)}`])], asked.from, () => null, {id: "branch-from"})
	const name = h("input", {id: "branch-name", type: "text", maxlength: 120, value: op.name ? `${op.name} b` : ""})
	const set = h("textarea", {id: "branch-set", placeholder: "lr=0.0001", rows: 2})
	return {
		element: h(".fields", field(from, "From checkpoint"), field(name, "Name"), field(set, "Settings that differ", "one name=value a line")),
		values: () => ({from: /^\d+$/.test(from.value) ? Number(from.value) : from.value, ...(name.value ? {name: name.value} : {}),
			set: Object.fromEntries(set.value.split("\n").filter(line => line.includes("=")).map(line => [line.split("=")[0].trim(), typed(line.slice(line.indexOf("=") + 1))]))}),
	}
}

export function typed(text) {
	try {
		return JSON.parse(text.trim())
	} catch {
		return text.trim()
	}
}
