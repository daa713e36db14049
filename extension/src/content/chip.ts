/** The chip at the composer: how many memories fit, what was inserted, what is wrong. One line, never in the way. */

import { text } from "../api";
import { el } from "../dom";

export interface ChipButton {
  label: string;
  press: () => void;
  /** For a button whose label is a sign. */
  name?: string;
}

export interface ChipState {
  label: string;
  /** The key that does what the chip offers. */
  key?: string;
  warning?: boolean;
  /** What a click on the label does. */
  press?: () => void;
  expanded?: boolean;
  buttons: ChipButton[];
}

export function chip(state: ChipState): HTMLElement {
  return el(
    "div",
    { class: state.warning ? "chip warn" : "chip", role: "group", "aria-label": "Satchel" },
    el(
      "button",
      {
        class: "main",
        ...(state.expanded === undefined ? {} : { "aria-expanded": String(state.expanded) }),
        ...(state.press ? { click: state.press } : { disabled: true }),
      },
      el("span", { class: "dot", "aria-hidden": "true" }),
      el("span", { class: "label" }, state.label),
      state.key ? el("kbd", {}, state.key) : null,
    ),
    ...state.buttons.map((button) =>
      el("button", { class: "small", click: button.press, ...(button.name ? { "aria-label": button.name } : {}) }, button.label),
    ),
  );
}

export const fits = (count: number): string => (count === 1 ? text("fits_one") : text("fits_many", count));
export const goesAlong = (count: number): string => (count === 1 ? text("along_one") : text("along_many", count));
export const wasInserted = (count: number): string => (count === 1 ? text("inserted_one") : text("inserted_many", count));
