// What can be trained: the settings that matter, the metrics with their units, what may be tuned.
import { get, service } from "./api.js";
import { fill, h, table } from "./dom.js";
import { figure } from "./format.js";

export async function open() {
  const { items } = await get("/services"), body = h("div", { class: "stack" });
  const cards = items.map((item) => h("button", { type: "button", class: "cardbtn", "aria-pressed": "false", onclick: (event) => choose(item, event.currentTarget) }, h("b", {}, item.name), h("span", {}, item.available ? item.about : `not installed: ${item.missing}`)));
  async function choose(item, card) {
    cards.forEach((each) => each.setAttribute("aria-pressed", String(each === card)));
    const info = await service(item.name);
    const shape = info.config_schema || {}, settings = Object.entries(shape.properties || {});
    fill(body, h("section", { class: "card" }, h("div", { class: "ch" }, h("h2", {}, "Metrics"), h("span", { class: "s mut" }, `counted in ${info.unit}s; supports ${info.supports.join(", ") || "stop and cancel"}`)),
      table("Metrics", ["name", "unit", "better", "what"], info.metrics.map((metric) => [metric.name, metric.unit, { minimize: "lower", maximize: "higher" }[metric.direction] || "", metric.about]))),
    info.tunables.length ? h("section", { class: "card" }, h("div", { class: "ch" }, h("h2", {}, "May be tuned while it runs")), table("Tunables", ["name", "from", "to", "what"], info.tunables.map((one) => [one.name, figure(one.low), figure(one.high), one.about]))) : null,
    h("section", { class: "card" }, h("div", { class: "ch" }, h("h2", {}, "Settings"), h("span", { class: "s mut" }, `presets: ${Object.keys(info.presets).join(", ") || "none"}`)), table("Settings", ["name", "default", "what"], settings.map(([name, field]) => [name, JSON.stringify(info.defaults?.[name]) ?? (shape.required || []).includes(name) ? JSON.stringify(info.defaults?.[name]) ?? "required" : "", field.description || ""]))));
  }
  const element = h("div", {}, h("div", { class: "lhead" }, h("div", {}, h("h1", {}, "Services"), h("p", {}, "One kind of training each."))), h("div", { class: "cards" }, cards), body);
  if (items.length) await choose(items[0], cards[0]);
  return { element };
}
