// A new operation: service, preset, settings from the JSON schema; beside them what the server says before it starts.
import {get, post, put, Problem, service} from "./api.js"
import {typed} from "./commands.js"
import {button, byId, choice, crumb, field, fill, h, isGiven, serviceCards, table, wrong} from "./dom.js"
import {bytes, figure} from "./format.js"

const PAUSE_MS = 600

export async function open() {
	const {items} = await get("/services"), model = {config: {}, name: "", info: null, isAll: false, search: "", timer: null, errors: []}
	Object.assign(model, {cards: h(".cards"), form: h("section.card.pad"), seen: h("section.card", {"aria-live": "polite", hidden: true}), check: h("section.card", {"aria-live": "polite", "aria-label": "Check"})})
	model.drawCards = () => fill(model.cards, serviceCards(items, model.info?.name, name => choose(model, name)))
	model.drawCards()
	if (items.length) await choose(model, items[0].name)
	return {element: h("div", crumb("new"), h(".lhead", h("h1", "New operation")), model.cards, h(".split", model.form, h(".stack", model.check, model.seen))), close: () => clearTimeout(model.timer)}
}

async function choose(model, name) {
	model.seen.hidden = true
	Object.assign(model, {info: await service(name), config: {}, preset: ""})
	model.drawCards()
	drawForm(model)
	checkSoon(model)
}

function resolved(schema, field) {
	if (field.$ref) return {...resolved(schema, schema.$defs[field.$ref.split("/").pop()]), ...field}
	const some = field.anyOf?.filter(each => each.type !== "null")
	return some?.length === 1 ? {...resolved(schema, some[0]), ...field} : field
}

function drawForm(model) {
	const {info} = model, schema = info.config_schema || {properties: {}}, required = schema.required || []
	const all = Object.entries(schema.properties || {}), isEasy = ([name]) => required.includes(name) || name in model.config || /data|target/i.test(name)
	const fields = all.filter(each => (model.isAll ? each[0].toLowerCase().includes(model.search) : isEasy(each)))
	const preset = choice([["", "none"], ...Object.keys(info.presets)], model.preset, name => {model.preset = name; model.config = structuredClone(info.presets[name] || {}); drawForm(model); checkSoon(model)}, {id: "preset"})
	fill(model.form, h(".form", field(h("input", {id: "op-name", maxlength: 120, value: model.name, oninput: event => {model.name = event.target.value; checkSoon(model)}}), "Name", "", "for people"),
		Object.keys(info.presets).length ? field(preset, "Preset") : null, upload(model),
		fields.map(([name, field]) => control(model, name, resolved(schema, field), required.includes(name))), whole(model)),
	h("p.row2", model.isAll ? h("input.search", {placeholder: "Find a setting", "aria-label": "Find a setting", value: model.search, onchange: event => {model.search = event.target.value.toLowerCase(); drawForm(model)}}) : null,
		button(model.isAll ? "Fewer settings" : `All ${all.length} settings`, () => {model.isAll = !model.isAll; model.search = ""; drawForm(model)}), button("Start training", () => start(model), "pri")))
}

function control(model, name, field, isRequired) {
	const id = `field-${name}`, given = model.config[name], shownDefault = model.info.defaults?.[name] ?? field.default
	const changed = value => {if (value === "" || value === undefined) delete model.config[name]; else model.config[name] = value; checkSoon(model); drawWhole(model)}
	const options = field.enum || (field.const === undefined ? null : [field.const])
	const input = options || field.type === "boolean"
		? choice([["", isGiven(shownDefault) ? `default: ${shownDefault}` : "default"], ...(options || [true, false]).map(option => [JSON.stringify(option), String(option)])], JSON.stringify(given), text => changed(text && typed(text)), {id})
		: h(["object", "array"].includes(field.type) || (!field.type && field.anyOf) ? "textarea" : "input", {id, value: given === undefined ? "" : typeof given === "string" ? given : JSON.stringify(given), placeholder: !isGiven(shownDefault) ? "" : typeof shownDefault === "string" ? shownDefault : JSON.stringify(shownDefault), "aria-required": isRequired ? "true" : null,
			oninput: event => changed(field.type === "string" ? event.target.value : event.target.value === "" ? "" : typed(event.target.value))})
	return h("div", {class: given === undefined ? "" : "changed"}, h("label", {for: id}, name, isRequired ? h("span", "required") : null), input, h("small", field.description || ""))
}

const fieldLike = (model, pattern) => Object.keys(model.info.config_schema?.properties || {}).find(name => pattern.test(name))

// What the service sees in the data, before any training: rows, kinds, target, suspects.
async function look(model, field) {
	const target = model.config[fieldLike(model, /^target_?column$/i)]
	model.seen.hidden = false
	fill(model.seen, h("p.note", "Looking at the data."))
	try {
		const {data} = await post("/inspect", {service: model.info.name, data: {dataPath: model.config[field] || "", ...(target ? {targetColumn: target} : {})}})
		const {task, ...job} = data.suggestedJob || {}, columns = data.columnKinds || []
		const lines = [`${figure(data.rows)} rows, ${columns.length} columns to learn from.`, data.target ? `To predict: ${data.target.name}, ${data.target.task}.` : "No target is named: what should be predicted?",
			data.quality ? `Quality ${data.quality.score} of 100. ${data.quality.reasons.join("; ")}` : "", ...(data.leakSuspects || []).map(item => `Leak suspect: ${item.columns.join(", ")} ${item.why}`), ...(data.notes || [])]
		fill(model.seen, h(".ch", h("h2", "The data"), task ? h(".tools", button("Use its suggestion", () => {Object.assign(model.config, job); drawForm(model); checkSoon(model)}, "sm")) : null), lines.filter(Boolean).map(line => h("p.note", line)),
			h(".tabbody", table("Columns", ["column", "kind", "values", "missing"], columns.map(item => [item.name, item.kind, figure(item.unique), figure(item.missing)]))))
	} catch (error) {
		fill(model.seen, wrong(`${error.message} ${error.hint || ""}`))
	}
}

function upload(model) {
	const told = h("small", "sent by its hash; its path is then filled in"), field = fieldLike(model, /^(train)?_?data_?path$/i)
	if (!field) return null
	const input = h("input", {type: "file", id: "file", onchange: async () => {
		const [file] = input.files
		if (!file) return
		try {
			fill(told, `hashing ${bytes(file.size)}`)
			const body = await file.arrayBuffer(), digest = await crypto.subtle.digest("SHA-256", body)
			const hash = [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("")
			fill(told, "sending")
			const kept = await put(`/inputs/${hash}?name=${encodeURIComponent(file.name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[^A-Za-z0-9]+/, "") || "data")}`, body)
			model.config[field] = kept.path
			drawForm(model)
			checkSoon(model)
		} catch (error) {
			fill(told, error.message)
		}
	}})
	return h("div", h("label", {for: "file"}, "Data file"), input, told, button("Look at the data", () => look(model, field), "sm"))
}

const specOf = model => ({service: model.info.name, ...(model.name ? {name: model.name} : {}), config: model.config})

function whole(model) {
	model.text = h("textarea", {id: "spec", spellcheck: "false", rows: 4, onchange: event => {
		try {
			const told = JSON.parse(event.target.value)
			Object.assign(model, {config: told.config || {}, name: told.name || ""})
			drawForm(model)
			checkSoon(model)
		} catch (error) {
			fill(model.check, wrong(`The spec is not JSON: ${error.message}`))
		}
	}})
	drawWhole(model)
	return h("details.wide", h("summary", "The spec as JSON; for ", h("code", "tutelage train spec.json")), model.text)
}

function drawWhole(model) {if (model.text) model.text.value = JSON.stringify(specOf(model), null, 1)}

function checkSoon(model) {
	clearTimeout(model.timer)
	model.timer = setTimeout(() => check(model), PAUSE_MS)
}

async function check(model) {
	const head = h(".ch", h("h2", "Before it starts"))
	for (const input of model.form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid")
	try {
		const told = await post("/operations?dry_run=true", specOf(model))
		model.errors = []
		fill(model.check, head, h("p.note", `This would train ${told.service} with ${told.resources.cpus} ${told.resources.cpus === 1 ? "CPU" : "CPUs"} and ${told.resources.memory_gib} GiB.`), told.warnings.map(line => h("p.note", line)), h("details.note", h("summary", "Every setting, defaults filled in"), h("pre.log", JSON.stringify(told.config, null, 1))))
	} catch (error) {
		refused(model, error, head)
	}
}

function refused(model, error, head) {
	if (!(error instanceof Problem)) throw error
	model.errors = error.errors
	for (const item of error.errors) byId(`field-${(item.at || "").split(".")[1]}`)?.setAttribute("aria-invalid", "true")
	fill(model.check, head, wrong(error.message), error.hint ? h("p.note", error.hint) : null, error.errors.length > 1 ? h("ul.tree", error.errors.map(item => h("li", h("code", item.at || ""), ` ${item.message}`))) : null)
}

async function start(model) {
	try {
		const op = await post("/operations", specOf(model), {"Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random())})
		location.hash = `#/op/${op.id}`
	} catch (error) {
		refused(model, error, h(".ch", h("h2", "It did not start")))
		const name = (model.errors[0]?.at || "").split(".").pop();
		(byId(`field-${name}`) || model.form.querySelector("[aria-required]") || model.form.querySelector("input"))?.focus()
	}
}
