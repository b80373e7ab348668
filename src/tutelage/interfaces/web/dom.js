// Elements without markup: every text is a text node, so data can never become HTML.
const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return filled(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const button = (label, onclick, kind = "") =>
  h("button", { type: "button", class: `btn ${kind}`, onclick }, label);

export function bar(fraction, label) {
  return h("progress", { max: 1, value: fraction, "aria-label": label });
}

// A table with a heading row; rows are lists of cells, each a text or an element.
export function table(caption, heads, rows, kind = "") {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: `plain ${kind}` },
      h("caption", { class: "sr" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) =>
        i ? h("td", {}, cell) : h("th", { scope: "row" }, cell)))))));
}
