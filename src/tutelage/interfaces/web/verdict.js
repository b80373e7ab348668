// How a verdict or a state looks: a word, a colour, an outer shape that says how urgent, an inner sign.
import {svg} from "./dom.js"

export const SHAPES = {
	oct: "M5.1.9h5.8l4.2 4.2v5.8l-4.2 4.2H5.1L.9 10.9V5.1z",
	tri: "M8 1.1c.4 0 .8.2 1 .6l6.2 11.2c.4.8-.1 1.8-1 1.8H1.8c-.9 0-1.4-1-1-1.8L7 1.7c.2-.4.6-.6 1-.6z",
	sq: "M3.8 1.2h8.4a2.6 2.6 0 0 1 2.6 2.6v8.4a2.6 2.6 0 0 1-2.6 2.6H3.8a2.6 2.6 0 0 1-2.6-2.6V3.8a2.6 2.6 0 0 1 2.6-2.6z",
	disc: "M15.1 8A7.1 7.1 0 1 1 .9 8a7.1 7.1 0 0 1 14.2 0z",
	ring: "M14.3 8A6.3 6.3 0 1 1 1.7 8a6.3 6.3 0 0 1 12.6 0z",
}
const SIGNS = {
	x: "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2", rise: "M4.6 11l3-3.6 1.6 1.4L11.6 5M8.8 4.8h2.9v2.9",
	bang: "M8 6v3.6M8 11.7v.2", flat: "M5.4 10.4h5.2", clock: "M8 4.6V8.2l2.4 1.5", ask: "M6.2 6.3c.1-2.3 3.7-2.2 3.6 0 0 1.5-1.8 1.5-1.8 3M8 11.4v.2",
	same: "M4.9 6.7h6.2M4.9 9.3h6.2", arrow: "M5 10.6l5.6-5.4M6.6 5h4.1v4.1", tick: "M4.8 8.3l2.2 2.3 4.3-4.9", bars: "M6.4 5.4v5.2M9.6 5.4v5.2", slash: "M5.5 10.5l5-5", none: "",
}
export const FACES = {
	non_finite: ["Non-finite", "red", "oct", "x"], diverged: ["Diverged", "red", "oct", "rise"], failed: ["Failed", "red", "oct", "bang"],
	overfitting: ["Overfitting", "amber", "tri", "bang"], not_learning: ["Not learning", "amber", "tri", "flat"],
	stalled: ["Stalled", "violet", "sq", "clock"], approval: ["Asks you", "violet", "sq", "ask"], host: ["Link cut", "violet", "sq", "x"],
	interrupted: ["Interrupted", "violet", "sq", "bang"], plateaued: ["Plateaued", "blue", "disc", "same"], improving: ["Improving", "green", "disc", "arrow"],
	finished: ["Finished", "ink", "ring", "tick"], insufficient_evidence: ["Too early to say", "grey", "dash", "none"],
	pending: ["Queued", "grey", "dash", "none"], paused: ["Paused", "ink", "ring", "bars"], pausing: ["Pausing", "grey", "ring", "bars"],
	resuming: ["Resuming", "grey", "ring", "arrow"], stopping: ["Stopping", "grey", "ring", "flat"], cancelled: ["Cancelled", "ink", "ring", "slash"],
	running: ["Running", "grey", "dash", "none"], completed: ["Completed", "ink", "ring", "tick"],
	passed: ["Passed", "green", "ring", "tick"], info: ["Noted", "blue", "ring", "bang"], not_applicable: ["Not applicable", "grey", "dash", "none"], skipped: ["Skipped", "grey", "dash", "none"],
}
export const LIVE = ["running", "pausing", "stopping", "resuming"]
export const ENDED = ["completed", "failed", "cancelled", "interrupted"]

export const face = name => FACES[name] || [name, "grey", "dash", "none"]
export const word = name => face(name)[0]
export const family = name => `v-${face(name)[1]}`
export const ofFinding = finding => finding.outcome === "issue"
	? {critical: "failed", warning: "not_learning", info: "info"}[finding.severity] : finding.outcome

// The one face that an operation shows: its state where that says more than its verdict.
export function shown(operation) {
	const {state, waiting_for: waiting, assessment} = operation
	if (waiting && waiting.kind !== "slot") return waiting.kind
	if (state === "running") return assessment ? assessment.verdict : "insufficient_evidence"
	if (state === "completed") return assessment && assessment.verdict !== "insufficient_evidence" ? assessment.verdict : "completed"
	return state
}

// What to read beside it: the judge's words where they are about the present, else the state's.
export function story(operation) {
	const {state, assessment, error, waiting_for: waiting, progress} = operation
	if (error && state !== "completed") return [error.message, error.hint]
	if (waiting) return [waiting.detail || (waiting.kind === "slot" ? "Waits for a free place." : "Waits for an answer."),
		waiting.until && waiting.kind === "approval" ? `No answer by ${waiting.until.slice(11, 16)} counts as no.` : ""]
	if (["running", "completed"].includes(state) && assessment) return [assessment.sentence, assessment.detail]
	if (state === "running") return [`No metric yet${operation.phase ? `: ${operation.phase}` : ""}.`, progress.message]
	return [progress.message ? `Last: ${progress.message}` : "", assessment ? `Was ${word(assessment.verdict).toLowerCase()}. ${assessment.sentence}` : ""]
}

export function icon(name, size = 16) {
	const [, colour, shape, sign] = face(name)
	const hollow = shape === "ring" || shape === "dash"
	return svg("svg", {class: `ic v-${colour}`, width: size, height: size, viewBox: "0 0 16 16", "aria-hidden": "true"},
		svg("path", {d: SHAPES[shape === "dash" ? "ring" : shape], class: hollow ? `hollow ${shape}` : "solid"}),
		svg("path", {d: SIGNS[sign], class: hollow ? "sign out" : "sign"}))
}

export const WHO = {agent: "M5.5 1.2 9.8 5.5 5.5 9.8 1.2 5.5z", person: "M9.5 5.5a4 4 0 1 1-8 0 4 4 0 0 1 8 0z", policy: "M1.8 1.8h7.4v7.4H1.8z", program: "M5.5 1.4 9.6 9H1.4z"}
export function whoSign(kind, size = 10) {
	return svg("svg.who", {width: size, height: size, viewBox: "0 0 11 11", role: "img", "aria-label": kind}, svg("path", {d: WHO[kind] || WHO.program}))
}
