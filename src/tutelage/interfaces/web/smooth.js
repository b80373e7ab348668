// Centred smoothing: local-linear with Gaussian weights; a running average would shift a minimum.
// Where a wide window departs from a narrow one by more than the noise, it bends a real curve, and the narrow one counts.
export function smoothed(xs, ys, strength) {
	const span = xs.length ? xs[xs.length - 1] - xs[0] : 0
	const known = []
	ys.forEach((y, i) => {if (Number.isFinite(y)) known.push(i)})
	if (!strength || known.length < 5 || !span) return ys
	const widest = span * 0.06 * strength, noise = noiseOf(known.map(i => ys[i]))
	return [widest / 16, widest / 4, widest].map(width => local(xs, ys, known, width))
		.reduce((narrow, wide) => narrow.map((y, i) => (y === null ? null : y + (wide[i] - y) / (1 + (Math.abs(wide[i] - y) / (1.5 * noise + 1e-300)) ** 4))))
}

// On a log axis what is seen is the logarithm, so that is smoothed.
export function evened(xs, ys, strength, isLog) {
	const through = (of, some) => some.map(y => (y === null ? null : of(y)))
	return isLog ? through(Math.exp, smoothed(xs, through(Math.log, ys), strength)) : smoothed(xs, ys, strength)
}

// A value's noise from second differences: a straight or gently bent curve has none.
function noiseOf(values) {
	const bends = values.slice(2).map((y, i) => Math.abs(y - 2 * values[i + 1] + values[i])).sort((a, b) => a - b)
	return (1.4826 * bends[Math.floor(bends.length / 2)]) / Math.sqrt(6)
}

function local(xs, ys, known, width) {
	const out = ys.map(() => null)
	let from = 0
	known.forEach(i => {
		while (xs[i] - xs[known[from]] > 3 * width) from += 1
		let w0 = 0, w1 = 0, w2 = 0, m0 = 0, m1 = 0
		for (let k = from; k < known.length; k += 1) {
			const j = known[k], u = (xs[j] - xs[i]) / width
			if (u > 3) break
			const w = Math.exp(-0.5 * u * u)
			w0 += w; w1 += w * u; w2 += w * u * u; m0 += w * ys[j]; m1 += w * u * ys[j]
		}
		const d = w0 * w2 - w1 * w1
		out[i] = d > 1e-9 ? (w2 * m0 - w1 * m1) / d : m0 / w0
	})
	return out
}

// From the lowest value to the 85th percentile of the last 90 %: a fall from 10 does not flatten the end.
export function focusRange(xs, columns, isUp) {
	if (!xs.length) return [0, 1]
	const begin = xs[0] + 0.1 * (xs[xs.length - 1] - xs[0]), late = [], all = []
	for (const ys of columns) ys.forEach((y, i) => {if (Number.isFinite(y)) {all.push(y); if (xs[i] >= begin) late.push(y)}})
	if (!all.length) return [0, 1]
	late.sort((a, b) => a - b)
	let low = isUp ? late[Math.floor(0.15 * (late.length - 1))] : late[0], high = isUp ? late[late.length - 1] : late[Math.ceil(0.85 * (late.length - 1))]
	if (high === low) {high += Math.abs(high) * 0.1 || 1; low -= Math.abs(low) * 0.1 || 1}
	const room = 0.08 * (high - low)
	return [low - room, high + room]
}

export function fullRange(columns, isLog) {
	const all = columns.flat().filter(y => Number.isFinite(y) && (!isLog || y > 0))
	if (!all.length) return [isLog ? 0.1 : 0, 1]
	let low = all[0], high = all[0]
	for (const y of all) {if (y < low) low = y; if (y > high) high = y}
	if (low === high) {high += Math.abs(high) * 0.1 || 1; low -= isLog ? 0.1 * low : Math.abs(low) * 0.1 || 1}
	return isLog ? [low / 1.1, high * 1.1] : [low - 0.05 * (high - low), high + 0.05 * (high - low)]
}
