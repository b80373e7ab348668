// What can be trained: the settings that matter, the metrics with their units, what may be tuned.
import {get, service} from "./api.js"
import {card, fill, h, heading, serviceCards, table} from "./dom.js"
import {figure} from "./format.js"

export async function open() {
	const {items} = await get("/services"), body = h(".stack")
	const cards = h(".cards")
	async function choose(name) {
		fill(cards, serviceCards(items, name, choose))
		const info = await service(name)
		const shape = info.config_schema || {}, settings = Object.entries(shape.properties || {})
		fill(body, card("Metrics", `counted in ${info.unit}s; supports ${info.supports.join(", ") || "stop and cancel"}`,
			table("Metrics", ["name", "unit", "better", "what"], info.metrics.map(metric => [metric.name, metric.unit, {minimize: "lower", maximize: "higher"}[metric.direction] || "", metric.about]))),
		info.tunables.length ? card("May be tuned while it runs", "", table("Tunables", ["name", "from", "to", "what"], info.tunables.map(one => [one.name, figure(one.low), figure(one.high), one.about]))) : null,
		card("Settings", `presets: ${Object.keys(info.presets).join(", ") || "none"}`, table("Settings", ["name", "default", "what"], settings.map(([name, field]) => [name, JSON.stringify(info.defaults?.[name]) ?? ((shape.required || []).includes(name) ? "required" : ""), field.description || ""]))))
	}
	const element = h("div", h(".lhead", heading("Services", "One kind of training each.")), cards, body)
	if (items.length) await choose(items[0].name)
	return {element}
}
