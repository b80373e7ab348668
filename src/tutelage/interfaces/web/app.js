// Routes: the address after # chooses a view; the view draws itself, and again when something was stored.
import {Problem, session} from "./api.js"
import {button, byId, fill, h} from "./dom.js"
import {keys} from "./keys.js"
import {connect, onChange} from "./live.js"

const VIEWS = ["", "op", "compare", "new", "decisions", "models", "services", "hosts"]
const FILES = {"": "operations", op: "operation"}
const main = byId("main")
let view = null, turn = 0

function address() {
	const [path, query] = location.hash.replace(/^#\/?/, "").split("?")
	const [name, ...rest] = path.split("/")
	return {name, argument: decodeURIComponent(rest.join("/")), query: new URLSearchParams(query || "")}
}

async function route() {
	const mine = ++turn, {name, argument, query} = address()
	if (view) view.close?.()
	view = null
	markTab(name)
	byId("dialog").close()
	fill(main)
	const skeleton = setTimeout(() => fill(main, h(".skeleton", {"aria-hidden": "true"}, [..."123456"].map(() => h("i")))), 300)
	try {
		if (!VIEWS.includes(name)) throw new Problem({detail: `There is no view ${name}.`, hint: "The views stand at the top."}, 404)
		const module = await import(`./${FILES[name] ?? name}.js`)
		const opened = await module.open({argument, query})
		if (mine !== turn) return opened.close?.()
		view = opened
		fill(main, opened.element)
		opened.shown?.()
		main.focus({preventScroll: true})
		scrollTo(0, 0)
	} catch (error) {
		if (mine === turn) fill(main, failed(error))
		return error.status
	} finally {
		clearTimeout(skeleton)
	}
	return 0
}

function failed(error) {
	if (!(error instanceof Problem)) console.error(error)
	const signedOut = error.status === 401
	return h("section.problem", {role: "alert"},
		h("h1", signedOut ? "You are not signed in" : "This part could not be shown"),
		h("p", signedOut ? "A login link works once, and a session ends after a week. `tutelage serve` prints a new link." : error.message),
		error.hint && !signedOut ? h("p.mut", error.hint) : null, button("Try again", route))
}

function markTab(name) {
	for (const link of document.querySelectorAll("#views a")) {
		const target = link.hash.replace(/^#\/?/, "")
		const here = target === name || (target === "" && ["op", "compare", "new"].includes(name))
		if (here) link.setAttribute("aria-current", "page")
		else link.removeAttribute("aria-current")
	}
}

function themed(theme) {
	document.documentElement.dataset.theme = theme
	byId("theme").textContent = theme === "dark" ? "Light" : "Dark"
	view?.themed?.()
}

// At most ten repaints a second, fewer where a view says so, and rest half of the time; none in a hidden tab.
let waiting = false, stale = false, isPressed = false
async function refresh() {
	if (waiting || isPressed || document.hidden || !view) {stale = true; return}
	waiting = true
	stale = false
	const began = performance.now()
	try {
		await view.update?.()
	} catch (error) {
		if (error.status === 401) fill(main, failed(error))
		else if (!(error instanceof Problem)) console.error(error)
	}
	const took = performance.now() - began
	setTimeout(() => {waiting = false; if (stale) refresh()}, Math.max((view?.restMs ?? 100) - took, took))
}

const {principal, scope} = session()
if (principal) byId("who").textContent = `${principal.name} · ${scope === "read" ? "signed in to read only" : scope}`
byId("theme").addEventListener("click", () => {
	const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark"
	localStorage.setItem("tutelage.theme", next)
	themed(next)
})
themed(document.documentElement.dataset.theme)
onChange(refresh)
document.addEventListener("visibilitychange", () => {if (!document.hidden) refresh()})
// Nothing is replaced between press and release: a button that went would hear no click.
addEventListener("pointerdown", () => {isPressed = true})
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => {isPressed = false; if (stale) refresh()}))
addEventListener("hashchange", route)
document.addEventListener("keydown", event => keys(event, view))
if (await route() !== 401) connect()
