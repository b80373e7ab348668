// Elements without markup: every text is a text node, so data can never become HTML.
const SVG = "http://www.w3.org/2000/svg"

// h("td.num", {title}, "12"): a tag with classes (".row" is a div), properties if any, children.
export const h = (tag, ...rest) => made(name => document.createElement(name), tag, rest)
export const svg = (tag, ...rest) => made(name => document.createElementNS(SVG, name), tag, rest)

export const isGiven = value => value != null && value !== false

function made(create, tag, rest) {
	const [name, ...classes] = tag.split("."), element = create(name || "div")
	if (classes.length) element.setAttribute("class", classes.join(" "))
	const props = rest[0]?.constructor === Object ? rest.shift() : {}
	for (const [key, value] of Object.entries(props)) {
		if (!isGiven(value)) continue
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value)
		else if (key === "value") element.value = value
		else element.setAttribute(key, value === true ? "" : value)
	}
	element.append(...rest.flat(3).filter(isGiven))
	return element
}

export function fill(element, ...children) {
	element.replaceChildren(...children.flat(3).filter(isGiven))
	return element
}

// Fills an element where what it shows has changed: what is pressed or focused stays.
export function refill(element, shows, make) {
	const told = JSON.stringify(shows)
	if (element.told !== told) fill(element, make())
	element.told = told
}

export const byId = id => document.getElementById(id)
export const holds = element => element.contains(document.activeElement)
export const copy = text => navigator.clipboard?.writeText(text)

// A view's heading, with a word about it; and the way back to the operations.
export const heading = (title, about) => h("div", h("h1", title), about ? h("p", about) : null)
export const crumb = here => h(".crumb", h("a", {href: "#/"}, "Operations"), " / ", here)

// A card with its heading, what it is about, and what it holds.
export const card = (title, about, ...rest) => h("section.card", h(".ch", h("h2", title), about ? h("span.s.mut", about) : null), rest)

// A select: options are values, or pairs of a value and its word.
export const choice = (options, chosen, onchange, props = {}) => h("select", {onchange: event => onchange(event.target.value), ...props},
	options.map(each => {const [value, word] = Array.isArray(each) ? each : [each, each]; return h("option", {value, selected: value === chosen}, word)}))

// An input with its label, a word beside the label, and one line of help.
export const field = (input, label, aside, help) => h("div", h("label", {for: input.id}, label, aside ? h("span", ` ${aside}`) : null), input, help ? h("small", help) : null)

// A filter: its name, and any or one of the values.
export const chip = (name, options, chosen, onchange) => h("label.chip", h("span", name[0].toUpperCase() + name.slice(1)), choice([["", "any"], ...options], chosen, onchange))

export const toggle = (label, isOn, onclick, props = {}) => h("button", {type: "button", "aria-pressed": String(isOn), onclick, ...props}, label)

// The services to choose from.
export const serviceCards = (items, chosen, choose) => items.map(item => toggle([h("b", item.name), h("span", item.available ? item.about : `not installed: ${item.missing}`)], item.name === chosen, () => choose(item.name), {class: "cardbtn"}))

export const button = (label, onclick, kind = "") =>
	h("button", {type: "button", class: `btn ${kind}`, onclick}, label)

export const bar = (fraction, label) => h("progress", {max: 1, value: fraction, "aria-label": label})

export const wrong = text => h("p.note.wrong", {role: "alert"}, text)

// A table with a heading row; rows are lists of cells, each a text or an element.
export const table = (caption, heads, rows, kind = "") => h(".scroll", {tabindex: 0, role: "region", "aria-label": caption}, h("table", {class: `plain ${kind}`}, h("caption.sr", caption),
	h("thead", h("tr", heads.map(head => h("th", {scope: "col"}, head)))),
	h("tbody", rows.map(cells => h("tr", cells.map((cell, i) => (i ? h("td", cell) : h("th", {scope: "row"}, cell))))))))
