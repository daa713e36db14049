/** A copy of ChatGPT's page. */

import { type Ask, start, type Told } from "./shared/app";
import { applyDelta, type Delta } from "./shared/delta";
import { h } from "./shared/dom";
import { proseMirror } from "./shared/prosemirror";
import { events, fetched } from "./shared/stream";
import { type Node, Tree } from "./shared/tree";

interface Message {
  id: string;
  author: { role: string };
  content: { content_type: string; parts?: string[] };
  metadata: { is_visually_hidden_from_conversation?: boolean };
}

const json = async (path: string): Promise<Response> => fetch(path, { headers: { Authorization: "Bearer t" } });
const shown = ({ author, content, metadata }: Message) =>
  (author.role === "user" || author.role === "assistant") && content.content_type === "text" && !metadata.is_visually_hidden_from_conversation;

start({
  name: "ChatGPT",
  paths: {
    fresh: "/",
    temporary: "/?temporary-chat=true",
    of: (id) => `/c/${id}`,
    id: (path) => /\/c\/([0-9a-f-]{36})/.exec(path)?.[1] ?? null,
  },

  composer({ send, stop }) {
    const button = h("button", { type: "button", id: "composer-submit-button", "data-testid": "send-button", "aria-label": "Send prompt", disabled: true, click: () => (busy ? stop() : send()) }, "↑");
    let busy = false;
    let empty = true;
    const draw = () => {
      button.setAttribute("data-testid", busy ? "stop-button" : "send-button");
      button.setAttribute("aria-label", busy ? "Stop streaming" : "Send prompt");
      button.toggleAttribute("disabled", empty && !busy);
    };
    const editor = proseMirror({
      attributes: { id: "prompt-textarea", class: "ProseMirror", role: "textbox", "aria-multiline": "true", "aria-label": "Chat with ChatGPT", translate: "no", "data-virtualkeyboard": "true" },
      placeholder: "Ask anything",
      placeholderClass: "placeholder",
      send: () => busy || empty || send(),
      changed: (now) => ((empty = now), draw()),
    });
    const plus = h("button", { type: "button", "data-testid": "composer-plus-btn", "aria-label": "Add files and more" }, "+");
    return {
      element: h("form", { class: "group/composer composer", "data-type": "unified-composer", submit: (event) => event.preventDefault() }, plus, h("div", { class: "editor prosemirror-parent" }, editor.element), button),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), draw()),
    };
  },

  body: (role) => h("div", { class: role === "user" ? "whitespace-pre-wrap bubble" : "markdown prose dark:prose-invert w-full wrap-break-word" }),

  turn(node, body, tools, { place, streaming }) {
    const words = node.role === "user" ? h("div", { class: "user-message-bubble-color relative" }, body) : body;
    if (streaming) body.classList.add("streaming-animation", "result-streaming");
    return h(
      "section",
      { "data-testid": `conversation-turn-${place}`, "data-turn": node.role, "data-turn-id": node.id, dir: "auto" },
      h("h4", { class: "sr-only", hidden: true }, node.role === "user" ? "You said:" : "ChatGPT said:"),
      h("div", { "data-message-author-role": node.role, "data-message-id": node.id, class: "text-message", dir: "auto" }, words),
      tools,
    );
  },

  frame: (thread, composer) => h("div", { class: "frame" }, thread, h("div", { id: "thread-bottom" }, composer)),

  async list() {
    const { items } = (await (await json("/backend-api/conversations?offset=0&limit=28&order=updated")).json()) as { items: { id: string; title: string }[] };
    return items;
  },

  async load(id) {
    const tree = new Tree();
    const paged = await json(`/backend-api/conversations/${id}?include_has_versions=true&num_turns=10`);
    if (paged.ok) {
      await older(id, tree, (await paged.json()) as Page);
      return tree;
    }
    const { mapping, current_node } = (await (await json(`/backend-api/conversation/${id}`)).json()) as { mapping: Record<string, { message: Message | null; parent: string | null }>; current_node: string };
    for (const { message, parent } of Object.values(mapping))
      if (message && shown(message)) tree.add(nodeOf(message, parent));
    tree.current = tree.get(current_node)?.id ?? null;
    return tree;
  },

  async ask(ask, told) {
    await fetch("/backend-api/f/conversation/prepare", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ action: "next" }) });
    const body = JSON.stringify(prompt(ask));
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    await answered(events(fetched("/backend-api/f/conversation", { method: "POST", headers, body, signal: ask.signal })), told);
  },

  branches: { edit: true, regenerate: true },

  async stop(conversation) {
    await fetch("/backend-api/stop_conversation", { method: "POST", body: JSON.stringify({ conversation_id: conversation }) });
  },
});

interface Page {
  messages: Message[];
  page_info: { has_previous_page: boolean; start_cursor: string };
}

/** The history in pages of turns, newest first; older ones come before what is there. */
async function older(id: string, tree: Tree, last: Page): Promise<void> {
  let page = last;
  let messages = page.messages;
  while (page.page_info.has_previous_page) {
    page = (await (await json(`/backend-api/conversations/${id}/messages?before=${page.page_info.start_cursor}&num_turns=10`)).json()) as Page;
    messages = [...page.messages, ...messages];
  }
  for (const message of messages) if (shown(message)) tree.add(nodeOf(message, tree.current));
}

function nodeOf(message: Message, parent: string | null): Node {
  return { id: message.id, parent, role: message.author.role as Node["role"], text: (message.content.parts ?? []).join("") };
}

function prompt({ kind, conversation, temporary, user }: Ask): unknown {
  const message = { id: user.id, author: { role: "user" }, create_time: Date.now() / 1000, content: { content_type: "text", parts: [user.text] }, metadata: {} };
  return {
    action: kind === "regenerate" ? "variant" : "next",
    messages: [message],
    ...(conversation ? { conversation_id: conversation } : {}),
    parent_message_id: user.parent ?? "client-created-root",
    model: "auto",
    timezone_offset_min: 0,
    history_and_training_disabled: temporary,
    conversation_mode: { kind: "primary_assistant" },
    supported_encodings: ["v1"],
    supports_buffering: true,
  };
}

/** Follows either form of the stream: whole messages, or the delta encoding. */
async function answered(stream: AsyncIterable<{ data: string }>, told: Told): Promise<void> {
  const state: { slots: unknown[]; at: number; last: Delta } = { slots: [], at: 0, last: {} };
  for await (const { data } of stream) {
    if (data === "[DONE]") return;
    const value = JSON.parse(data) as { type?: string; title?: string; conversation_id?: string; message?: Message } | string;
    if (typeof value === "string") continue;
    if (value.type) {
      if (value.conversation_id) told.conversation(value.conversation_id, value.title);
      continue;
    }
    if (!value.message) applyDelta(state, value as Delta);
    const said = value.message ?? (state.slots[state.at] as { message?: Message } | undefined)?.message;
    if (value.conversation_id) told.conversation(value.conversation_id);
    if (said?.author.role === "assistant" && shown(said)) {
      told.known({ answer: said.id });
      told.answer((said.content.parts ?? []).join(""));
    }
  }
}
