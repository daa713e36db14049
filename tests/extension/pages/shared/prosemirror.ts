/** A plain-text ProseMirror, as ChatGPT and Claude have it: a paragraph a line, Enter sends, Shift+Enter breaks. */

import { baseKeymap, splitBlock } from "prosemirror-commands";
import { history, redo, undo } from "prosemirror-history";
import { keymap } from "prosemirror-keymap";
import { type Node as Doc, Schema } from "prosemirror-model";
import { EditorState, Plugin } from "prosemirror-state";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";

const schema = new Schema({
  nodes: {
    doc: { content: "paragraph+" },
    paragraph: { content: "inline*", group: "block", parseDOM: [{ tag: "p" }], toDOM: () => ["p", 0] },
    hard_break: { inline: true, group: "inline", selectable: false, parseDOM: [{ tag: "br" }], toDOM: () => ["br"], leafText: () => "\n" },
    text: { group: "inline" },
  },
});

export interface ProseMirrorOptions {
  attributes: Record<string, string>;
  placeholder: string;
  /** Class of an empty paragraph that shows the placeholder. */
  placeholderClass: string;
  send(): void;
  changed(empty: boolean): void;
}

export interface TextEditor {
  element: HTMLElement;
  text(): string;
  clear(): void;
}

export function proseMirror(options: ProseMirrorOptions): TextEditor {
  const hint = new Plugin({
    props: {
      decorations({ doc }) {
        const first = doc.firstChild;
        if (doc.childCount !== 1 || !first || first.content.size) return null;
        const attributes = { class: options.placeholderClass, "data-placeholder": options.placeholder };
        return DecorationSet.create(doc, [Decoration.node(0, first.nodeSize, attributes)]);
      },
    },
  });
  const state = EditorState.create({
    schema,
    plugins: [
      history(),
      hint,
      keymap({
        Enter: () => (options.send(), true),
        "Shift-Enter": splitBlock,
        "Mod-z": undo,
        "Mod-y": redo,
        "Mod-Shift-z": redo,
      }),
      keymap(baseKeymap),
    ],
  });
  const element = document.createElement("div");
  const view = new EditorView(
    { mount: element },
    {
      state,
      attributes: options.attributes,
      dispatchTransaction(transaction) {
        view.updateState(view.state.apply(transaction));
        options.changed(plain(view.state.doc).trim() === "");
      },
    },
  );
  return {
    element,
    text: () => plain(view.state.doc),
    clear: () => view.dispatch(view.state.tr.delete(0, view.state.doc.content.size)),
  };
}

/** A paragraph a line. */
function plain(doc: Doc): string {
  return doc.textBetween(0, doc.content.size, "\n", "\n");
}
