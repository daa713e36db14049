/** The turns of a conversation in the page. Elements stay as long as their turn does, as under React. */

import type { SitePage } from "./app";
import { h } from "./dom";
import { markdown } from "./markdown";
import type { Node, Tree } from "./tree";

interface Actions {
  edit(node: Node, text: string): void;
  regenerate(node: Node): void;
  show(id: string): void;
}

interface Drawn {
  element: HTMLElement;
  body: HTMLElement;
  /** What it was drawn from: it is made anew where this changed. */
  key: string;
}

export class Thread {
  readonly element = h("div", { class: "thread", role: "log" });
  private drawn = new Map<Node, Drawn>();

  constructor(
    private readonly site: SitePage,
    private readonly actions: Actions,
  ) {}

  /** Draws the branch that `tree` shows; `streaming` is the answer being written. */
  draw(tree: Tree, streaming: Node | null): void {
    const branch = tree.branch();
    const kept = new Map<Node, Drawn>();
    branch.forEach((node, index) => {
      const versions = tree.siblings(node).map((each) => each.id);
      const last = index === branch.length - 1;
      const key = JSON.stringify([node.id, versions, last && streaming === null, node === streaming]);
      const before = this.drawn.get(node);
      kept.set(node, before?.key === key ? before : this.turn(node, key, versions, { last, place: index + 1, streaming: node === streaming }));
    });
    const wanted = [...kept.values()].map((each) => each.element);
    wanted.forEach((element, index) => {
      if (this.element.children[index] !== element) this.element.insertBefore(element, this.element.children[index] ?? null);
    });
    while (this.element.children.length > wanted.length) this.element.lastElementChild?.remove();
    this.drawn = kept;
  }

  /** Shows what an answer has grown to: only its last block is new. */
  write(node: Node): void {
    const drawn = this.drawn.get(node);
    if (!drawn) return;
    const blocks = markdown(node.text);
    blocks.forEach((block, index) => {
      const there = drawn.body.children[index];
      if (!there) drawn.body.append(block);
      else if (!there.isEqualNode(block)) there.replaceWith(block);
    });
    while (drawn.body.children.length > blocks.length) drawn.body.lastElementChild?.remove();
  }

  private turn(node: Node, key: string, versions: string[], at: { last: boolean; place: number; streaming: boolean }): Drawn {
    const body = this.site.body(node.role);
    if (node.role === "user") body.textContent = node.text;
    else body.append(...markdown(node.text));
    const tools = h("div", { class: "tools" }, h("button", { type: "button", "aria-label": "Copy", "data-testid": "copy-turn-action-button" }, "Copy"));
    const element = this.site.turn(node, body, tools, at);
    if (!at.streaming) this.fill(tools, node, versions, at.last, element, body);
    return { element, body, key };
  }

  private fill(tools: HTMLElement, node: Node, versions: string[], last: boolean, element: HTMLElement, body: HTMLElement): void {
    const { branches } = this.site;
    const button = (test: string, label: string, click: () => void, off = false) =>
      tools.append(h("button", { type: "button", "data-test": test, "aria-label": label, disabled: off, click }, label));
    if (node.role === "user" && branches?.edit) button("edit", "Edit message", () => this.editor(node, element, body));
    if (node.role === "assistant" && last && branches?.regenerate) button("regenerate", "Regenerate", () => this.actions.regenerate(node));
    if (!branches || versions.length < 2) return;
    const at = versions.indexOf(node.id);
    const show = (index: number) => () => this.actions.show(versions[index] ?? node.id);
    button("previous", "Previous response", show(at - 1), at === 0);
    tools.append(h("span", {}, `${at + 1}/${versions.length}`));
    button("next", "Next response", show(at + 1), at === versions.length - 1);
  }

  private editor(node: Node, element: HTMLElement, body: HTMLElement): void {
    const text = h("textarea", { "data-test": "edit-text" }) as HTMLTextAreaElement;
    text.value = node.text;
    const form = h("div", { class: "editing" }, text);
    const close = () => (form.remove(), (body.hidden = false));
    form.append(
      h("button", { type: "button", click: close }, "Cancel"),
      h("button", { type: "button", "data-test": "edit-save", click: () => (close(), this.actions.edit(node, text.value)) }, "Send"),
    );
    body.hidden = true;
    element.append(form);
    text.focus();
  }
}
