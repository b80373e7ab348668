// What a chart shows beside its lines: the best and what cannot be told apart from it, labels, the lane of marks.
import {figure} from "./format.js"
import {colours, faded} from "./chart.js"
import {SHAPES, WHO} from "./verdict.js"

const FONT = '"Inter", system-ui, sans-serif'

function pen(u) {
	const r = devicePixelRatio || 1, {ctx, bbox} = u
	const X = v => u.valToPos(v, "x", true), Y = v => u.valToPos(v, "y", true)
	const line = (points, colour, width, dash = []) => {
		ctx.save(); ctx.beginPath(); ctx.strokeStyle = colour; ctx.lineWidth = width * r; ctx.setLineDash(dash.map(n => n * r))
		points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)))
		ctx.stroke(); ctx.restore()
	}
	const text = (words, x, y, colour, align = "center", weight = 400) => {
		ctx.save(); ctx.font = `${weight} ${11 * r}px ${FONT}`; ctx.textAlign = align; ctx.textBaseline = "alphabetic"; ctx.lineJoin = "round"
		const width = ctx.measureText(words).width
		if (align === "center") x = within(x, width / 2)
		ctx.strokeStyle = colours().surface; ctx.lineWidth = 4 * r; ctx.strokeText(words, x, y); ctx.fillStyle = colour; ctx.fillText(words, x, y)
		ctx.restore()
		return width
	}
	const shape = (draw, fill, stroke, width = 1.5) => {
		ctx.save(); ctx.beginPath(); draw(ctx)
		if (fill) {ctx.fillStyle = fill; ctx.fill()}
		if (stroke) {ctx.strokeStyle = stroke; ctx.lineWidth = width * r; ctx.stroke()}
		ctx.restore()
	}
	// A sign of the page's own, drawn in a box of some units, so many pixels wide.
	const sign = (d, box, size, x, y, colour) => {
		const path = new Path2D(d)
		ctx.save(); ctx.translate(x, y); ctx.scale(size * r / box, size * r / box); ctx.translate(-box / 2, -box / 2)
		ctx.strokeStyle = colours().surface; ctx.lineWidth = 2; ctx.stroke(path); ctx.fillStyle = colour; ctx.fill(path); ctx.restore()
	}
	const inside = x => x >= bbox.left - r && x <= bbox.left + bbox.width + r
	const within = (x, half) => Math.max(half + 2 * r, Math.min(u.ctx.canvas.width - half - 2 * r, x))
	return {r, ctx, X, Y, line, text, shape, sign, inside, left: bbox.left, right: bbox.left + bbox.width, top: bbox.top, bottom: bbox.top + bbox.height}
}

function behind(u, chart) {
	const {best} = chart.facts, c = colours(), p = pen(u)
	if (!best) return
	const [from, to] = best.indistinguishable_from || [best.step, best.step]
	const x0 = Math.max(p.left, p.X(from)), x1 = Math.min(p.right, p.X(to))
	if (x1 < p.left || x0 > p.right) return
	p.ctx.fillStyle = faded(c.val, 0.07)
	p.ctx.fillRect(x0, p.top, Math.max(x1 - x0, 0), p.bottom - p.top)
	p.line([[Math.max(p.left, x0 - p.r), p.bottom], [Math.min(p.right, x1 + p.r), p.bottom]], c.val, 2.5)
}

function front(u, chart) {
	const c = colours(), p = pen(u), {best} = chart.facts
	if (best) drawBest(p, c, chart)
	drawSince(p, c, chart)
	drawBroken(p, c, chart)
	drawEnds(p, c, chart)
	if (chart.facts.markers) drawLane(p, c, chart, u)
}

function drawBest(p, c, {facts: {best, xs}}) {
	const x = p.X(best.step), y = Math.min(p.bottom, Math.max(p.top, p.Y(best.value)))
	if (!p.inside(x)) return
	if (best.step < xs[xs.length - 1]) p.line([[x, y], [p.right, y]], c.val, 1, [1.5, 3.5])
	p.line([[x, y + 6 * p.r], [x, p.bottom]], c.val, 1)
	p.shape(ctx => ctx.arc(x, y, 4.5 * p.r, 0, 7), c.surface, c.val, 2)
	const [from, to] = best.indistinguishable_from || [best.step, best.step]
	p.text(`best ${figure(best.value)} at ${figure(best.step)}`, x, p.top - 22 * p.r, c.val, "center", 550)
	if (to > from) p.text(`${figure(from)}–${figure(to)} cannot be told apart`, (p.X(from) + p.X(to)) / 2, p.top - 8 * p.r, c.ink3)
}

function drawSince(p, c, {facts: {since, xs, verdictWord, family, paint}, smooth}) {
	if (since == null) return
	const i = xs.findIndex(x => x >= since), x = p.X(since)
	if (i < 0 || !p.inside(x) || smooth[i] === null) return
	const y = Math.max(p.top + 40 * p.r, Math.min(p.bottom, p.Y(smooth[i])))
	p.line([[x, y - 7 * p.r], [x, y - 27 * p.r]], c[paint], 1.2)
	p.text(`${verdictWord.toLowerCase()} since ${figure(since)}`, x, y - 32 * p.r, c[family], "start", 550)
}

function drawBroken(p, c, {facts: {xs, value}}) {
	value.forEach((y, i) => {
		const before = value[i - 1]
		if (y === null || Number.isFinite(y) || (i && before !== null && !Number.isFinite(before)) || !p.inside(p.X(xs[i]))) return
		p.sign(SHAPES.oct, 16, 11, p.X(xs[i]), p.bottom, c.red)
	})
}

function drawEnds(p, c, {facts, smooth, smoothTrain, facts: {xs, value, train, name, trainName}}) {
	const lastOf = ys => {for (let i = ys.length - 1; i >= 0; i -= 1) if (Number.isFinite(ys[i])) return i; return -1}
	const painted = facts.since != null && c[facts.family]
	const ends = [[smooth, value, name, painted ? c[facts.paint] : c.val, painted || c.val], [smoothTrain, train, trainName, c.train, c.ink2]]
		.filter(([ys, raw]) => raw && lastOf(ys) >= 0)
		.map(([ys, , label, dot, ink]) => {const i = lastOf(ys); return {x: p.X(xs[i]), y: p.Y(ys[i]), label, dot, ink, value: ys[i]}})
		.filter(end => p.inside(end.x) && end.y >= p.top - 12 * p.r && end.y <= p.bottom + 12 * p.r)
	const roomy = p.right + 60 * p.r < p.ctx.canvas.width
	ends.forEach(end => p.shape(ctx => ctx.arc(end.x, end.y, 3 * p.r, 0, 7), end.dot))
	if (!roomy) return
	const ys = ends.map(end => end.y)
	if (ys.length === 2 && Math.abs(ys[0] - ys[1]) < 26 * p.r) {
		const middle = (ys[0] + ys[1]) / 2, up = ys[0] <= ys[1] ? 0 : 1
		ys[up] = middle - 14 * p.r; ys[1 - up] = middle + 14 * p.r
	}
	ends.forEach((end, i) => {
		p.text(figure(end.value), end.x + 9 * p.r, ys[i] - p.r, end.ink, "start", 550)
		p.text(end.label.length > 13 ? `${end.label.slice(0, 12)}…` : end.label, end.x + 9 * p.r, ys[i] + 13 * p.r, c.ink3, "start")
	})
}

const DRAWN = {
	checkpoint: (p, c, x, y) => p.shape(ctx => ctx.rect(x - 3 * p.r, y - 3 * p.r, 6 * p.r, 6 * p.r), c.surface, c.edge, 1.3),
	attempt: (p, c, x, y) => p.line([[x, y - 4 * p.r], [x, y + 4 * p.r]], c.ink3, 1.5),
}

function drawLane(p, c, chart, u) {
	const y = p.bottom + 34 * p.r, isNarrow = p.right + 60 * p.r >= p.ctx.canvas.width
	p.line([[p.left, y], [p.right, y]], c.line, 1)
	chart.places = []
	let free = -Infinity
	for (const marker of [...chart.facts.markers].sort((a, b) => a.step - b.step || (a.kind === "checkpoint" ? -1 : 1))) {
		const x = p.X(marker.step)
		if (!p.inside(x)) continue
		if (marker.isDeed) p.line([[x, p.top], [x, y - 6 * p.r]], faded(c.ink3, marker.isLit ? 1 : 0.55), marker.isLit ? 1.6 : 1, [2, 3]);
		const drawn = DRAWN[marker.kind]
		if (drawn) drawn(p, c, x, y)
		else p.sign(WHO[marker.kind] || WHO.program, 11, 13, x, y, c.ink)
		chart.places.push({x: x / p.r - u.bbox.left / p.r, marker})
		if (marker.label && !isNarrow && x > free) free = Math.max(x, p.left + 30 * p.r) + p.text(marker.label, Math.max(x, p.left + 30 * p.r), y + 19 * p.r, c.ink2) + 10 * p.r
	}
}

export const marks = {behind, front}
