// What every picture has: a heading, its width, and the same as a table.
import { html, useId, useLayoutEffect, useRef, useState } from "../../vendor/preact.js";
import { count, register, t } from "../../words.js";

register({
  en: {
    "pictures.table": "As a table",
    "pictures.table.more": (/** @type {number} */ n) => `Show ${count(n)} more`,
  },
  zh: {
    "pictures.table": "以表格显示",
    "pictures.table.more": (/** @type {number} */ n) => `再显示 ${count(n)} 行`,
  },
});

const ROWS = 100;

/** @param {any} props */
export function Picture({ title, says, tools = null, children }) {
  const id = useId();
  return html`<section class="card picture" aria-labelledby=${id}>
    <div class="head"><div><h2 id=${id}>${title}</h2><p class="soft small">${says}</p></div>${tools && html`<div class="aside">${tools}</div>`}</div>
    ${children}
  </section>`;
}

/** The width that an element has, in CSS pixels, as it changes; 0 before it is known. @returns {[any, number]} */
export function useWidth() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const look = () => setWidth(Math.floor(element.current?.clientWidth ?? 0));
    const watcher = new ResizeObserver(look);
    look();
    element.current && watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return [element, width];
}

/**
 * A picture's numbers as a table, which is made when it is opened, and so many rows at a time.
 * `row(index)` gives the cells of a row, those at `numbers` being numbers.
 * @param {any} props
 */
export function Table({ title, head, length, row, numbers = 1 }) {
  const [open, setOpen] = useState(false);
  const [shown, setShown] = useState(ROWS);
  const rows = open ? Array.from({ length: Math.min(shown, length) }, (_, at) => row(at)) : [];
  const kind = (/** @type {number} */ at) => (at >= numbers ? "number" : undefined);
  return html`<details onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}>
    <summary>${t("pictures.table")}</summary>
    ${open && html`<div class="scrolls" tabindex="0" role="region" aria-label=${title}>
      <table>
        <thead><tr>${head.map((/** @type {string} */ name, /** @type {number} */ at) => html`<th scope="col" class=${kind(at)}>${name}</th>`)}</tr></thead>
        <tbody>${rows.map((cells) => html`<tr>${cells.map((/** @type {any} */ cell, /** @type {number} */ at) =>
          at === 0 ? html`<th scope="row" dir="auto">${cell}</th>` : html`<td class=${kind(at)}>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
    ${shown < length && html`<p><button onClick=${() => setShown(shown + ROWS)}>${t("pictures.table.more", Math.min(ROWS, length - shown))}</button></p>`}`}
  </details>`;
}

/** A text of at most so many code points. @param {string} text @param {number} longest */
export function clip(text, longest) {
  const points = [...text];
  return points.length > longest ? `${points.slice(0, longest - 1).join("")}…` : text;
}
