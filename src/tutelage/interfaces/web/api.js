// The one way to the server. An error is a Problem: what RFC 9457 says, with its hint.
const ROOT = "/api/v1"

export class Problem extends Error {
	constructor(told, status) {
		super(told.detail || told.title || "The server does not answer.")
		Object.assign(this, {status, code: told.code || "", hint: told.hint || "", errors: told.errors || []})
	}
}

// What early.js asked for before the modules came is taken once.
function early(path) {
	const asked = window.early.get(path)
	window.early.delete(path)
	return asked
}

async function ask(method, path, body, headers = {}) {
	let answer
	try {
		answer = await (method === "GET" && early(path) || fetch(ROOT + path, {method, body, headers}))
	} catch {
		throw new Problem({detail: "The supervisor does not answer.", code: "unreachable", hint: "Training goes on without it."}, 0)
	}
	if (answer.status === 204) return null
	const told = await answer.json().catch(() => ({detail: `The server answered ${answer.status} without saying more.`}))
	if (!answer.ok) throw new Problem(told, answer.status)
	return told
}

export const get = path => ask("GET", path)
export const post = (path, body, headers) => ask("POST", path, JSON.stringify(body), {"Content-Type": "application/json", ...headers})
export const put = (path, body) => ask("PUT", path, body, {"Content-Type": "application/octet-stream"})
export const fileOf = (id, name) => `${ROOT}/operations/${id}/artifacts/${name.split("/").map(encodeURIComponent).join("/")}`

const services = new Map()
export async function service(name) {
	if (!services.has(name)) services.set(name, await get(`/services/${encodeURIComponent(name)}`))
	return services.get(name)
}

export function session() {
	try {
		return JSON.parse(localStorage.getItem("tutelage.session")) || {}
	} catch {
		return {}
	}
}
export const mayAct = () => (session().scope || "operate") !== "read"
