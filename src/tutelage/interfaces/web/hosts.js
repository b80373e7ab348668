// The machines that train, and the supervisor itself.
import {get} from "./api.js"
import {fill, h, heading, table} from "./dom.js"
import {figure} from "./format.js"

export async function open() {
	const body = h(".stack")
	async function update() {
		const {items} = await get("/hosts")
		fill(body, h("section.card", table("Hosts", ["host", "CPUs free", "GPUs free", "memory free", "running", "queued"], items.map(host => [host.name, `${host.cpus_free} of ${host.cpus}`, `${host.gpus_free} of ${host.gpus}`,
			`${figure(host.memory_free_gib, 3)} of ${figure(host.memory_gib, 3)} GiB`, String(host.running), String(host.queued)]))))
	}
	await update()
	return {element: h("div", h(".lhead", heading("Hosts", "Where operations run, and what is free there.")), body), update}
}
