// The chart of one metric with its training pair: raw behind smooth, the judge's best, the verdict painted, deeds below.
import {difference, figure} from "./format.js"
import {marks} from "./marks.js"
import {evened, focusRange, fullRange} from "./smooth.js"

const uPlot = window.uPlot
const NARROW = 560

// The theme's colours by name.
export const colours = () => new Proxy(getComputedStyle(document.documentElement), {get: (style, name) => style.getPropertyValue(`--${name}`).trim()})

// At most seven powers of ten, however many a log axis spans.
function powers(u, axis, low, high) {
	const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high)), by = Math.max(1, Math.ceil((last - first) / 6)), found = []
	for (let power = first; power <= last; power += by) found.push(10 ** power)
	return found.length > 1 ? found : [low, Math.sqrt(low * high), high]
}

export function axesOf(c, isLog) {
	const axis = {stroke: c.ink3, font: '11px "Inter", system-ui, sans-serif', ticks: {show: false}, border: {show: false}}
	return [{...axis, grid: {show: false}}, {...axis, size: 52, grid: {stroke: c.grid, width: 1}, ...(isLog ? {incrs: [Number.MAX_VALUE], splits: powers, filter: (u, splits) => splits} : {}), values: (_, splits) => splits.map(v => figure(v, 3))}]
}

export const faded = (colour, alpha) => `${colour}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`

export class Chart {
	// `said` is called with the readout; `zoomed` with [from, to] or null.
	constructor(element, {said, zoomed, marked}) {
		Object.assign(this, {element, said, zoomed, marked, options: {smooth: 0.5, isLog: false, isFull: false}, plot: null, shape: ""})
		this.watch = new ResizeObserver(() => this.fit())
		this.watch.observe(element)
	}

	show(facts) {
		this.facts = facts
		this.data = this.columns()
		const shape = [facts.isSearch, facts.name, facts.trainName, this.options.isLog, this.element.clientWidth < NARROW].join()
		if (this.plot && shape === this.shape) {
			this.plot.setData(this.data, false)
			this.scaled()
		} else this.build(shape)
		this.element.firstElementChild?.setAttribute("aria-hidden", "true")
		this.read(null)
	}

	columns() {
		const {xs, value, train, since} = this.facts, finite = ys => ys.map(y => (Number.isFinite(y) && !(this.options.isLog && y <= 0) ? y : null))
		const raw = finite(value), rawTrain = finite(train || xs.map(() => null))
		this.smooth = this.facts.isSearch ? bestSoFar(raw, this.facts.isUp) : evened(xs, raw, this.options.smooth, this.options.isLog)
		this.smoothTrain = evened(xs, rawTrain, this.options.smooth, this.options.isLog)
		const painted = this.smooth.map((y, i) => (since != null && xs[i] >= since ? y : null))
		return [xs, rawTrain, raw, this.smoothTrain, this.smooth, painted]
	}

	build(shape) {
		this.plot?.destroy()
		this.shape = shape
		const c = colours(), isNarrow = this.element.clientWidth < NARROW, line = (stroke, width, more = {}) => ({stroke, width, spanGaps: true, pxAlign: 0, points: {show: false}, ...more})
		const paint = c[this.facts.paint] || c.val, axes = axesOf(c, this.options.isLog)
		this.plot = new uPlot({
			width: Math.max(200, this.element.clientWidth), height: isNarrow ? 286 : 352, padding: [40, isNarrow ? 16 : 96, 0, 0], legend: {show: false},
			cursor: {points: {show: false}, y: false, drag: {x: true, y: false, setScale: false}, focus: {prox: -1}},
			scales: {x: {time: false, range: () => this.xRange()}, y: {distr: this.options.isLog ? 3 : 1, range: () => this.yRange()}},
			axes: [{...axes[0], size: isNarrow ? 48 : 62, gap: 6, space: isNarrow ? 70 : 90, values: (_, splits) => splits.map(v => (Number.isInteger(v) ? figure(v) : ""))},
				{...axes[1], space: 44}],
			series: [{}, line(faded(c.train, 0.28), 1), line(faded(c.val, 0), 0, {points: {show: () => this.isSparse(), size: this.facts.isSearch ? 6 : 3.4, width: 0, fill: faded(c.val, this.facts.isSearch ? 0.7 : 0.38), space: 0}}), line(c.train, 1.5), line(c.val, 2.2, this.facts.isSearch ? {paths: uPlot.paths.stepped({align: 1})} : {}), line(paint, 2.6)],
			hooks: {drawClear: [u => marks.behind(u, this)], draw: [u => marks.front(u, this)], setCursor: [u => this.read(u.cursor.idx)],
				setSelect: [u => this.select(u)], ready: [u => this.gestures(u)]},
		}, this.data, this.element)
	}

	isSparse() {return this.facts.value.filter(y => y !== null).length < 400}

	gestures(u) {
		u.over.addEventListener("dblclick", () => this.zoomed(null))
		u.over.addEventListener("click", event => {
			const near = (this.places || []).find(place => Math.abs(place.x - event.offsetX) < 8)
			if (near && event.offsetY > u.over.clientHeight - 20) this.marked?.(near.marker)
		})
	}

	select(u) {
		if (u.select.width < 6) return
		const ends = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")].map(Math.round)
		u.setSelect({left: 0, width: 0, top: 0, height: 0}, false)
		if (ends[1] > ends[0]) this.zoomed(ends)
	}

	xRange() {
		const {xs, zoom} = this.facts
		if (zoom) return zoom
		const first = xs[0] ?? 0, last = xs[xs.length - 1] ?? 1
		return [Math.min(first, first <= 2 ? 0 : first), last > first ? last : first + 1]
	}

	yRange() {
		const both = this.facts.isSearch ? [this.data[2]] : [this.data[3], this.data[4]]
		if (this.options.isFull || this.options.isLog) return fullRange([this.data[1], this.data[2]], this.options.isLog)
		return focusRange(this.facts.xs, both, this.facts.isUp)
	}

	// Says which steps the focused range leaves out at the beginning.
	cut() {
		if (this.options.isFull || this.options.isLog || this.facts.isSearch) return ""
		const [low, high] = this.yRange(), {xs} = this.facts, out = y => y !== null && (y > high || y < low)
		const last = xs.findIndex((_, i) => this.smooth[i] !== null && !out(this.smooth[i]))
		return last > 0 ? `${this.facts.isUp ? "below" : "above"} this range: up to step ${figure(xs[last - 1])}` : ""
	}

	scaled() {
		this.plot.setScale("x", {min: null, max: null})
		this.plot.redraw(false, true)
	}

	set(option, value) {
		this.options[option] = value
		if (this.facts) {this.shape = ""; this.show(this.facts)}
	}

	fit() {
		if (!this.plot || !this.facts) return
		const width = Math.max(200, this.element.clientWidth)
		if (width !== this.plot.width) {this.shape = ""; this.show(this.facts)}
	}

	// Moves the crosshair to the next evaluation, or mark.
	step(by, isByMark) {
		const {xs, value, markers} = this.facts, now = this.at ?? xs.length
		const marked = isByMark && new Set(markers.map(({step}) => {const i = xs.findIndex(x => x >= step); return i < 0 ? xs.length - 1 : i}))
		let next = now + by
		while (next >= 0 && next < xs.length && (marked ? !marked.has(next) : value[next] === null)) next += by
		if (next < 0 || next >= xs.length) return
		this.point(xs[next])
		this.read(next)
	}

	// Puts the crosshair at a step; null takes it away.
	point(step) {
		this.plot?.setCursor({left: step === null ? -10 : this.plot.valToPos(step, "x"), top: 10})
	}

	read(i) {
		this.at = i ?? null
		const {xs, value, train, name, trainName, best} = this.facts
		if (i == null) return this.said(null)
		const words = [["step", figure(xs[i])]]
		if (value[i] !== null) words.push([name, figure(this.smooth[i] ?? value[i]), `raw ${figure(value[i])}`])
		if (train && train[i] !== null) words.push([trainName, figure(this.smoothTrain[i] ?? train[i])])
		if (best && value[i] !== null) words.push(["from best", difference(value[i] - best.value)])
		return this.said(words)
	}

	destroy() {this.watch.disconnect(); this.plot?.destroy()}
}

// Of a search, the line is the best so far; each trial is a dot.
export function bestSoFar(ys, isUp) {
	let best = null
	return ys.map(y => {
		if (y !== null && (best === null || (isUp ? y > best : y < best))) best = y
		return best
	})
}

// The chart in one sentence, for those who hear it.
export function summary({xs, value, train, name, trainName, best}) {
	const known = xs.map((x, i) => [x, value[i]]).filter(([, y]) => Number.isFinite(y))
	if (!known.length) return `${name} has no value yet.`
	const [[x0, y0]] = known, [x1, y1] = known[known.length - 1]
	const way = (from, to) => (to > from ? "rose" : to < from ? "fell" : "stayed")
	const parts = [best && best.step !== x1 ? `${name} went from ${figure(y0)} to its best, ${figure(best.value)}, at step ${figure(best.step)}, and ${way(best.value, y1)} to ${figure(y1)} at ${figure(x1)}`
		: `${name} ${way(y0, y1)} from ${figure(y0)} at step ${figure(x0)} to ${figure(y1)} at ${figure(x1)}`]
	const other = (train || []).filter(y => Number.isFinite(y))
	if (other.length) parts.push(`${trainName} ${way(other[0], other[other.length - 1])} to ${figure(other[other.length - 1])}`)
	return `${parts.join(", while ")}.`
}
