// Small curves.
import {h, svg} from "./dom.js"
import {figure, number} from "./format.js"
import {face} from "./verdict.js"

const W = 128, H = 30

// Where points lie in a picture that ends at a step.
function frame(points, last, {width, height, side, top}) {
	const ys = points.map(([, y]) => y), low = Math.min(...ys), high = Math.max(...ys), first = points[0]?.[0]
	const X = x => side + ((x - first) / (last - first || 1)) * (width - 2 * side), Y = y => top + ((high - y) / (high - low || 1)) * (height - 2 * top)
	return {X, Y, path: some => some.map(([x, y], i) => `${i ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("")}
}

// That of a row: the judged metric over the whole budget; the empty right part is what remains.
export function spark(operation, shown) {
	const {spark: curve, best} = operation.metrics
	const points = (curve?.points || []).map(([x, y]) => [x, number(y)]).filter(([, y]) => Number.isFinite(y))
	if (points.length < 2) return null
	const {progress, assessment, metrics} = operation
	const last = points[points.length - 1][0]
	const total = progress.unit === metrics.unit && curve.scope === "" && progress.total > last && !operation.ended_at ? progress.total : last
	const first = points[0][0], {X, Y, path} = frame(points, total, {width: W, height: H, side: 3, top: 4})
	const since = operation.state === "running" && ["red", "amber", "violet"].includes(face(shown)[1]) ? assessment?.since_step : null
	const painted = since == null ? [] : points.filter(([x]) => x >= since)
	const ring = best && best.metric === curve.metric && curve.scope === "" ? [best.step, number(best.value)] : null
	return svg("svg.spark", {width: W, height: H, viewBox: `0 0 ${W} ${H}`, "aria-hidden": "true"},
		svg("path.floor", {d: `M3 ${H - 1.5}H${W - 3}`}),
		svg("path.curve", {d: path(points)}),
		painted.length > 1 ? svg("path", {class: `painted ${face(shown)[1]}`, d: path(painted)}) : null,
		ring && ring[0] >= first ? svg("circle.best", {cx: X(ring[0]), cy: Math.min(H - 3, Math.max(3, Y(ring[1]))), r: 2.4}) : null)
}

// A small multiple: latest value, raw line, the best step as a hairline; a click swaps it into the large chart.
export function mini(name, xs, ys, bestStep, onclick) {
	const points = xs.map((x, i) => [x, ys[i]]).filter(([, y]) => Number.isFinite(y)), {X, path} = frame(points, xs.at(-1), {width: 220, height: 54, side: 1, top: 5})
	return h("button.mini", {type: "button", onclick, title: "show it large"}, h("span.t", h("span", name), h("b", figure(points.at(-1)?.[1]))),
		points.length < 2 ? null : svg("svg", {viewBox: "0 0 220 54", preserveAspectRatio: "none", "aria-hidden": "true"}, bestStep == null ? null : svg("path.at", {d: `M${X(bestStep)} 2V52`}), svg("path.curve", {d: path(points)})))
}
