// One operation: what is happening and what to do, then the proof, then who did what.
import {get, mayAct, service} from "./api.js"
import {announce, banner, useOf} from "./banner.js"
import {Chart, summary} from "./chart.js"
import {asking, commandsOf, openDialog, recommended, refusedOf} from "./commands.js"
import {bar, button, byId, choice, copy, crumb, fill, h, holds, refill, table, toggle} from "./dom.js"
import {age, figure, left, nameOf, number, percent, took} from "./format.js"
import {changesOf, kindOf, markdown, timeline} from "./ledger.js"
import {seldom} from "./live.js"
import {mini} from "./spark.js"
import {tabsOf} from "./panels.js"
import {ENDED, LIVE, face, shown, word} from "./verdict.js"

const KINDS = "state,attempt_started,checkpoint,verdict,error,sample"
const WIDE_RANGE = 200

export async function open({argument: id, query}) {
	const model = {id, query, onlit: step => model.chart.point(step), events: [], cursor: null, scope: query.get("scope"), focus: null, zoom: zoomOf(query), isTable: false, verdict: null}
	build(model)
	await load(model)
	return {element: model.element, update: () => load(model), keys: keysOf(model), themed: () => {model.chart.shape = ""; draw(model)},
		shown: () => {model.isShown = true; draw(model)}, close: () => {model.isShown = false; model.chart.destroy(); document.title = "Tutelage"}}
}

const zoomOf = query => {const ends = (query.get("x") || "").split("-").map(Number); return ends.length === 2 && ends[1] > ends[0] ? ends : null}

function build(model) {
	Object.assign(model, {title: h(".min0"), ctl: h(".ctl"), verdictAt: h("div"), read: h(".read"), plot: h(".plot", {tabindex: 0, role: "img"}), tableAt: h("div", {hidden: true}),
		tools: h(".ch"), minis: h(".card.minis"), ledger: h("div"), sticky: h(".sticky")})
	model.left = tabsOf(model, ["Checks", "Spec", "Environment", "Lineage"])
	model.right = tabsOf(model, ["Log", "Samples", "Artifacts", "System", "Result"])
	model.look = seldom(() => {model.left.update(); model.right.update()}, 1000)
	model.chart = new Chart(model.plot, {said: words => readout(model, words), zoomed: ends => zoom(model, ends), marked: marker => byId(marker.entry)?.scrollIntoView({block: "center"})})
	model.plot.addEventListener("keydown", event => {
		const by = {ArrowLeft: -1, ArrowRight: 1}[event.key]
		if (by) {event.preventDefault(); event.stopPropagation(); model.chart.step(by, event.shiftKey)}
	})
	model.element = h(".op", h(".ohead", model.title, model.ctl), model.verdictAt,
		h(".og", h("div", h("section.card", {"aria-label": "Chart"}, model.tools, model.read, model.plot, model.tableAt), model.minis, h(".two", model.left.element, model.right.element)),
			h("aside.card.led", {"aria-label": "Ledger"}, h(".ch", h("h2", "Ledger"), h("span.s.mut", "who did what, and what followed"), h(".tools", button("Copy", () => copy(markdown(model.decisions)), "sm ghost"))), model.ledger)), model.sticky)
}

async function load(model) {
	const {id} = model, of = `/operations/${id}`, since = model.cursor ? `&since=${model.cursor}` : "", scope = model.scope ?? ""
	const history = name => get(`${of}/metrics?scope=${encodeURIComponent(name)}&points=1000${model.zoom ? `&from=${model.zoom[0]}&to=${model.zoom[1]}` : ""}`).catch(noHistory)
	const asked = get(of), about = asked.then(op => model.service ?? service(op.service).catch(() => null))
	const [op, decisions, page, curves, info] = await Promise.all([asked, get(`${of}/decisions`), get(`${of}/events?kinds=${KINDS}&limit=2000${since}`), history(scope), about])
	model.events.push(...page.items)
	const {best, scopes} = op.metrics
	model.scope ??= best || scopes.includes("") ? "" : op.assessment?.scope || scopes.find(name => name !== "system") || ""
	Object.assign(model, {op, decisions: decisions.items, cursor: page.next_cursor, service: info, history: model.scope === scope ? curves : await history(model.scope)})
	draw(model)
	model.look()
}

// A scope that has no metric yet is no error.
function noHistory(error) {
	if (error.status !== 404) throw error
	return {keys: [], steps: [], values: {}, unit: "step"}
}

function draw(model) {
	const {op} = model
	if (!model.isShown) return
	const before = model.verdict
	model.verdict = announce(before, op)
	document.title = `${op.attention ? "▲ " : ""}${nameOf(op)}: ${word(shown(op)).toLowerCase()} - Tutelage`
	drawHead(model)
	if (before !== model.verdict || !holds(model.verdictAt) || document.activeElement.id === "banner") fill(model.verdictAt, banner(op, model))
	drawChart(model)
	refill(model.ledger, [model.decisions, model.events.length, Math.floor(Date.now() / 5000)], () => [timeline(op, model.decisions, model.events, id => lit(model, id)), h("p.foot.s.mut", `${model.decisions.length} ${model.decisions.length === 1 ? "decision" : "decisions"}`)])
}

function drawHead(model) {
	const {op} = model, {progress} = op, legal = mayAct() ? commandsOf(op) : [], act = recommended(op)
	const state = op.state === "running" || op.state === "pending" ? word(op.state) : `${word(op.state)}${op.stopped_early ? ", stopped early" : ""}`
	const done = progress.done ? `${progress.unit} ${figure(progress.done)}${progress.total ? ` of ${figure(progress.total)}` : ""}` : op.metrics.best || model.history?.steps.length ? `${op.metrics.unit} ${figure(model.history.steps.at(-1) ?? 0)}` : progress.message
	const meta = [h("span", h("b", state), " ", done, progress.fraction !== null && LIVE.includes(op.state) ? [" ", bar(progress.fraction, "progress"), ` ${percent(progress.fraction)}`] : null), progress.eta_s && LIVE.includes(op.state) ? left(progress.eta_s) : null,
		ENDED.includes(op.state) && op.started_at && op.ended_at ? `took ${took(op.started_at, op.ended_at)}, ended ${age(op.ended_at)} ago` : `started ${age(op.started_at || op.created_at)} ago`, `by ${op.owner.name}`, `attempt ${op.attempt} on ${op.executor}`]
	const main = legal.filter(verb => !["checkpoint", "cancel"].includes(verb)), other = legal.filter(verb => ["checkpoint", "cancel"].includes(verb))
	const ask = (verb, kind) => asking(() => model.op, {verb}, kind), refused = refusedOf(op)
	if (!holds(model.title)) fill(model.title, crumb(op.service), h("h1", nameOf(op)),
		h(".meta", meta.filter(Boolean).map(part => h("span", part)), button(op.id, () => copy(op.id), "bare mono")))
	refill(model.ctl, [legal, refused], () => [main.map(verb => ask(verb)), other.length || refused.length ? h("details.more", h("summary.btn", {"aria-label": "More commands"}, "···"),
		h(".menu", other.map(verb => ask(verb, "ghost")), refused.map(([name, why]) => h("p.s.mut", h("b", name), `: ${why}`)))) : null])
	refill(model.sticky, [legal, act, op.state], () => [useOf(op), act && mayAct() ? asking(() => model.op, act, "pri") : null, legal.filter(verb => verb !== act?.verb).slice(0, act ? 2 : 3).map(verb => ask(verb))])
}

// Shown large: the metric asked for, else the judged one, else a validation metric.
function chosenMetric({history: {keys}, focus, op}) {
	const judged = op.metrics.best?.metric
	return [focus, judged, keys.find(key => key.startsWith("val_")), keys[0]].find(key => key && keys.includes(key))
}

function pairOf(model, name) {
	const {keys} = model.history, declared = model.service?.metrics.find(item => item.name === name)?.pairs
	return [declared, name.replace(/^val_/, "train_"), name.replace(/^train_/, "val_")].find(key => key && key !== name && keys.includes(key)) || null
}

const column = ({values}, key) => values[key].map(y => (y === null ? null : number(y)))

function drawChart(model) {
	const {op, history} = model, name = chosenMetric(model)
	if (!name) {
		refill(model.tools, [op.progress.message, op.metrics.scopes], () => [h("h2", "No metric yet"), h("span.s.mut", op.progress.message || ""), scopeSelect(model)])
		model.plot.hidden = true
		return
	}
	const pair = pairOf(model, name), [value, train] = pair && pair.startsWith("val_") ? [pair, name] : [name, pair]
	const info = model.service?.metrics.find(item => item.name === value), isJudged = op.metrics.best?.metric === value && model.scope === ""
	const of = key => (key ? column(history, key) : null), verdict = shown(op), fam = face(verdict)[1]
	model.facts = {xs: history.steps, value: of(value), train: of(train), name: value, trainName: train, isUp: info?.direction === "maximize", best: isJudged ? {...op.metrics.best, value: number(op.metrics.best.value)} : null,
		since: isJudged && op.assessment?.scope === model.scope && ["red", "amber", "violet"].includes(fam) ? op.assessment.since_step : null, verdictWord: word(verdict), family: fam, paint: fam === "amber" ? "over" : fam, markers: markersOf(model), zoom: model.zoom, isSearch: history.unit === "trial"}
	if (!model.hasAxis) chooseAxis(model)
	model.plot.hidden = model.isTable
	model.plot.setAttribute("aria-label", summary(model.facts))
	if (!model.isTable) model.chart.show(model.facts)
	drawTools(model, value, info)
	if (model.isTable) drawTable(model)
	drawMinis(model, [value, train])
}

// Of the powers of ten of a run that explodes, a linear axis shows the last alone.
function chooseAxis(model) {
	const sizes = model.facts.value.filter(y => Number.isFinite(y) && y > 0), all = model.facts.value.filter(y => Number.isFinite(y))
	if (sizes.length < 3 || sizes.length < all.length || Math.max(...sizes) / Math.min(...sizes) < 1e6) return
	model.hasAxis = true
	model.chart.options.isLog = true
}

function markersOf(model) {
	const marks = model.events.filter(event => event.kind === "checkpoint" && event.scope === "" && event.step !== null).map(event => ({step: event.step, kind: "checkpoint", title: `checkpoint ${event.step}`}))
	for (const event of model.events) if (event.kind === "attempt_started" && event.data.from_step) marks.push({step: event.data.from_step, kind: "attempt", label: `attempt ${event.attempt}`})
	for (const item of model.decisions) {
		if (item.at_step === null || item.status === "refused") continue
		const label = item.verb === "tune" ? changesOf(item.args) : {pause: "paused", stop: "stopped", branch: "branched", cancel: "cancelled"}[item.verb]
		marks.push({step: item.at_step, kind: kindOf(item.principal), label, isDeed: ["tune", "pause", "stop"].includes(item.verb), isLit: model.lit === item.id, entry: `d-${item.id}`})
	}
	return model.scope === "" ? marks : []
}

function lit(model, id) {
	model.lit = id
	if (model.facts && !model.isTable) {model.facts.markers = markersOf(model); model.chart.plot?.redraw(false)}
}

function scopeSelect(model) {
	const scopes = model.op.metrics.scopes.slice(0, WIDE_RANGE)
	if (scopes.length < 2) return null
	return h("label.lab", "Scope ", choice(scopes.map(scope => [scope, scope || "whole operation"]), model.scope, scope => {Object.assign(model, {scope, focus: null, zoom: null}); load(model)}, {class: "sel"}))
}

function drawTools(model, name, info) {
	const focused = document.activeElement?.dataset?.key, {options} = model.chart
	refill(model.tools, [name, info, options.isLog, options.isFull, model.isTable, model.zoom, model.scope, model.op.metrics.scopes], () => [h("h2", name), h("span.s.mut.about", [info?.unit, info?.direction === "minimize" ? "lower is better" : info?.direction === "maximize" ? "higher is better" : ""].filter(Boolean).join(", ")),
		h(".tools", scopeSelect(model), model.history.unit === "trial" ? null : h("label.lab.desk", "Smooth ", h("input", {type: "range", min: 0, max: 1, step: 0.1, value: options.smooth, oninput: event => model.chart.set("smooth", Number(event.target.value))})),
			model.zoom ? button("Reset zoom", () => zoom(model, null), "sm ghost") : null,
			h("span.seg", toggle("Log", options.isLog, () => flip(model, "isLog"), {"data-key": "log"}), toggle("Full range", options.isFull, () => flip(model, "isFull"), {"data-key": "full"}), toggle("Table", model.isTable, () => {model.isTable = !model.isTable; drawChart(model)}, {"data-key": "table"})))])
	if (focused) model.tools.querySelector(`[data-key=${focused}]`)?.focus()
	readout(model, null)
	model.tableAt.hidden = !model.isTable
}

function flip(model, option) {
	if (option === "isLog" && !model.chart.options.isLog && model.facts.value.some(y => y !== null && y <= 0)) {
		model.note = `no log axis: ${model.facts.name} is not always above 0`
		return readout(model, null)
	}
	model.chart.set(option, !model.chart.options[option])
	return drawChart(model)
}

function readout(model, words) {
	if (words) return fill(model.read, words.map(([label, said, raw]) => h("span", `${label} `, h("b", said), raw ? ` ${raw}` : "")))
	if (!model.facts) return null
	const {facts, chart} = model, painted = facts.since !== null
	const key = kind => h("i", {class: `key ${kind}`})
	return fill(model.read, h("span", key("val"), facts.isSearch ? `${facts.name}, best so far; dots are trials` : `${facts.name}, raw as dots`), facts.trainName ? h("span", key("train"), facts.trainName) : null, painted ? h("span.desk", key(facts.family), `${facts.name} since the finding`) : null,
		h("span.mut.end", model.note || (chart.plot ? chart.cut() : "")))
}

function zoom(model, ends) {
	model.zoom = ends
	if (ends) model.query.set("x", ends.join("-"))
	else model.query.delete("x")
	history.replaceState(null, "", `#/op/${model.id}${model.query.size ? `?${model.query}` : ""}`)
	load(model)
}

function drawTable(model) {
	const {xs, value, train, name, trainName} = model.facts, at = new Map(model.facts.markers.map(marker => [marker.step, marker.label || marker.kind]))
	const rows = xs.map((x, i) => [figure(x), figure(value[i]), ...(train ? [figure(train[i])] : []), at.get(x) || ""]).reverse()
	const csv = () => copy([["step", name, ...(train ? [trainName] : [])], ...xs.map((x, i) => [x, value[i] ?? "", ...(train ? [train[i] ?? ""] : [])])].map(row => row.join(",")).join("\n"))
	model.rows ??= 200
	fill(model.tableAt, h(".row2", h("span.s.mut", `${rows.length} rows, newest first`), button("Copy as CSV", csv, "sm")), table("The chart as a table", ["step", name, ...(train ? [trainName] : []), "mark"], rows.slice(0, model.rows), "figures"),
		rows.length > model.rows ? button(`Show 200 more of ${rows.length}`, () => {model.rows += 200; drawTable(model)}, "sm ghost") : null)
}

function drawMinis(model, used) {
	const others = model.history.keys.filter(key => !used.includes(key) || key === (model.focus ? null : "")).slice(0, 8)
	model.minis.hidden = others.length === 0
	if (!holds(model.minis)) fill(model.minis, others.map(key => mini(key, model.history.steps, column(model.history, key), model.op.metrics.best?.step, () => {model.focus = key; drawChart(model)})))
}

function keysOf(model) {
	const ask = (...verbs) => () => {const verb = verbs.find(each => mayAct() && commandsOf(model.op).includes(each)); if (verb) openDialog(model.op, {verb})}
	const smooth = by => () => {model.chart.set("smooth", Math.max(0, Math.min(1, model.chart.options.smooth + by))); drawTools(model, model.facts.name, null)}
	return {s: ask("stop"), p: ask("pause", "resume"), t: ask("tune"), b: ask("branch"), a: ask("approve"), r: ask("reject"), ".": ask("checkpoint"), l: () => flip(model, "isLog"), f: () => flip(model, "isFull"), "[": smooth(-0.1), "]": smooth(0.1),
		0: () => zoom(model, null), v: () => {model.isTable = !model.isTable; drawChart(model)}, w: () => byId("banner").focus(), ArrowLeft: event => model.chart.step(-1, event.shiftKey), ArrowRight: event => model.chart.step(1, event.shiftKey)}
}
