// The keys of the page: what each does, and the dialog that tells them.
import { Dialog } from "../../ui.js";
import { html, useEffect, useRef } from "../../vendor/preact.js";
import { t } from "../../words.js";

/** Whether what is typed there is text, or a dialog has the keys. @param {Element | null} where */
export const isTyping = (where) =>
  !!where?.closest("textarea, select, [contenteditable], input:not([type=checkbox])") || !!document.querySelector("dialog[open]");

/** Does what a key stands for, wherever the focus is, never while somebody types. @param {Record<string, () => void>} acts by `event.key` */
export function useKeys(acts) {
  const now = useRef(acts);
  now.current = acts;
  useEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      const act = now.current[event.key];
      if (act && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !isTyping(document.activeElement)) {
        event.preventDefault();
        act();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

const TOLD = [
  [["/"], "search"],
  [["j", "k", "↓", "↑"], "j"],
  [["Enter"], "enter"],
  [["n"], "n"],
  [["e"], "e"],
  [["p"], "p"],
  [["x"], "x"],
  [["Shift ↓", "Shift ↑"], "shift"],
  [["Ctrl A"], "all"],
  [["Delete"], "delete"],
  [["Escape"], "escape"],
  [["?"], "help"],
];

/** @param {any} props */
export function KeysDialog({ close }) {
  return html`<${Dialog} title=${t("memories.keys")} close=${close}>
    <dl class="facts keys">
      ${TOLD.map(([keys, name]) => html`<div><dt>${/** @type {string[]} */ (keys).map((key, at) => html`${at > 0 && html` <span class="soft">${t("memories.key.or")}</span> `}<kbd>${key}</kbd>`)}</dt><dd>${t(`memories.key.${name}`)}</dd></div>`)}
    </dl>
    <p class="buttons"><button onClick=${close}>${t("close")}</button></p>
  <//>`;
}
