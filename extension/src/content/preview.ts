/** The preview: each memory that would go in, with where it came from, to deselect, correct or forget. */

import { api, text } from "../api";
import type { Context, Hit } from "../messages";
import { el } from "../dom";

export interface PreviewActions {
  toggle(id: string, on: boolean): void;
  unfold(open: boolean): void;
  insert(): void;
  close(): void;
  /** Resolves to a sentence where it failed. */
  correct(id: string, words: string): Promise<string | null>;
  forget(id: string): Promise<string | null>;
  /** A correction or a question was closed: what changed meanwhile may be shown. */
  settled(): void;
}

export interface PreviewState {
  context: Context;
  chosen: ReadonlySet<string>;
  /** The block for what is chosen; null while it is being put together. */
  block: string | null;
  tokens: number;
  /** A sentence above the list: what changed, what failed. */
  note: string | null;
  /** Whether the whole block is shown unfolded. */
  open: boolean;
}

function day(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(api.i18n.getUILanguage(), { dateStyle: "medium" }).format(date);
}

function marks(hit: Hit): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (hit.said_by === "assistant") found.push(el("span", { class: "mark" }, text("said_by_assistant")));
  if (hit.said_by === "document") found.push(el("span", { class: "mark" }, text("said_by_document")));
  if (hit.status === "resolving") found.push(el("span", { class: "mark" }, text("unsettled")));
  for (const category of hit.special) found.push(el("span", { class: "mark" }, text(`special_${category}`)));
  return found;
}

function item(hit: Hit, state: PreviewState, act: PreviewActions): HTMLLIElement {
  const on = state.chosen.has(hit.id);
  const words = el("span", { class: "words", dir: "auto" }, hit.text);
  const box = el("input", {
    type: "checkbox",
    ...(on ? { checked: true } : {}),
    "aria-label": hit.text.slice(0, 300),
    change: (event) => act.toggle(hit.id, (event.target as HTMLInputElement).checked),
  });
  const meta = el("div", { class: "meta" });
  const line = el("li", { class: on ? "" : "off", "data-id": hit.id }, el("label", {}, box, words), meta);
  const failed = (sentence: string | null) => {
    if (sentence) meta.append(el("span", { class: "note", role: "alert" }, sentence));
  };
  const show = () => {
    meta.replaceChildren(
      el("span", {}, text(`kind_${hit.kind}`)),
      ...(hit.site ? [el("span", {}, hit.site)] : []),
      el("time", { datetime: hit.time }, day(hit.time)),
      ...marks(hit),
      // A turn is what was said: it can be left out here, and forgotten with its conversation.
      ...(hit.type === "memory"
        ? [el("button", { click: edit }, text("correct")), el("button", { click: sure }, text("forget"))]
        : []),
    );
  };
  const edit = () => {
    const field = el("textarea", { "aria-label": text("correct"), dir: "auto" });
    field.value = hit.text;
    const close = () => {
      form.remove();
      show();
      act.settled();
    };
    const save = async () => {
      const sentence = await act.correct(hit.id, field.value.trim());
      if (sentence) failed(sentence);
      else close();
    };
    const form = el(
      "div",
      { class: "edit" },
      field,
      el("div", { class: "meta" }, el("button", { click: () => void save() }, text("save")), el("button", { click: close }, text("cancel"))),
    );
    line.append(form);
    meta.replaceChildren();
    field.focus();
  };
  const sure = () => {
    const close = () => {
      show();
      act.settled();
    };
    const forget = async () => {
      const sentence = await act.forget(hit.id);
      close();
      failed(sentence);
    };
    const yes = el("button", { class: "danger", click: () => void forget() }, text("forget_yes"));
    meta.replaceChildren(el("span", {}, text("forget_sure")), yes, el("button", { click: close }, text("cancel")));
    yes.focus();
  };
  show();
  return line;
}

export function preview(state: PreviewState, act: PreviewActions, automatic: boolean): HTMLElement {
  const { hits } = state.context;
  const count = state.chosen.size;
  return el(
    "section",
    {
      class: "panel",
      role: "dialog",
      "aria-label": text("preview_title"),
    },
    el(
      "header",
      {},
      el("h2", {}, text("preview_title")),
      el("button", { class: "close", "aria-label": text("close"), click: () => act.close() }, "✕"),
    ),
    el("ul", { class: "list" }, ...hits.map((hit) => item(hit, state, act))),
    el(
      "footer",
      {},
      state.note ? el("div", { class: "note", role: "alert" }, state.note) : null,
      el(
        "details",
        {
          class: "exact",
          ...(state.open ? { open: true } : {}),
          toggle: (event) => act.unfold((event.target as HTMLDetailsElement).open),
        },
        el("summary", {}, text("exact_text", state.tokens)),
        el("pre", { dir: "auto", tabindex: "0" }, state.block ?? "…"),
      ),
      el(
        "div",
        { class: "row" },
        el("span", { class: "hint" }, text(automatic ? "auto_hint" : "suggest_hint")),
        el(
          "button",
          { class: "primary", ...(count && state.block !== null ? {} : { disabled: true }), click: () => act.insert() },
          count === 1 ? text("insert_one") : text("insert_many", count),
        ),
      ),
    ),
  );
}
