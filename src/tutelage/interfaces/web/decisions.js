// The ledger over all operations.
import {get} from "./api.js"
import {button, chip, copy, fill, h, heading, holds} from "./dom.js"
import {count, figure} from "./format.js"
import {entry, kindOf, markdown} from "./ledger.js"

const FILTERS = {who: item => item.principal.name, kind: item => kindOf(item.principal), verb: item => item.verb}
const SHOWN = 200

export async function open({query}) {
	const model = {query, items: [], byId: new Map(), head: h(".lhead"), body: h("section.card.led", {"aria-label": "Decisions"}), chain: null}
	await load(model)
	return {element: h("div", model.head, model.body), update: () => load(model)}
}

async function load(model) {
	const [{items}, chain, page] = await Promise.all([get("/decisions"), get("/decisions/verify"), get("/operations?limit=500")])
	Object.assign(model, {items: items.reverse(), chain, byId: new Map(page.items.map(op => [op.id, op]))})
	draw(model)
}

function draw(model) {
	const found = model.items.filter(item => Object.entries(FILTERS).every(([name, of]) => !model.query.get(name) || of(item) === model.query.get(name)))
	const select = ([name, of]) => chip(name, [...new Set(model.items.map(of))].sort(), model.query.get(name), chosen => {model.query.set(name, chosen); draw(model)})
	if (!holds(model.head)) fill(model.head, heading(count(model.items.length, "decision", "decisions"), `${figure(model.chain.entries)} entries, ${model.chain.first_broken === null ? "chain intact" : `chain broken at entry ${model.chain.first_broken}`}.`),
		h(".filters", Object.entries(FILTERS).map(select), button("Copy as Markdown", () => copy(markdown(found)))))
	if (!found.length) return fill(model.body, h("p.empty", model.items.length ? "No decision matches." : "Nobody has decided anything yet. A pause, a stop or a tune stands here, with its reason and what followed."))
	return fill(model.body, h("ol", found.slice(0, SHOWN).map(item => entry(item, {operation: model.byId.get(item.operation) || {id: item.operation, name: ""}}))))
}
