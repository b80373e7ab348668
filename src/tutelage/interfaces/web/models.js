// Models that can be used: left the request, right the answer.
import {fileOf, get, mayAct, post} from "./api.js"
import {bar, button, card, fill, h, heading, table, wrong} from "./dom.js"
import {age, bytes, figure, short, value} from "./format.js"

export async function open({argument}) {
	const body = h(".below"), {items} = await get("/models")
	const list = h("section.card", items.length ? table("Models", ["model", "service", "best", "size", "ended", ""], items.map(item => [h("a", {href: `#/op/${item.operation}`}, item.name || short(item.operation)), item.service, item.best ? `${item.best.metric} ${figure(item.best.value)}` : "", bytes(item.bytes), item.ended_at ? `${age(item.ended_at)} ago` : "",
		mayAct() ? h("a.btn.sm", {href: `#/models/${item.operation}`}, "Use…") : ""])) : h("p.empty", "No operation has ended with a model yet."))
	const chosen = items.find(item => item.operation === argument)
	if (argument) fill(body, chosen ? await asking(chosen) : h("p.note", "That operation has no model that can be used."))
	return {element: h("div", h(".lhead", heading("Models", "Ended operations with a model that can be asked.")), body, list)}
}

async function example(item) {
	const answer = await fetch(fileOf(item.operation, "inference_request.json"))
	return answer.ok ? JSON.parse(await answer.text()) : {}
}

async function asking(item) {
	const given = h("textarea.json", {id: "request", rows: 14, spellcheck: "false", value: JSON.stringify(await example(item).catch(() => ({})), null, 1)})
	const answer = h("div", {"aria-live": "polite"}, h("p.note", "The answer comes here.")), times = []
	const send = button("Ask the model", async () => {
		try {
			const told = await post(`/operations/${item.operation}/use`, {data: JSON.parse(given.value)})
			times.push(told.latency_ms)
			const sorted = [...times].sort((a, b) => a - b)
			const at = part => figure(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))], 3)
			fill(answer, shownAnswer(told.data), h("p.note.s", `${figure(told.latency_ms, 3)} ms; ${times.length} asked here: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`))
		} catch (error) {
			fill(answer, wrong(`${error instanceof SyntaxError ? "This is not JSON: " : ""}${error.message} ${error.hint || ""}`))
		}
	}, "pri")
	const other = [`tutelage predict ${item.operation} new.csv`, `client.use("${item.operation}", UseRequest(data={"dataPath": "/data/new.csv"}))`, `POST ${location.origin}/api/v1/operations/${item.operation}/use`]
	return h(".split", h("section.card.pad", h(".form", h(".wide", h("label", {for: "request"}, `Request to ${item.name || short(item.operation)}`), given)), h("p.row2", send), h("details", h("summary", "The same in a terminal, from Python, over REST"), h("pre.log", other.join("\n")))), card("Answer", "", answer))
}

// A prediction a row, with the probability of each class where there are classes.
function shownAnswer({predictions, classes, probabilities, ...rest}) {
	if (!Array.isArray(predictions)) return h("pre.log", JSON.stringify({predictions, ...rest}, null, 1))
	const said = given => (typeof given === "number" ? figure(given) : value(given))
	const rows = predictions.slice(0, 200).map((each, i) => [String(i), h("b", said(each)), ...(probabilities?.[i] || []).map(part => [bar(part, "probability"), ` ${figure(part, 3)}`])])
	return [table("Predictions", ["row", "prediction", ...(probabilities ? classes || [] : []).map(name => `probability of ${name}`)], rows),
		(rest.warnings || []).map(line => h("p.note", line)), predictions.length > 200 ? h("p.note", `${predictions.length - 200} more`) : null]
}
