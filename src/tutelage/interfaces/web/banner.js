// The verdict banner: sentence, evidence, action. It renders the judge's own words and writes none.
import { mayAct } from "./api.js";
import { commandsOf, labelOf, openDialog, recommended, sentenceOf } from "./commands.js";
import { button, fill, h } from "./dom.js";
import { age, capped, figure } from "./format.js";
import { face, family, icon, shown, story, word } from "./verdict.js";

export function banner(op, onlit) {
  const show = shown(op), [sentence, detail] = story(op), said = op.assessment;
  const about = ["running", "completed", "paused"].includes(op.state) && said ? said : null;
  const isQuiet = !op.attention && !op.error && (["green", "grey"].includes(face(show)[1]) || !about?.evidence.length);
  const since = [about?.since_at && op.state === "running" ? `Found ${age(about.since_at)} ago.` : "", detail, about?.confidence ? `Confidence ${figure(about.confidence, 2)}.` : ""].filter(Boolean).join(" ");
  return h("section", { class: `banner ${family(show)}${isQuiet ? " calm" : ""}`, id: "banner", tabindex: -1, "aria-label": "Verdict" },
    h("div", { class: "bv" }, icon(show, isQuiet ? 18 : 30), h("div", {}, h("div", { class: "w" }, word(show)), h("div", { class: "say" }, capped(sentence || "")), since ? h("div", { class: "since" }, since) : null,
      op.error ? trace(op.error) : null)),
    about?.evidence.length && !isQuiet ? h("dl", { class: "ev" }, about.evidence.slice(0, 4).map((item) => h("div", { tabindex: item.at_step === null ? null : 0, onpointerenter: () => onlit(item.at_step), onpointerleave: () => onlit(null) },
      h("dt", {}, item.label), h("dd", {}, figure(item.value), item.unit ? h("small", {}, ` ${item.unit}`) : null)))) : h("span"),
    action(op));
}

function trace(error) {
  const lines = error.traceback_tail.length ? error.traceback_tail : error.log_tail;
  return lines.length ? h("details", {}, h("summary", {}, "What it said last"), h("pre", { class: "log" }, lines.join("\n"))) : null;
}

function action(op) {
  const act = mayAct() ? recommended(op) : null, legal = commandsOf(op), buttons = [];
  if (act) buttons.push(button(act.label, () => openDialog(op, act), "pri"));
  if (act?.verb === "approve") buttons.push(button("Reject…", () => openDialog(op, { verb: "reject", label: "Reject…" })));
  else if (act && act.verb !== "branch" && legal.includes("branch") && op.metrics.best) buttons.push(button("Branch…", () => openDialog(op, { verb: "branch", label: labelOf("branch") })));
  const said = sentenceOf(op), live = !["completed", "cancelled", "failed", "interrupted"].includes(op.state), waiting = op.policy.pending;
  if (!buttons.length && !waiting && !(live && said)) return null;
  return h("div", { class: "rec" }, live && said ? h("div", { class: "l" }, h("b", {}, "Recommended: "), said) : null, buttons.length ? h("div", { class: "bs" }, buttons) : null, waiting ? hold(waiting) : null);
}

function hold({ do: what, held, hold: needed, at_step: at }) {
  return h("div", { class: "hold" }, h("progress", { max: needed, value: held, "aria-label": `policy held ${held} of ${needed}` }), h("span", {}, `policy: ${what} ${at === null ? `when held ${needed} times, ${held} so far` : `at ${figure(at)}`}`));
}

// Tells a screen reader about a verdict once it changes; red is told at once.
export function announce(before, op) {
  const now = shown(op);
  if (!before || before === now) return now;
  const place = document.getElementById(face(now)[1] === "red" ? "assertive" : "polite");
  fill(place, `${op.name || op.id}: ${word(now)}. ${story(op)[0] || ""}`);
  return now;
}
