/** A Lexical editor, as Perplexity (plain) and Kimi (rich, a paragraph a line) have it. Enter sends, Shift+Enter breaks. */

import { createEmptyHistoryState, registerHistory } from "@lexical/history";
import { registerPlainText } from "@lexical/plain-text";
import { registerRichText } from "@lexical/rich-text";
import { $createParagraphNode, $getRoot, COMMAND_PRIORITY_HIGH, createEditor, KEY_ENTER_COMMAND } from "lexical";
import { h } from "./dom";

export interface LexicalOptions {
  attributes: Record<string, string>;
  rich: boolean;
  send(): void;
  changed(empty: boolean): void;
}

export function lexical(options: LexicalOptions): { element: HTMLElement; text(): string; clear(): void } {
  const element = h("div", { contenteditable: "true", role: "textbox", spellcheck: "true", ...options.attributes });
  const editor = createEditor({
    namespace: "composer",
    onError: (error) => {
      throw error;
    },
  });
  const empty = () => $getRoot().clear().append($createParagraphNode()).selectEnd();
  const text = () => editor.getEditorState().read(() => $getRoot().getChildren().map((line) => line.getTextContent()).join("\n"));
  editor.setRootElement(element);
  if (options.rich) registerRichText(editor);
  else registerPlainText(editor);
  registerHistory(editor, createEmptyHistoryState(), 300);
  editor.registerCommand(
    KEY_ENTER_COMMAND,
    (event) => {
      if (!event || event.shiftKey || event.isComposing) return false;
      event.preventDefault();
      options.send();
      return true;
    },
    COMMAND_PRIORITY_HIGH,
  );
  editor.registerUpdateListener(() => options.changed(text().trim() === ""));
  editor.update(empty, { discrete: true });
  return { element, text, clear: () => editor.update(empty, { discrete: true }) };
}
