// The cards under the chart: each tab loads when it is opened, and again while it is open.
import {fileOf, get} from "./api.js"
import {button, copy, fill, h, table} from "./dom.js"
import {age, bytes, capped, figure, value} from "./format.js"
import {mini} from "./spark.js"
import {icon, ofFinding, shown, word} from "./verdict.js"

const CHECKS = {H001: "Overfitting", H002: "Plateau", H003: "Divergence", H004: "Non-finite", H005: "Stall", H006: "Spike", H007: "Not learning", H008: "Unstable", H009: "Gradients", H010: "Leakage hint", H012: "Improving"}
const IMAGE = /\.(png|jpe?g|webp|gif)$/i, TEXT = /\.(json|md|txt|py|csv|wgsl|log)$/i
const MAX_TEXT = 20000

export function tabsOf(model, names) {
	let chosen = names[0], told = ""
	const body = h(".tabbody", {role: "tabpanel", tabindex: 0})
	const tabs = names.map(name => h("button", {type: "button", role: "tab", onclick: () => choose(name), onkeydown: arrow}, name))
	const list = h(".tabs2", {role: "tablist"}, tabs)
	function arrow(event) {
		const by = {ArrowLeft: -1, ArrowRight: 1}[event.key]
		if (!by) return
		event.stopPropagation()
		const next = tabs[(names.indexOf(chosen) + by + names.length) % names.length]
		choose(next.textContent)
		next.focus()
	}
	function mark() {
		tabs.forEach((tab, i) => {tab.setAttribute("aria-selected", String(names[i] === chosen)); tab.tabIndex = names[i] === chosen ? 0 : -1})
		body.setAttribute("aria-label", chosen)
	}
	async function choose(name) {chosen = name; told = ""; mark(); await update()}
	async function update() {
		const mine = chosen
		let shownNow
		try {
			shownNow = await PANELS[mine](model)
		} catch (error) {
			shownNow = [h("p.note", error.message, " ", error.hint || ""), error.message]
		}
		if (mine !== chosen || shownNow[1] === told) return
		told = shownNow[1]
		const end = body.scrollTop
		fill(body, shownNow[0])
		body.scrollTop = mine === "Log" ? body.scrollHeight : end
	}
	mark()
	return {element: h("section.card", {"aria-label": names.join(", ")}, list, body), update}
}

const none = text => [h("p.note", text), text]

const PANELS = {
	Checks: async ({op}) => {
		const findings = op.assessment?.findings || []
		if (!findings.length) return none("No check has run yet.")
		return [h("ul.checks", findings.map(item => h("li", icon(ofFinding(item), 14), h("span.mono", item.code), h("span", CHECKS[item.code] || word(ofFinding(item))),
			h("span", Object.entries(item.evidence).map(([name, number]) => `${name} ${figure(number, 3)}`).join("; ") || word(ofFinding(item)), item.since_step === null ? "" : `; since ${figure(item.since_step)}`)))), JSON.stringify(findings)]
	},
	Spec: async ({id}) => {
		const spec = await get(`/operations/${id}/spec`), text = JSON.stringify(spec, null, 1)
		return [[h(".row2", button("Copy", () => copy(text), "sm")), h("pre.log", text)], text]
	},
	Environment: async ({id}) => {
		const {packages, ...rest} = await get(`/operations/${id}/environment`)
		const rows = Object.entries(rest).map(([name, given]) => [name, capped(value(given), 300)])
		return [[table("Environment", ["what", "value"], rows, "long"), packages ? h("details.note", h("summary", `${Object.keys(packages).length} packages`), table("Packages", ["package", "version"], Object.entries(packages).sort())) : null], JSON.stringify(rest)]
	},
	Lineage: async ({id}) => {
		const {nodes, edges} = await get(`/operations/${id}/lineage`)
		if (nodes.length < 2) return none("It came from no other operation, and none came from it.")
		return [tree(nodes, edges, id), JSON.stringify([nodes, edges])]
	},
	Log: async ({id}) => {
		const {lines} = await get(`/operations/${id}/logs?limit=200`)
		return lines.length ? [h("pre.log", {role: "log", "aria-label": "Log"}, lines.join("\n")), lines.join("\n")] : none("It has written nothing yet.")
	},
	Samples: async ({events}) => {
		const samples = events.filter(event => event.kind === "sample").slice(-50).reverse()
		if (!samples.length) return none("It has given no samples.")
		return [samples.map(event => h(".sample", h("span.s.mut", `step ${figure(event.step)}, ${age(event.at)} ago`), h("pre.log", Object.entries(event.data).map(([name, given]) => `${name}: ${value(given)}`).join("\n")))), String(samples[0].seq)]
	},
	Artifacts: async ({id}) => {
		const {items} = await get(`/operations/${id}/artifacts`)
		if (!items.length) return none("It has produced no files yet.")
		const preview = h(".preview")
		return [[h(".pictures", items.filter(item => IMAGE.test(item.name)).map(item => h("a", {href: fileOf(id, item.name), download: ""}, h("img", {src: fileOf(id, item.name), alt: item.name, loading: "lazy"}), h("span", item.name)))),
			table("Artifacts", ["file", "size", ""], items.map(item => [h("a", {href: fileOf(id, item.name), download: ""}, item.name), bytes(item.bytes), TEXT.test(item.name) ? button("Show", () => look(preview, id, item), "bare") : ""])), preview], items.map(item => item.name + item.bytes).join()]
	},
	System: async ({id, op}) => {
		if (!op.metrics.scopes.includes("system")) return none("The machine has not been measured yet.")
		const {keys, steps, values} = await get(`/operations/${id}/metrics?scope=system&points=300`)
		return [h(".minis", keys.map(key => mini(key, steps, values[key].map(y => (typeof y === "number" ? y : null)), undefined, () => {}))), String(steps.at(-1))]
	},
	Result: async ({op}) => (op.result ? [h("pre.log", JSON.stringify(op.result, null, 1)), JSON.stringify(op.result)] : none("A result comes with the end.")),
}

// A cell may stand in quotation marks, which are doubled inside.
const cells = line => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain)

async function look(place, id, item) {
	const answer = await fetch(fileOf(id, item.name))
	if (item.name.endsWith("trajectory.json")) return fill(place, h("h3", item.name), (await import("./trajectory.js")).player(await answer.json()))
	const text = (await answer.text()).slice(0, MAX_TEXT)
	const [head, ...rows] = text.split("\n").slice(0, 51).map(cells)
	fill(place, h("h3", item.name), /\.csv$/i.test(item.name) ? table(item.name, head, rows.filter(row => row.length === head.length)) : h("pre.log", text, item.bytes > MAX_TEXT ? `\n… the first ${figure(MAX_TEXT)} characters of ${bytes(item.bytes)}` : ""))
}

function tree(nodes, edges, here) {
	const byId = new Map(nodes.map(node => [node.id, node])), children = id => edges.filter(edge => edge.parent === id)
	const branch = (id, edge, seen) => {
		const node = byId.get(id)
		if (!node || seen.has(id)) return null
		const label = node.name || node.id
		return h("li", icon(shown({...node, waiting_for: null, assessment: null}), 14), " ", id === here ? h("b", label) : h("a", {href: `#/op/${id}`}, label), h("span.mut.s", ` ${node.service}${edge && edge.at !== null ? `, at ${figure(edge.at)}` : ""}${node.best ? `, best ${node.best.metric} ${figure(node.best.value)}` : ""}`),
			h("ul", children(id).map(next => branch(next.child, next, new Set([...seen, id])))))
	}
	return h("ul.tree", nodes.filter(node => !edges.some(edge => edge.child === node.id)).map(node => branch(node.id, null, new Set())))
}
