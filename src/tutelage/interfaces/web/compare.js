// Operations side by side: a sentence, the curves, how far they lie apart, what was measured, which settings differ.
import {get, service} from "./api.js"
import {axesOf, bestSoFar, colours, faded} from "./chart.js"
import {asking, commandsOf} from "./commands.js"
import {choice, crumb, fill, h, holds, table, toggle} from "./dom.js"
import {difference, duration, figure, nameOf, number, value} from "./format.js"
import {evened} from "./smooth.js"
import {icon, shown, word} from "./verdict.js"

export async function open({argument}) {
	const ids = argument.split(",").filter(Boolean)
	const model = {ids, base: ids[0], isAligned: false, isLog: false, hasTraining: false, plots: [], top: h("div"), tools: h(".ch"), read: h(".read"), at: h(".plot", {role: "img"}), apart: h(".ch"), strip: h(".plot.strip", {role: "img"}), tables: h(".two")}
	model.element = h("div", model.top, h("section.card", {"aria-label": "Curves"}, model.tools, model.read, model.at, model.apart, model.strip), model.tables)
	await load(model)
	return {element: model.element, update: () => (model.ops.every(op => op.ended_at) ? null : load(model)), restMs: 1000, shown: () => {model.isShown = true; draw(model)}, themed: () => draw(model),
		keys: {l: () => flip(model, "isLog")}, close: () => {model.isShown = false; clear(model)}}
}

async function load(model) {
	const [told, ...ops] = await Promise.all([get(`/compare?ids=${model.ids.join(",")}`), ...model.ids.map(id => get(`/operations/${id}`))])
	const infos = await Promise.all(ops.map(op => service(op.service).catch(() => null)))
	model.pair = infos.flatMap(info => info?.metrics || []).find(item => item.name === told.metric)?.pairs ?? told.metric?.replace(/^val_/, "train_")
	const of = (op, key) => get(`/operations/${op.id}/metrics?points=500&keys=${encodeURIComponent(key)}`).catch(() => null)
	const every = key => Promise.all(ops.map(op => (key ? of(op, key) : null)))
	const [judged, training] = await Promise.all([every(told.metric), every(model.hasTraining && model.pair !== told.metric ? model.pair : null)])
	Object.assign(model, {told, ops, judged, training, isUp: infos.some(info => info?.metrics.some(item => item.name === told.metric && item.direction === "maximize"))})
	draw(model)
}

function swatch(i) {
	const made = h("i.sw")
	made.style.color = `var(--r${i % 8})`
	return made
}

async function flip(model, key) {
	model[key] = !model[key]
	if (key === "hasTraining") await load(model)
	else draw(model)
}

function draw(model) {
	const {told, ops, tools} = model
	if (!model.isShown) return
	const best = ops.find(op => op.metrics.best?.metric === told.metric && told.sentence.startsWith(nameOf(op)))
	const {significance: sure} = told, by = {replicas: "runs that differ in their seed alone", noise: "the noise of each curve"}
	const about = sure && difference(sure.low) !== difference(sure.high) ? `The difference lies between ${difference(sure.low)} and ${difference(sure.high)} with 95 % confidence, told by ${by[sure.by]}.` : ""
	if (!holds(model.top)) fill(model.top, h(".ohead", h("div", crumb("compare"), h("h1", `${ops.length} operations`)),
		h(".ctl", best && commandsOf(best).includes("branch") ? asking(best, {verb: "branch", label: `Branch from ${nameOf(best)}…`}, "pri") : null)),
	h("section.card.say2", {"aria-live": "polite"}, h(".say", told.sentence), about ? h("p", about) : null))
	fill(tools, h("h2", told.metric || "No metric in common"), h(".tools", h("span.seg", [["Training", "hasTraining"], ["By fraction", "isAligned"], ["Log", "isLog"]].map(([label, key]) => toggle(label, model[key], () => flip(model, key))))))
	clear(model)
	drawCurves(model)
	drawApart(model)
	if (!holds(model.tables)) drawTables(model, best)
}

function clear(model) {
	for (const plot of model.plots.splice(0)) plot.destroy()
}

// A curve as it is drawn: of a search the best so far, else smoothed.
function curveOf(model, history, key) {
	if (!history?.values[key]) return null
	const {steps, unit} = history, raw = history.values[key].map(y => {const n = y === null ? NaN : number(y); return Number.isFinite(n) && !(model.isLog && n <= 0) ? n : null})
	return {xs: model.isAligned ? steps.map(step => step / (steps.at(-1) || 1)) : steps, raw, ys: unit === "trial" ? bestSoFar(raw, model.isUp) : evened(steps, raw, 0.5, model.isLog)}
}

const hueOf = k => colours()[`r${k % 8}`]

function drawCurves(model) {
	const {told, ops} = model, lines = []
	model.curves = model.judged.map(history => curveOf(model, history, told.metric))
	model.training.forEach((history, k) => {const curve = curveOf(model, history, model.pair); if (curve) lines.push({...curve, stroke: faded(hueOf(k), 0.55), width: 1.2, dash: [4, 3]})})
	model.curves.forEach((curve, k) => {if (curve) lines.push({xs: curve.xs, ys: curve.raw, stroke: faded(hueOf(k), 0.25), width: 1}, {...curve, stroke: hueOf(k), width: 2, op: ops[k], k})})
	model.at.setAttribute("aria-label", `${told.metric} of ${ops.length} operations. ${told.sentence}`)
	plotOf(model, model.at, lines, {height: 300, isLog: model.isLog, said: (x, near) => readout(model, x, near)})
	readout(model, null, [])
}

function readout({read, ops, isAligned}, x, near) {
	const at = new Map(near)
	fill(read, x === null ? null : h("span", isAligned ? "fraction " : "step ", h("b", figure(x, 3))), ops.map((op, k) => h("span", swatch(k), icon(shown(op), 12), " ", nameOf(op), " ", h("b", at.has(op) ? figure(at.get(op)) : ""))))
}

// How far each curve lies from the baseline; the band is the noise of one evaluation of both.
function drawApart(model) {
	const {curves, ops, told, apart, strip} = model, k0 = model.ids.indexOf(model.base), base = curves[k0]
	const others = curves.map((curve, k) => [curve, k]).filter(([curve, k]) => curve && k !== k0)
	apart.hidden = strip.hidden = !base || !others.length
	if (apart.hidden) return
	const noise = k => told.operations.find(item => item.id === ops[k].id)?.noise ?? 0
	const lines = others.map(([curve, k]) => {
		const reach = curve.xs.map((x, i) => [x, curve.ys[i], at(base, x)]).filter(([, y, y0]) => y !== null && y0 !== null)
		return {xs: reach.map(([x]) => x), ys: reach.map(([, y, y0]) => y - y0), stroke: hueOf(k), width: 2, half: Math.hypot(noise(k), noise(k0)), op: ops[k], k}
	})
	if (!holds(apart)) fill(apart, h("label.lab", h("h2", "Difference from"), choice(ops.filter((_, k) => curves[k]).map(op => [op.id, nameOf(op)]), model.base, id => {model.base = id; draw(model)}, {class: "sel"})),
		h("span.s.mut", `${model.isUp ? "above" : "below"} zero is better; the band is the noise of one evaluation`))
	const last = lines.map(line => (line.ys.length ? `${nameOf(line.op)} ends ${difference(line.ys.at(-1))} from ${nameOf(ops[k0])}` : `${nameOf(line.op)} has no step in common`))
	strip.setAttribute("aria-label", `${last.join(", ")}.`)
	plotOf(model, strip, lines, {height: 150, hasZero: true})
}

// The baseline's value at a place between its points; null outside.
function at({xs, ys}, x) {
	const i = xs.findIndex(each => each >= x)
	if (i < 0 || (i === 0 && xs[0] !== x)) return null
	if (xs[i] === x) return ys[i]
	if (ys[i] === null || ys[i - 1] === null) return null
	return ys[i - 1] + ((ys[i] - ys[i - 1]) * (x - xs[i - 1])) / (xs[i] - xs[i - 1])
}

function plotOf(model, place, lines, {height, isLog = false, hasZero = false, said = () => null}) {
	fill(place)
	const xs = [...new Set(lines.flatMap(line => line.xs))].sort((a, b) => a - b), index = new Map(xs.map((x, i) => [x, i]))
	if (!xs.length) return
	if (!hasZero) model.span = [xs[0], xs.at(-1)]
	const data = [xs], series = [{}], bands = [], owner = new Map()
	const add = (line, shift, style) => {
		const column = xs.map(() => null)
		line.xs.forEach((x, i) => {column[index.get(x)] = line.ys[i] === null ? null : line.ys[i] + shift})
		series.push({pxAlign: 0, spanGaps: true, points: {show: false}, ...style})
		return data.push(column) - 1
	}
	for (const line of lines) {
		if (line.half) bands.push({series: [add(line, line.half, {width: 0}), add(line, -line.half, {width: 0})], fill: faded(line.stroke, 0.12)})
		owner.set(add(line, 0, {stroke: line.stroke, width: line.width, dash: line.dash}), line)
	}
	const c = colours(), axes = axesOf(c, isLog)
	const zero = u => {
		const y = Math.round(u.valToPos(0, "y", true)), {ctx, bbox} = u
		ctx.fillStyle = c.ink
		if (y >= bbox.top && y <= bbox.top + bbox.height) ctx.fillRect(bbox.left, y, bbox.width, devicePixelRatio || 1)
	}
	// The nearest known value of each run: they report at steps of their own.
	const heard = u => {
		const {idx} = u.cursor
		const near = column => {for (let d = 0; d < xs.length; d += 1) for (const i of [idx - d, idx + d]) if (column[i] !== undefined && column[i] !== null) return column[i]; return null}
		said(idx == null ? null : xs[idx], idx == null ? [] : [...owner].filter(([, line]) => line.op).map(([i, line]) => [line.op, near(data[i])]))
	}
	model.plots.push(new window.uPlot({width: Math.max(200, place.clientWidth), height, padding: [12, 16, 0, 0], legend: {show: false}, cursor: {points: {show: false}, y: false, sync: {key: "compare"}, drag: {x: false}}, bands,
		scales: {x: {time: false, range: () => model.span}, y: {distr: isLog ? 3 : 1}}, axes: [{...axes[0], size: 30, space: 80, values: (_, splits) => splits.map(v => figure(v, 3))}, axes[1]], series, hooks: {setCursor: [heard], draw: hasZero ? [zero] : []}}, data, place))
}

function drawTables(model, best) {
	const {told, ops} = model, side = op => told.operations.find(item => item.id === op.id) || {}
	const heads = () => ops.map((op, i) => [swatch(i), h("a", {href: `#/op/${op.id}`}, nameOf(op))])
	const row = (label, of) => [label, ...ops.map(op => (op === best && label === "Best" ? h("b", of(op)) : of(op)))]
	fill(model.tables, h("section.card", table("Measured", ["Measured", ...heads()], [row("Verdict", op => [icon(shown(op), 14), " ", word(shown(op))]), row("Best", op => (op.metrics.best ? `${op.metrics.best.metric} ${figure(op.metrics.best.value)}` : "")),
		row("at step", op => figure(op.metrics.best?.step)), row("Noise of a value", op => figure(side(op).noise, 2)), row("Last", op => figure(side(op).final)), row("Mean over its steps", op => figure(side(op).mean)), row("Time", op => duration(side(op).wall_s))], "figures")),
	h("section.card", table("Settings that differ", [`Settings that differ, ${told.num_equal_settings} equal`, ...heads()], Object.entries(told.config_diff).map(([name, by]) => [h("span.mono", name), ...ops.map(op => value(by[op.id]))]), "figures")))
}
