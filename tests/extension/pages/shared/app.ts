/**
 * The shell of a fixture page: sidebar, header, thread and composer, single-page navigation, and the way of a prompt
 * from the editor to the rendered answer. A site gives its markup, its editor and its wire (`SitePage`).
 */

import { h } from "./dom";
import { Thread } from "./thread";
import { Tree, type Node } from "./tree";
import "./style.css";

export interface Composer {
  element: HTMLElement;
  /** What the editor holds by its own state, as the site would send it. */
  text(): string;
  clear(): void;
  /** The page is answering, or is done: swaps the send button for the stop button. */
  busy(on: boolean): void;
}

/** What to ask of the server. */
export interface Ask {
  kind: "send" | "edit" | "regenerate";
  conversation: string | null;
  temporary: boolean;
  /** The user's turn: its id is made here; a site that gets its ids from the server says so with `known`. */
  user: Node;
  /** The answer to come. */
  answer: Node;
  /** For regenerate: the answer that it replaces. */
  replaces: Node | null;
  /** For edit: the turn that was edited. */
  edited: Node | null;
  signal: AbortSignal;
}

/** What the wire reports while it asks. */
export interface Told {
  conversation(id: string, title?: string): void;
  known(ids: { user?: string; answer?: string }): void;
  /** The answer so far. */
  answer(text: string): void;
}

export interface SitePage {
  name: string;
  paths: { fresh: string; temporary?: string; of(id: string): string; id(path: string): string | null };
  /** Temporary chats without an address of their own: shows whether this is one. */
  temporary?(on: boolean): void;
  composer(actions: { send(): void; stop(): void }): Composer;
  /** The site's element of a turn. `tools` goes where the site has its toolbar; `body` holds the words. */
  turn(node: Node, body: HTMLElement, tools: HTMLElement, at: { place: number; streaming: boolean }): HTMLElement;
  /** The element that holds a turn's words, empty. */
  body(role: Node["role"]): HTMLElement;
  /** What the site puts around the turns and the composer. */
  frame(thread: HTMLElement, composer: HTMLElement): HTMLElement;
  list(): Promise<{ id: string; title: string }[]>;
  load(id: string): Promise<Tree>;
  ask(ask: Ask, told: Told): Promise<void>;
  /** The other versions of a turn can be switched to; sends what the site sends then. */
  branches?: { edit?: boolean; regenerate?: boolean; switch?(conversation: string | null, tree: Tree): Promise<void> };
  /** What the site sends when the user presses stop; the server then ends the stream. Without it the page closes it. */
  stop?(conversation: string | null): Promise<void>;
}

export function start(site: SitePage): App {
  return new App(site);
}

export class App {
  private tree = new Tree();
  private conversation: string | null = null;
  private temporary = false;
  private running: AbortController | null = null;
  private readonly thread: Thread;
  private readonly composer: Composer;
  private readonly links = h("nav", { "aria-label": "Chat history" });
  private readonly title = h("h1");
  private visit = 0;

  constructor(private readonly site: SitePage) {
    this.thread = new Thread(site, {
      edit: (node, text) => void this.edit(node, text),
      regenerate: (node) => void this.regenerate(node),
      show: (id) => void this.switch(id),
    });
    this.composer = site.composer({ send: () => void this.send(), stop: () => void this.stop() });
    document.body.append(this.sidebar(), h("main", { id: "main" }, h("header", {}, this.title), site.frame(this.thread.element, this.composer.element)));
    addEventListener("popstate", () => void this.open());
    this.state("idle");
    void this.list();
    void this.open();
  }

  private sidebar(): HTMLElement {
    const { fresh, temporary } = this.site.paths;
    const go = (path: string, aside = false) => () => void this.go(path, aside);
    return h(
      "aside",
      {},
      h("button", { type: "button", "data-test": "new-chat", "aria-label": "New chat", click: go(fresh) }, "New chat"),
      ...(temporary || this.site.temporary ? [h("button", { type: "button", "data-test": "temporary", click: go(temporary ?? fresh, true) }, "Temporary chat")] : []),
      this.links,
    );
  }

  /** Navigates within the page, as the site's router does. */
  async go(path: string, temporary = false): Promise<void> {
    history.pushState({}, "", path);
    await this.open(temporary);
  }

  /** Shows what the address says. */
  private async open(temporarily = false): Promise<void> {
    const visit = ++this.visit;
    // An answer that is being written goes on being read, as on the sites; only this page's view leaves it.
    this.running = null;
    this.state("idle");
    const { id, temporary } = this.site.paths;
    this.conversation = id(location.pathname + location.search);
    this.temporary = temporary === undefined ? temporarily : location.pathname + location.search === temporary;
    this.site.temporary?.(this.temporary);
    this.tree = new Tree();
    this.name(this.temporary ? "Temporary chat" : this.site.name);
    this.thread.draw(this.tree, null);
    if (this.conversation === null) return;
    document.documentElement.dataset["loading"] = "";
    const tree = await this.site.load(this.conversation).catch((error: unknown) => (console.error(error), new Tree()));
    if (visit !== this.visit) return;
    delete document.documentElement.dataset["loading"];
    this.tree = tree;
    this.thread.draw(this.tree, null);
  }

  private async list(): Promise<void> {
    const listed = await this.site.list();
    this.links.replaceChildren(...listed.map(({ id, title }) => this.link(id, title)));
  }

  private link(id: string, title: string): HTMLElement {
    const click = (event: Event) => (event.preventDefault(), void this.go(this.site.paths.of(id)));
    return h("a", { href: this.site.paths.of(id), "data-test": "open", "data-id": id, click }, title);
  }

  private name(title: string): void {
    this.title.textContent = title;
    document.title = title;
  }

  private state(state: "idle" | "streaming"): void {
    document.documentElement.dataset["state"] = state;
    this.composer.busy(state === "streaming");
  }

  private async send(): Promise<void> {
    const text = this.composer.text();
    if (this.running || text.trim() === "") return;
    this.composer.clear();
    await this.ask("send", this.tree.add({ id: crypto.randomUUID(), parent: this.tree.current, role: "user", text }));
  }

  private async edit(node: Node, text: string): Promise<void> {
    if (this.running) return;
    await this.ask("edit", this.tree.add({ id: crypto.randomUUID(), parent: node.parent, role: "user", text }), { edited: node });
  }

  private async regenerate(node: Node): Promise<void> {
    const user = this.tree.get(node.parent);
    if (!this.running && user) await this.ask("regenerate", user, { replaces: node });
  }

  private async switch(id: string): Promise<void> {
    if (this.running) return;
    this.tree.show(id);
    this.thread.draw(this.tree, null);
    await this.site.branches?.switch?.(this.conversation, this.tree);
  }

  private async stop(): Promise<void> {
    if (this.site.stop && this.conversation !== null) await this.site.stop(this.conversation);
    else this.running?.abort();
  }

  private async ask(kind: Ask["kind"], user: Node, { replaces = null, edited = null }: Partial<Pick<Ask, "replaces" | "edited">> = {}): Promise<void> {
    const { tree, visit, temporary } = this;
    const running = (this.running = new AbortController());
    const answer = tree.add({ id: crypto.randomUUID(), parent: user.id, role: "assistant", text: "" });
    this.thread.draw(tree, answer);
    this.state("streaming");
    const told: Told = {
      conversation: (id, title) => {
        if (visit !== this.visit) return;
        if (temporary) this.conversation = id;
        else if (this.conversation !== id) this.adopt(id, title ?? "New chat");
        else if (title !== undefined) this.retitle(id, title);
      },
      known: (ids) => {
        if ((ids.user ?? user.id) === user.id && (ids.answer ?? answer.id) === answer.id) return;
        if (ids.user) tree.rename(user.id, ids.user);
        if (ids.answer) tree.rename(answer.id, ids.answer);
        if (visit === this.visit) this.thread.draw(tree, answer);
      },
      answer: (text) => {
        answer.text = text;
        if (visit === this.visit) this.thread.write(answer);
      },
    };
    try {
      await this.site.ask({ kind, conversation: this.conversation, temporary, user, answer, replaces, edited, signal: running.signal }, told);
    } catch (error) {
      console.error(error);
      this.name("Something went wrong");
    }
    if (this.running === running) this.running = null;
    if (visit !== this.visit) return;
    this.thread.draw(tree, null);
    this.state("idle");
  }

  /** A new conversation got its id: its address changes, the page stays. */
  private adopt(id: string, title: string): void {
    this.conversation = id;
    history.replaceState({}, "", this.site.paths.of(id));
    this.links.prepend(this.link(id, title));
    this.name(title);
  }

  private retitle(id: string, title: string): void {
    const link = [...this.links.querySelectorAll("a")].find((each) => each.dataset["id"] === id);
    if (link) link.textContent = title;
    this.name(title);
  }
}
