// Keys: the view's own first, then the ones that go somewhere. Off while somebody types.
import {button, byId, fill, h, table} from "./dom.js"

const GOES = {o: "#/", d: "#/decisions", m: "#/models", s: "#/services", h: "#/hosts"}
const ALL = [
	["j k", "move"], ["Enter", "open"], ["u", "up"], ["x", "select"], ["c", "compare selected"], ["/", "find"], ["n", "new operation"],
	["g then o d m s h", "go to a view"], ["s", "stop"], ["p", "pause or resume"], ["t", "tune"], ["b", "branch"], [".", "checkpoint"], ["a r", "approve, reject"],
	["l", "log axis"], ["f", "full range"], ["[ ]", "smoothing"], ["← →", "crosshair, with Shift by mark"], ["0", "reset zoom"], ["v", "table of the chart"], ["w", "focus the banner"], ["d", "rows closer together"], ["Esc", "close, clear"], ["?", "this list"],
]
let going = false

export function keys(event, view) {
	if (event.ctrlKey || event.metaKey || event.altKey) return
	if (event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return
	if (localStorage["tutelage.keys"] === "off" && event.key.length === 1 && event.key !== "?") return
	if (going) {
		going = false
		if (GOES[event.key]) location.hash = GOES[event.key]
		return
	}
	if (event.key === "g") {going = true; setTimeout(() => {going = false}, 1500); return}
	const action = view?.keys?.[event.key] || {n: () => {location.hash = "#/new"}, u: () => {location.hash = "#/"}, d: closer, "?": showAll}[event.key]
	if (!action) return
	if (action(event) !== false) event.preventDefault()
}

function closer() {
	const {dataset} = document.documentElement
	dataset.rows = dataset.rows === "close" ? "" : "close"
	localStorage.setItem("tutelage.rows", dataset.rows)
}

export function showAll() {
	const dialog = byId("dialog")
	const isOn = h("input", {type: "checkbox", checked: localStorage["tutelage.keys"] !== "off", onchange: event => localStorage.setItem("tutelage.keys", event.target.checked ? "on" : "off")})
	fill(dialog, h("h2", {id: "dialog-title"}, "Keys"), table("Keys", ["Key", "Does"], ALL.map(([key, does]) => [h("kbd", key), does])),
		h(".row2", h("label", isOn, " keys of one letter act"), button("Close", () => dialog.close())))
	dialog.showModal()
}
