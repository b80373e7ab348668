// One stream for all views: it tells that something was stored, and comes back by itself when cut.
import {button, byId, fill, h} from "./dom.js"
import {count, duration} from "./format.js"

const FIRST_S = 1, LAST_S = 8
const state = {source: null, cursor: null, cutAt: null, wait: FIRST_S, nextAt: 0, timer: null, listener: null}
const strip = byId("recon")
const light = byId("live")

export const onChange = listener => {state.listener = listener}

// Runs at most once in so many milliseconds, and once more after the last call.
export function seldom(act, ms) {
	let timer = null, last = -Infinity
	return () => {timer ??= setTimeout(() => {timer = null; last = performance.now(); act()}, Math.max(0, last + ms - performance.now()))}
}
export const isLive = () => state.cutAt === null

export function connect() {
	clearTimeout(state.timer)
	if (state.source) state.source.close()
	const source = new EventSource("/api/v1/changes")
	state.source = source
	source.onmessage = message => told(JSON.parse(message.data).cursor)
	source.onerror = () => {source.close(); lost()}
}

function told(cursor) {
	const missed = Number(cursor) - Number(state.cursor || cursor)
	if (state.cutAt !== null) caughtUp(missed)
	const isFirst = state.cursor === null
	Object.assign(state, {cursor, cutAt: null, wait: FIRST_S})
	light.className = "live"
	light.lastChild.textContent = "Live"
	// The first view was asked for just before: only what came between is missing.
	setTimeout(state.listener, isFirst ? 500 : 0)
}

function caughtUp(missed) {
	document.body.classList.remove("off")
	fill(strip, `Caught up: ${count(missed, "event", "events").toLowerCase()}, nothing missing.`)
	strip.className = "recon back"
	setTimeout(() => {if (isLive()) strip.hidden = true}, 3000)
}

function lost() {
	state.cutAt ??= Date.now()
	state.nextAt = Date.now() + state.wait * 1000
	state.timer = setTimeout(connect, state.wait * 1000)
	state.wait = Math.min(LAST_S, state.wait * 2)
	light.className = "live cut"
	light.lastChild.textContent = "Not live"
	document.body.classList.add("off")
	say()
}

function say() {
	if (isLive()) return
	const silent = (Date.now() - state.cutAt) / 1000
	strip.hidden = silent < 0.5
	strip.className = "recon"
	const next = Math.max(0, (state.nextAt - Date.now()) / 1000)
	const sentence = `The supervisor has not answered for ${duration(silent)}. Training goes on without it. What you see is from ${new Date(state.cutAt).toLocaleTimeString("en-GB")}; buttons work again once connected. Next try in ${duration(next)}.`
	if (!strip.querySelector("button")) fill(strip, h("b", "Reconnecting. "), h("span", {"aria-hidden": "true"}), button("Try now", connect, "sm"))
	strip.querySelector("span").textContent = sentence
}
setInterval(say, 1000)
