// Numbers, durations and times as text; a missing value is blank.
const MINUS = "−"
const NAMES = {nan: NaN, inf: Infinity, "-inf": -Infinity}

export const number = value => (typeof value === "string" ? NAMES[value] ?? NaN : value)

export function figure(given, digits = 4) {
	if (given == null) return ""
	const value = number(given)
	if (Number.isNaN(value)) return "nan"
	if (!Number.isFinite(value)) return value < 0 ? `${MINUS}inf` : "inf"
	const size = Math.abs(value)
	if (size >= 1e9) return sign(value.toExponential(2).replace(/\.?0*e\+/, "e"))
	if (Number.isInteger(value) || size >= 10 ** digits) return sign(Math.round(value).toLocaleString("en-US"))
	if (size < 1e-3) return sign(value.toExponential(1))
	const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size)))
	return sign(value.toFixed(places))
}

const sign = text => text.replace(/-/g, MINUS)

export const difference = value => (value < 0 ? "" : "+") + figure(value, 2)
export const percent = fraction => `${Math.round(fraction * 100)} %`

export function duration(seconds) {
	if (seconds == null) return ""
	const s = Math.max(0, seconds)
	if (s < 60) return `${Math.round(s)} s`
	if (s < 3600) return `${Math.floor(s / 60)} min${s < 600 && s % 60 >= 1 ? ` ${Math.floor(s % 60)} s` : ""}`
	if (s < 86400) return `${Math.floor(s / 3600)} h${Math.floor((s % 3600) / 60) ? ` ${Math.floor((s % 3600) / 60)} min` : ""}`
	return `${Math.floor(s / 86400)} d`
}

export function left(seconds) {
	return seconds > 120 ? `${duration(Math.round(seconds / 60) * 60)} left` : `${duration(seconds)} left`
}

export function age(at) {
	const s = Math.max(0, (Date.now() - Date.parse(at)) / 1000)
	if (s < 60) return `${Math.round(s)} s`
	if (s < 3600) return `${Math.round(s / 60)} min`
	return s < 86400 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`
}

export const took = (from, to) => duration((Date.parse(to) - Date.parse(from)) / 1000)

export function bytes(count) {
	if (count == null) return ""
	const units = ["B", "KiB", "MiB", "GiB", "TiB"]
	let size = count, unit = 0
	while (size >= 1024 && unit < 4) {size /= 1024; unit += 1}
	return `${unit ? figure(size, 3) : size} ${units[unit]}`
}

export function count(n, one, many) {
	const words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]
	return `${words[n] ?? n.toLocaleString("en-US")} ${n === 1 ? one : many}`
}

export function value(given) {
	if (given == null) return "none"
	if (typeof given === "number") return sign(String(given))
	return typeof given === "string" ? given : JSON.stringify(given)
}

export const capped = (text, limit = 400) => (text.length > limit ? `${text.slice(0, limit)}…` : text)
export const nameOf = op => op.name || short(op.id)
export const short = id => `…${id.slice(-6)}`
