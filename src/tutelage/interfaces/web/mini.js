// A small multiple: latest value, raw line, the best step as a hairline; a click swaps it into the large chart.
import {h, svg} from "./dom.js"
import {figure} from "./format.js"

const W = 220, H = 54

export function mini(name, xs, ys, bestStep, onclick) {
	const points = xs.map((x, i) => [x, ys[i]]).filter(([, y]) => y !== null && Number.isFinite(y))
	const values = points.map(([, y]) => y), low = Math.min(...values), high = Math.max(...values), [x0, x1] = [xs[0], xs[xs.length - 1]]
	const X = x => 1 + ((x - x0) / (x1 - x0 || 1)) * (W - 2), Y = y => 5 + ((high - y) / (high - low || 1)) * (H - 10)
	return h("button", {type: "button", class: "mini", onclick, title: "show it large"}, h("span.t", h("span", name), h("b", figure(values.at(-1)))),
		points.length < 2 ? null : svg("svg", {viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", "aria-hidden": "true"}, bestStep === undefined ? null : svg("path.at", {d: `M${X(bestStep)} 2V${H - 2}`}),
			svg("path.curve", {d: points.map(([x, y], i) => `${i ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("")})))
}
