// Keys: the view's own first, then the ones that go somewhere. Off while somebody types.
import { button, byId, fill, h, table } from "./dom.js";

const GOES = { o: "#/", d: "#/decisions", m: "#/models", s: "#/services", h: "#/hosts" };
const ALL = [
  ["j k", "move"], ["Enter", "open"], ["u", "up"], ["x", "select"], ["c", "compare selected"], ["/", "find"], ["n", "new operation"],
  ["g then o d m s h", "go to a view"], ["s", "stop"], ["p", "pause or resume"], ["t", "tune"], ["b", "branch"], [".", "checkpoint"], ["a r", "approve, reject"],
  ["l", "log axis"], ["f", "full range"], ["[ ]", "smoothing"], ["← →", "crosshair, on the chart"], ["0", "reset zoom"], ["v", "table of the chart"], ["w", "focus the banner"], ["?", "this list"],
];
let going = false;

export function keys(event, view) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]):not([type=range]), textarea, select") || document.querySelector("dialog[open]")) return;
  if (going) {
    going = false;
    if (GOES[event.key]) location.hash = GOES[event.key];
    return;
  }
  if (event.key === "g") { going = true; setTimeout(() => { going = false; }, 1500); return; }
  const action = view?.keys?.[event.key] || { n: () => { location.hash = "#/new"; }, u: () => { location.hash = "#/"; }, "?": showAll }[event.key];
  if (!action) return;
  if (action(event) !== false) event.preventDefault();
}

export function showAll() {
  const dialog = byId("dialog");
  fill(dialog, h("h2", { id: "dialog-title" }, "Keys"), table("Keys", ["Key", "Does"], ALL.map(([key, does]) => [h("kbd", key), does])),
    h("div.row2", button("Close", () => dialog.close())));
  dialog.showModal();
}
