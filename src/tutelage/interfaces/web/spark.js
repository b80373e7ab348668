// The small curve of a row: the judged metric over the whole budget; the empty right part is what remains.
import {svg} from "./dom.js"
import {number} from "./format.js"
import {face} from "./verdict.js"

const W = 128, H = 30

export function spark(operation, shown) {
	const {spark: curve, best} = operation.metrics
	const points = (curve?.points || []).map(([x, y]) => [x, number(y)]).filter(([, y]) => Number.isFinite(y))
	if (points.length < 2) return null
	const {progress, assessment, metrics} = operation
	const last = points[points.length - 1][0]
	const total = progress.unit === metrics.unit && curve.scope === "" && progress.total > last && !operation.ended_at ? progress.total : last
	const ys = points.map(([, y]) => y).sort((a, b) => a - b), first = points[0][0]
	const [low, high] = [ys[0], ys[ys.length - 1]]
	const X = x => 3 + ((x - first) / (total - first || 1)) * (W - 6), Y = y => 4 + ((high - y) / (high - low || 1)) * (H - 8)
	const path = some => some.map(([x, y], i) => `${i ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("")
	const since = operation.state === "running" && ["red", "amber", "violet"].includes(face(shown)[1]) ? assessment?.since_step : null
	const painted = since == null ? [] : points.filter(([x]) => x >= since)
	const ring = best && best.metric === curve.metric && curve.scope === "" ? [best.step, number(best.value)] : null
	return svg("svg.spark", {width: W, height: H, viewBox: `0 0 ${W} ${H}`, "aria-hidden": "true"},
		svg("path.floor", {d: `M3 ${H - 1.5}H${W - 3}`}),
		svg("path.curve", {d: path(points)}),
		painted.length > 1 ? svg("path", {class: `painted ${face(shown)[1]}`, d: path(painted)}) : null,
		ring && ring[0] >= first ? svg("circle.best", {cx: X(ring[0]), cy: Math.min(H - 3, Math.max(3, Y(ring[1]))), r: 2.4}) : null)
}
