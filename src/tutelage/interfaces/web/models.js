// Models that can be used: left the request, right the answer.
import { fileOf, get, mayAct, post } from "./api.js";
import { button, card, fill, h, table } from "./dom.js";
import { age, bytes, figure, short } from "./format.js";

export async function open({ argument }) {
  const body = h("div.below"), { items } = await get("/models");
  const list = h("section.card", items.length ? table("Models", ["model", "service", "best", "size", "ended", ""], items.map((item) => [h("a", { href: `#/op/${item.operation}` }, item.name || short(item.operation)), item.service, item.best ? `${item.best.metric} ${figure(item.best.value)}` : "", bytes(item.bytes), item.ended_at ? `${age(item.ended_at)} ago` : "",
    mayAct() ? h("a.btn.sm", { href: `#/models/${item.operation}` }, "Use…") : ""])) : h("p.empty", "No operation has ended with a model yet."));
  const chosen = items.find((item) => item.operation === argument);
  if (argument) fill(body, chosen ? await asking(chosen) : h("p.note", "That operation has no model that can be used."));
  return { element: h("div", h("div.lhead", h("div", h("h1", "Models"), h("p", "Ended operations with a model that can be asked."))), body, list) };
}

async function example(item) {
  const answer = await fetch(fileOf(item.operation, "inference_request.json"));
  return answer.ok ? JSON.parse(await answer.text()) : {};
}

async function asking(item) {
  const given = h("textarea.json", { id: "request", rows: 14, spellcheck: "false", value: JSON.stringify(await example(item).catch(() => ({})), null, 1) });
  const answer = h("div", { "aria-live": "polite" }, h("p.note", "The answer comes here.")), times = [];
  const send = button("Ask the model", async () => {
    try {
      const told = await post(`/operations/${item.operation}/use`, { data: JSON.parse(given.value) });
      times.push(told.latency_ms);
      const sorted = [...times].sort((a, b) => a - b);
      fill(answer, shownAnswer(told.data), h("p.note.s", `${figure(told.latency_ms, 3)} ms; ${times.length} asked here, median ${figure(sorted[Math.floor(sorted.length / 2)], 3)} ms`));
    } catch (error) {
      fill(answer, h("p.note.wrong", { role: "alert" }, error instanceof SyntaxError ? `This is not JSON: ${error.message}` : `${error.message} ${error.hint || ""}`));
    }
  }, "pri");
  return h("div.split", h("section.card.pad", h("div.form", h("div.wide", h("label", { for: "request" }, `Request to ${item.name || short(item.operation)}`), given)), h("p.row2", send)), card("Answer", "", answer));
}

function shownAnswer(data) {
  const rows = Array.isArray(data.predictions) ? data.predictions : null;
  if (rows && rows.length && typeof rows[0] === "object") {
    const names = Object.keys(rows[0]);
    return table("Predictions", names, rows.slice(0, 200).map((row) => names.map((name) => (typeof row[name] === "object" ? JSON.stringify(row[name]) : typeof row[name] === "number" ? figure(row[name]) : String(row[name])))));
  }
  return h("pre.log", JSON.stringify(data, null, 1));
}
