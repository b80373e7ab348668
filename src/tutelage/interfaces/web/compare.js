// Several operations side by side: a sentence first, then the curves, then what was measured and which settings differ.
import { get } from "./api.js";
import { colours, faded } from "./chart.js";
import { commandsOf, labelOf, openDialog } from "./commands.js";
import { button, fill, h, table } from "./dom.js";
import { duration, figure, number, short, value } from "./format.js";
import { smoothed } from "./smooth.js";
import { icon, shown, word } from "./verdict.js";

export async function open({ argument }) {
  const ids = argument.split(",").filter(Boolean);
  const model = { ids, isAligned: false, isLog: false, plot: null, at: h("div", { class: "plot", role: "img" }), top: h("div"), tools: h("div", { class: "ch" }), tables: h("div", { class: "two" }) };
  model.element = h("div", {}, model.top, h("section", { class: "card" }, model.tools, model.at), model.tables);
  await load(model);
  return { element: model.element, update: () => (model.ops.every((op) => op.ended_at) ? null : load(model)), shown: () => { model.isShown = true; draw(model); }, themed: () => draw(model),
    keys: { l: () => { model.isLog = !model.isLog; draw(model); } }, close: () => model.plot?.destroy() };
}

async function load(model) {
  const [told, ...ops] = await Promise.all([get(`/compare?ids=${model.ids.join(",")}`), ...model.ids.map((id) => get(`/operations/${id}`))]);
  model.histories = await Promise.all(ops.map((op) => (told.metric ? get(`/operations/${op.id}/metrics?points=500&keys=${encodeURIComponent(told.metric)}`).catch(() => null) : null)));
  Object.assign(model, { told, ops });
  draw(model);
}

const nameOf = (op) => op.name || short(op.id);
const swatch = (i) => h("i", { class: `sw sw${i % 8}` });

function draw(model) {
  const { told, ops } = model;
  if (!model.isShown) return;
  const best = bestOf(model);
  fill(model.top, h("div", { class: "ohead" }, h("div", {}, h("div", { class: "crumb" }, h("a", { href: "#/" }, "Operations"), " / compare"), h("h1", {}, `${ops.length} operations`)),
    h("div", { class: "ctl" }, best && commandsOf(best).includes("branch") ? button(`Branch from ${nameOf(best)}…`, () => openDialog(best, { verb: "branch", label: labelOf("branch") }), "pri") : null)),
  h("section", { class: "card say2", "aria-live": "polite" }, h("div", { class: "say" }, told.sentence)));
  const toggle = (label, key) => h("button", { type: "button", "aria-pressed": String(model[key]), onclick: () => { model[key] = !model[key]; draw(model); } }, label);
  fill(model.tools, h("h2", {}, told.metric || "No metric in common"), h("div", { class: "tools" }, h("span", { class: "seg" }, toggle("By fraction", "isAligned"), toggle("Log", "isLog"))));
  drawPlot(model);
  const heads = () => ops.map((op, i) => [swatch(i), h("a", { href: `#/op/${op.id}` }, nameOf(op))]);
  const row = (label, of) => [label, ...ops.map(of)];
  const top = (op, text) => (op === best ? h("b", {}, text) : text);
  fill(model.tables, h("section", { class: "card" }, table("Measured", ["Measured", ...heads()], [row("Verdict", (op) => [icon(shown(op), 14), " ", word(shown(op))]), row("Best", (op) => top(op, op.metrics.best ? `${op.metrics.best.metric} ${figure(op.metrics.best.value)}` : "")),
    row("at step", (op) => figure(op.metrics.best?.step)), row("Latest", (op) => figure(told.metric ? op.metrics.latest[told.metric] : null)), row("Time", (op) => duration(told.operations.find((item) => item.id === op.id)?.wall_s))], "figures")),
  h("section", { class: "card" }, table("Settings that differ", [`Settings that differ, ${told.num_equal_settings} equal`, ...heads()], Object.entries(told.config_diff).map(([name, by]) => [h("span", { class: "mono" }, name), ...ops.map((op) => value(by[op.id]))]), "figures")));
}

function bestOf({ told, ops }) {
  const some = ops.filter((op) => op.metrics.best && op.metrics.best.metric === told.metric);
  return some.find((op) => told.sentence.startsWith(nameOf(op))) || null;
}

function drawPlot(model) {
  model.plot?.destroy();
  model.plot = null;
  fill(model.at);
  const curves = model.histories.map((history) => (history && model.told.metric && history.values[model.told.metric] ? history : null));
  if (!curves.some(Boolean)) return;
  const place = (history, i) => (model.isAligned ? history.steps[i] / (history.steps.at(-1) || 1) : history.steps[i]);
  const xs = [...new Set(curves.flatMap((history) => (history ? history.steps.map((_, i) => place(history, i)) : [])))].sort((a, b) => a - b), at = new Map(xs.map((x, i) => [x, i]));
  const c = colours(), style = getComputedStyle(document.documentElement);
  const data = [xs], series = [{}];
  curves.forEach((history, k) => {
    const column = xs.map(() => null), soft = xs.map(() => null);
    if (history) {
      const raw = history.values[model.told.metric].map((y) => { const n = y === null ? null : number(y); return Number.isFinite(n) && !(model.isLog && n <= 0) ? n : null; });
      const smooth = smoothed(history.steps, raw, history.unit === "trial" ? 0 : 0.5);
      history.steps.forEach((_, i) => { column[at.get(place(history, i))] = smooth[i]; soft[at.get(place(history, i))] = raw[i]; });
    }
    const hue = style.getPropertyValue(`--r${k % 8}`).trim();
    data.push(soft, column);
    series.push({ stroke: faded(hue, 0.25), width: 1, pxAlign: 0, spanGaps: true, points: { show: false } }, { stroke: hue, width: 2, pxAlign: 0, spanGaps: true, points: { show: false } });
  });
  const axis = { stroke: c.ink3, font: '11px "Inter", system-ui, sans-serif', ticks: { show: false }, border: { show: false } };
  model.plot = new window.uPlot({ width: Math.max(200, model.at.clientWidth), height: 300, padding: [12, 16, 0, 0], legend: { show: false }, cursor: { points: { show: false }, y: false },
    scales: { x: { time: false }, y: { distr: model.isLog ? 3 : 1 } }, axes: [{ ...axis, grid: { show: false }, values: (_, splits) => splits.map((v) => figure(v, 3)) }, { ...axis, size: 52, grid: { stroke: c.grid, width: 1 }, values: (_, splits) => splits.map((v) => figure(v, 3)) }], series }, data, model.at);
  model.at.setAttribute("aria-label", `${model.told.metric} of ${model.ops.length} operations. ${model.told.sentence}`);
}
