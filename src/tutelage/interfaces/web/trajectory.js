// An episode as a moving picture: the scene of each step, and what is said in it.
import {button, fill, h, svg} from "./dom.js"

export function player({frames}) {
	const [left, bottom, right, top] = frames[0].scene.bounds, size = (top - bottom) / 28, last = frames.length - 1
	const words = (text, x, y) => svg("text", {x, y: -y, fill: "currentColor", "font-size": size, "text-anchor": "middle"}, text)
	const drawn = ({kind, x, y, r = 0, x2, y2, w = 0, h: tall, color, label, text}) => {
		const d = {circle: `M${x - r} ${-y}a${r} ${r} 0 0 1 ${2 * r} 0a${r} ${r} 0 0 1 ${-2 * r} 0`, box: `M${x} ${-y}h${w}v${-tall}h${-w}z`, line: `M${x} ${-y}L${x2} ${-y2}`}[kind]
		return [svg("path", {d, fill: `var(--${color})`, stroke: `var(--${color})`, "stroke-width": size / 8}), words(label ?? text, x + w / 2, y - (label ? r + size : 0))]
	}
	const picture = svg("svg", {viewBox: `${left} ${-top} ${right - left} ${top - bottom}`, role: "img"}), said = h("p.note")
	const play = button("Play", () => go(!timer), "sm"), at = h("input", {type: "range", max: last, value: 0, "aria-label": "Step", oninput: () => {go(); show(0)}})
	let timer
	function show(by) {
		at.value = +at.value + by
		const {step, scene: {shapes}, messages} = frames[at.value]
		fill(picture, shapes.map(drawn), messages.map(({from, word}) => shapes.filter(({label}) => label === from).map(({x, y, r = 0}) => words(`“${word}”`, x, y + r + size / 3))))
		said.textContent = `step ${step}: ${messages.map(({from, to, word}) => `${from} says ${word} to ${to.join(", ")}`).join("; ") || "nothing is said"}`
		picture.setAttribute("aria-label", said.textContent)
		if (at.value >= last || !picture.isConnected) go()
	}
	function go(on) {
		clearInterval(timer)
		if (on && at.value >= last) at.value = 0
		timer = on && setInterval(show, 150, 1)
		play.textContent = on ? "Pause" : "Play"
	}
	show(0)
	go(!matchMedia("(prefers-reduced-motion: reduce)").matches)
	return [picture, h(".row2", play, at), said]
}
