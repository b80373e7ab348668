// All operations, most urgent first: a row says and shows what is happening, and offers what to do.
import {get, mayAct} from "./api.js"
import {asking, commandsOf, openDialog, recommended} from "./commands.js"
import {bar, button, byId, chip, fill, h, heading, holds} from "./dom.js"
import {age, count, figure, left, nameOf, percent, took} from "./format.js"
import {showAll} from "./keys.js"
import {spark} from "./spark.js"
import {ENDED, LIVE, family, icon, shown, story, whoSign, word} from "./verdict.js"

const PAGE = 100, SHOWN_ENDED = 20, REST_MS = 10000, MOST = 5000
const FILTERS = {state: op => op.state, service: op => op.service, verdict: op => shown(op), owner: op => op.owner.name}
const SORTS = {
	name: op => (op.name || op.id).toLowerCase(), best: op => op.metrics.best?.value ?? Infinity,
	progress: op => -(op.progress.fraction ?? -1), age: op => -Date.parse(op.created_at), verdict: op => word(shown(op)),
}

export async function open({query}) {
	const model = {items: [], counts: {}, query, selected: new Set(), current: -1, isHeld: false, numEnded: SHOWN_ENDED, restAt: 0}
	model.head = h(".lhead")
	model.body = h(".tbl")
	model.bar = h(".selbar", {role: "region", "aria-label": "Selected operations", hidden: true})
	const hint = h("p.s.mut.desk.hint", [["j k", "move"], ["Enter", "open"], ["x", "select"], ["c", "compare"], ["/", "find"]].map(([key, does]) => [h("kbd", key), ` ${does}  `]), h("kbd", "?"), " ", button("all keys", showAll, "bare"))
	model.element = h(".ops", model.head, model.body, hint, model.bar)
	model.body.addEventListener("pointerenter", () => {model.isHeld = true})
	model.body.addEventListener("pointerleave", () => {model.isHeld = false; draw(model)})
	await load(model)
	return {element: model.element, update: () => load(model), restMs: 500, keys: keysOf(model), close: () => {document.title = "Tutelage"}}
}

// The first page holds what is urgent and new, with curves; the rest follows, every ten seconds.
async function load(model) {
	const first = await get(`/operations?limit=${PAGE}&spark=48`)
	const before = model.items.length, fresh = new Set(first.items.map(op => op.id))
	const total = Object.values(first.counts).reduce((sum, n) => sum + n, 0)
	Object.assign(model, {counts: first.counts, items: [...first.items, ...model.items.filter(op => !fresh.has(op.id))].slice(0, total)})
	if (before !== model.items.length || !model.isHeld) draw(model)
	else refreshRows(model)
	if (first.next_cursor && Date.now() - model.restAt > REST_MS) {
		model.restAt = Date.now()
		setTimeout(() => loadRest(model, first.next_cursor, fresh), 0)
	}
}

async function loadRest(model, cursor, fresh) {
	const rest = []
	for (let next = cursor; next && rest.length < MOST;) {
		const page = await get(`/operations?limit=500&cursor=${encodeURIComponent(next)}`)
		rest.push(...page.items.filter(op => !fresh.has(op.id)))
		next = page.next_cursor
	}
	model.items = [...model.items.filter(op => fresh.has(op.id)), ...rest]
	if (!model.isHeld) draw(model)
}

const toldBy = op => JSON.stringify(op) + age(op.created_at)

// While their order holds, and while the pointer is over the table, rows change in place.
function refreshRows(model) {
	const byId = new Map(model.items.map(op => [op.id, op]))
	for (const old of model.body.querySelectorAll("tr[data-id]")) {
		const op = byId.get(old.dataset.id)
		if (op && !holds(old) && old.told !== toldBy(op)) old.replaceWith(row(model, op))
	}
}

function chosen(model) {
	const text = (model.query.get("text") || "").toLowerCase()
	const tagged = op => [op.id, op.name, op.notes, ...Object.entries(op.tags).map(pair => pair.join("="))].join(" ").toLowerCase()
	return model.items.filter(op => tagged(op).includes(text)
		&& Object.entries(FILTERS).every(([name, of]) => !model.query.get(name) || of(op) === model.query.get(name)))
}

function grouped(model, items) {
	const sort = model.query.get("sort")
	if (sort && SORTS[sort]) {
		const of = SORTS[sort], turn = model.query.get("down") ? -1 : 1
		return [["All", [...items].sort((a, b) => (of(a) < of(b) ? -turn : of(a) > of(b) ? turn : 0)), ""]]
	}
	const needs = items.filter(op => op.attention), rest = items.filter(op => !op.attention)
	const groups = [["Needs you", needs], ["Running", rest.filter(op => LIVE.includes(op.state))],
		["Waiting", rest.filter(op => ["pending", "paused"].includes(op.state))]]
	const ended = rest.filter(op => ENDED.includes(op.state)).sort((a, b) => (a.ended_at < b.ended_at ? 1 : -1))
	for (const op of ended.slice(0, model.numEnded)) {
		const day = `Ended ${dayOf(op.ended_at)}`
		if (groups.at(-1)[0] !== day) groups.push([day, []])
		groups.at(-1)[1].push(op)
	}
	if (ended.length > model.numEnded) groups.push([`${ended.length - model.numEnded} more ended`, [], true])
	return groups.filter(([, some, more]) => some.length || more)
}

function dayOf(at) {
	const day = new Date(at || Date.now()).toDateString()
	if (day === new Date().toDateString()) return "today"
	return day === new Date(Date.now() - 86400e3).toDateString() ? "yesterday" : `on ${at.slice(0, 10)}`
}

function draw(model) {
	drawHead(model)
	drawBar(model)
	const needs = model.items.filter(op => op.attention).length
	document.title = needs ? `▲ ${needs} ${needs === 1 ? "needs" : "need"} you - Tutelage` : "Tutelage"
	if (model.items.length === 0) return fill(model.body, empty())
	const found = chosen(model)
	if (found.length === 0) return fill(model.body, nothingFound(model))
	const focused = document.activeElement?.closest?.("tr[data-id]")?.dataset.id, tag = document.activeElement?.tagName
	const groups = grouped(model, found)
	const order = JSON.stringify([[...model.query], groups.map(([name, some]) => [name, some.map(op => op.id)])])
	if (model.order === order && model.body.querySelector("table")) return refreshRows(model)
	model.order = order
	fill(model.body, h("table.ops", h("caption.sr", "Operations, most urgent first"), heads(model),
		groups.map(([name, some, more]) => h("tbody", {"aria-label": name},
			h("tr.grp", h("th", {colspan: 5, scope: "rowgroup"}, more
				? button(`Show ${name}`, () => {model.numEnded += 100; draw(model)}, "sm ghost") : [name, " ", h("span", String(some.length))])),
			some.map(op => row(model, op))))))
	return focused && model.body.querySelector(`tr[data-id="${focused}"] ${tag.toLowerCase()}`)?.focus()
}

function drawHead(model) {
	if (holds(model.head) && document.activeElement.tagName !== "BUTTON") return
	const needs = model.items.filter(op => op.attention).length, of = (...states) => states.reduce((n, state) => n + (model.counts[state] || 0), 0)
	const title = needs ? `${count(needs, "operation needs", "operations need")} you` : model.items.length ? "Nothing needs you" : "Operations"
	const rest = [[of(...LIVE), "running"], [of("pending", "paused"), "waiting"], [of(...ENDED), "ended"]].filter(([n]) => n).map(([n, name], i) => `${i ? count(n, "", "").trim().toLowerCase() : count(n, "", "").trim()} ${name}`)
	const select = (name, of_) => chip(name, [...new Set(model.items.map(of_))].sort().map(each => [each, name === "verdict" ? word(each) : each]), model.query.get(name), chosen => filtered(model, name, chosen))
	fill(model.head, heading(title, rest.length ? `${rest.join(", ")}.${needs ? " The rest can be left alone." : ""}` : ""),
		h(".filters", h("input.search", {id: "find", type: "search", placeholder: "Find by name, tag, id", "aria-label": "Find operations", value: model.query.get("text") || "", oninput: event => filtered(model, "text", event.target.value)}),
			Object.entries(FILTERS).map(([name, of_]) => select(name, of_)), mayAct() ? h("a.btn.pri", {href: "#/new"}, "New operation") : null))
}

function filtered(model, name, value) {
	if (value) model.query.set(name, value)
	else model.query.delete(name)
	history.replaceState(null, "", `#/${model.query.size ? `?${model.query}` : ""}`)
	draw(model)
}

function heads(model) {
	const sort = model.query.get("sort"), down = model.query.get("down")
	const head = (label, name, kind = "") => h("th", {scope: "col", class: kind, "aria-sort": sort === name ? (down ? "descending" : "ascending") : null},
		button(label, () => {model.query.delete("down"); if (sort === name && !down) model.query.set("down", "1"); filtered(model, "sort", sort === name && down ? "" : name)}, "bare"))
	return h("thead", h("tr", h("th", {scope: "col"}, h("span.sr", "select")), head("Operation", "name"), head("What is happening", "verdict"),
		h("th", {scope: "col"}, "Curve, best marked"), head("Best", "best", "num"), head("Progress", "progress"), head("Age", "age", "age"), h("th", {scope: "col"}, h("span.sr", "action"))))
}

function row(model, op) {
	const name = nameOf(op), show = shown(op), [sentence, detail] = story(op), {best, unit} = op.metrics
	const act = mayAct() ? recommended(op) : null
	const picked = h("input", {type: "checkbox", "aria-label": `Select ${name} to compare`, onchange: event => pick(model, op.id, event.target.checked)})
	picked.checked = model.selected.has(op.id)
	const {progress} = op, going = !ENDED.includes(op.state)
	const how = going ? [progress.fraction === null ? (progress.done ? `${figure(progress.done)} ${progress.unit}s` : "") : percent(progress.fraction), progress.eta_s ? left(progress.eta_s) : ""].filter(Boolean).join(" · ")
		: op.started_at && op.ended_at ? `${op.state === "completed" ? (op.stopped_early ? "stopped after" : "took") : `${word(op.state).toLowerCase()} after`} ${took(op.started_at, op.ended_at)}` : ""
	const made = h("tr", {class: `row ${family(show)}`, "data-id": op.id, onclick: event => {if (!event.target.closest("input,a,button")) location.hash = `#/op/${op.id}`}},
		h("td.pick", picked),
		h("th", {scope: "row", class: "nmw"}, h(".two-up", icon(show, 18), h(".min0", h("a.nm", {href: `#/op/${op.id}`, title: name}, name),
			h(".sub", op.service, " ", whoSign(op.owner.kind, 8), " ", op.owner.name)))),
		h("td.why", h(".st", h("span.vw", word(show)), " ", sentence), h(".d", [detail, pending(op)].filter(Boolean).join(" "))),
		h("td.spk", spark(op, show)),
		h("td.num", best ? [h("b", figure(best.value)), h(".d", {title: best.metric}, `at ${unit === "step" ? "" : `${unit} `}${figure(best.step)}`)] : null),
		h("td.prog", h(".d", how), going && progress.fraction !== null ? bar(progress.fraction, `Progress of ${name}`) : null),
		h("td.age.d", {title: op.created_at}, age(op.created_at)),
		h("td.act", act ? asking(op, act, "sm") : null))
	made.told = toldBy(op)
	return made
}

const pending = op => (op.policy.pending ? `Policy: ${op.policy.pending.do}, held ${op.policy.pending.held} of ${op.policy.pending.hold}.` : "")

function pick(model, id, on) {
	if (on) model.selected.add(id)
	else model.selected.delete(id)
	drawBar(model)
}

function drawBar(model) {
	const ids = [...model.selected], n = ids.length
	model.bar.hidden = n < 1
	const stoppable = model.items.filter(op => model.selected.has(op.id) && commandsOf(op).includes("stop"))
	fill(model.bar, h("span", `${n} selected`), n > 1 && n <= 8 ? h("a.btn", {href: `#/compare/${ids.join(",")}`}, `Compare ${n}`) : h("span", n > 8 ? "compare takes eight at most" : "pick one more to compare"),
		stoppable.length && mayAct() ? button(`Stop ${stoppable.length}…`, () => openDialog(stoppable[0], {verb: "stop"}, stoppable)) : null,
		button("Clear", () => {model.selected.clear(); model.order = null; draw(model)}))
}

function keysOf(model) {
	const rows = () => [...model.body.querySelectorAll("tr[data-id]")]
	const move = by => () => {
		const all = rows()
		if (!all.length) return
		model.current = Math.max(0, Math.min(all.length - 1, model.current + by))
		all.forEach((each, i) => each.classList.toggle("cur", i === model.current))
		all[model.current].scrollIntoView({block: "nearest"})
		all[model.current].querySelector("a").focus({preventScroll: true})
	}
	const here = act => () => {const at = rows()[model.current]; if (at) act(at, model.items.find(op => op.id === at.dataset.id))}
	return {
		j: move(1), k: move(-1), ArrowDown: move(1), ArrowUp: move(-1), x: here(at => at.querySelector("input").click()),
		Enter: event => {if (event.target.matches("a,button,input")) return false; here(at => {location.hash = `#/op/${at.dataset.id}`})(); return true},
		c: () => {if (model.selected.size > 1) location.hash = `#/compare/${[...model.selected].join(",")}`}, "/": () => byId("find").focus(),
		s: here((at, op) => {if (mayAct() && commandsOf(op).includes("stop")) openDialog(op, {verb: "stop"})}),
		Escape: () => {model.query = new URLSearchParams(); model.selected.clear(); model.order = null; filtered(model, "sort", "")},
	}
}

const nothingFound = model => h(".empty", h("p", `No operation matches. ${model.items.length} are hidden by: ${[...model.query].map(pair => pair.join(" = ")).join(", ")}`),
	button("Clear", () => {model.query = new URLSearchParams(); filtered(model, "text", "")}))

const empty = () => h(".empty", h("h2", "Nothing has been trained here yet."), h("p", "Three ways to begin:"),
	h("ul", h("li", h("a", {href: "#/new"}, "New operation"), ", here"), h("li", h("code", "tutelage demo"), ", a first run in the terminal"),
		h("li", h("code", "tutelage run -- python train.py"), ", your own script; three lines in it report its metrics")))
