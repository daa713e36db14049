/** A plain-text Quill, as Gemini has it: Enter sends, Shift+Enter begins a line. */

import Quill from "quill/core";

import type { TextEditor } from "./prosemirror";

// Quill empties its element, and takes apart what is pasted, by way of HTML.
const policies = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): unknown } }).trustedTypes;
policies?.createPolicy("default", { createHTML: (html: string) => html });

interface Options {
  label: string;
  placeholder: string;
  send(): void;
  changed(empty: boolean): void;
}

export function quill({ label, placeholder, send, changed }: Options): TextEditor {
  const element = document.createElement("div");
  const editor = new Quill(element, {
    placeholder,
    formats: [],
    modules: { keyboard: { bindings: { send: { key: "Enter", shiftKey: false, handler: () => (send(), false) } } } },
  });
  for (const [name, value] of Object.entries({ role: "textbox", "aria-multiline": "true", "aria-label": label, "data-placeholder": placeholder }))
    editor.root.setAttribute(name, value);
  editor.root.classList.add("textarea", "new-input-ui");
  const text = () => editor.getText().replace(/\n$/, "");
  editor.on("text-change", () => changed(text().trim() === ""));
  return { element, text, clear: () => void editor.setText("") };
}
