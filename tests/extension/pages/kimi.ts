/** A copy of Kimi's page. */

import { start } from "./shared/app";
import { h } from "./shared/dom";
import { lexical } from "./shared/lexical";
import { type Node, Tree } from "./shared/tree";

interface Message {
  id: string;
  parentId?: string;
  role?: string;
  blocks?: { text?: { content: string } }[];
}

interface Event {
  op?: string;
  chat?: { id: string; name?: string };
  message?: Message;
  block?: { text?: { content: string } };
}

const CHAT = "/apiv2/kimi.chat.v1.ChatService";
const GATEWAY = "/apiv2/kimi.gateway.chat.v1.ChatService";
const HEADERS = { Authorization: "Bearer t", "connect-protocol-version": "1", "x-msh-platform": "web" };

const call = async (path: string, body: unknown): Promise<unknown> =>
  (await fetch(path, { method: "POST", headers: { ...HEADERS, "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
const textOf = (message: Message) => (message.blocks ?? []).map((block) => block.text?.content ?? "").join("");

start({
  name: "Kimi",
  paths: {
    fresh: "/",
    of: (id) => `/chat/${id}`,
    id: (path) => /^\/chat\/(?!history)([A-Za-z0-9_-]+)/.exec(path)?.[1] ?? null,
  },

  composer({ send, stop }) {
    let busy = false;
    let empty = true;
    const icon = h("span", { class: "send-icon", name: "Send" }, "↑");
    const container = h("div", { class: "send-button-container disabled", click: () => (busy ? stop() : empty || send()) }, h("div", { class: "send-button" }, icon));
    const draw = () => {
      container.classList.toggle("stop", busy);
      container.classList.toggle("disabled", empty && !busy);
      icon.setAttribute("name", busy ? "stop" : "Send");
    };
    const editor = lexical({
      attributes: { class: "chat-input-editor" },
      rich: true,
      send: () => busy || empty || send(),
      changed: (now) => ((empty = now), draw()),
    });
    const model = h("div", { class: "current-model" }, h("span", { class: "model-name" }, "K2.6"));
    return {
      element: h("div", { class: "chat-editor composer" }, h("div", { class: "chat-input-editor-container editor" }, editor.element), model, container),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), draw()),
    };
  },

  body: (role) => h("div", { class: role === "user" ? "user-content bubble" : "markdown" }),

  turn(node, body, tools) {
    const thought = h("div", { class: "toolcall-container thinking-container" }, h("div", { class: "markdown-container toolcall-content-text" }, h("div", { class: "markdown" }, "What do they want?")));
    const words = node.role === "user" ? [body] : [thought, h("div", { class: "markdown-container" }, body)];
    const box = h("div", { class: "segment-content" }, h("div", { class: "segment-content-box" }, ...words), tools);
    const segment = h("div", { class: `segment segment-${node.role}` }, h("div", { class: "segment-container" }, box));
    return h("div", { class: `chat-content-item chat-content-item-${node.role}` }, segment);
  },

  frame: (thread, composer) => h("div", { class: "frame chat-detail-main" }, h("div", { class: "frame chat-content-list" }, thread), composer),

  async list() {
    const { chats } = (await call(`${CHAT}/ListChats`, { project_id: "", page_size: 50, query: "" })) as { chats: { id: string; name: string }[] };
    return chats.map(({ id, name }) => ({ id, title: name }));
  },

  async load(id) {
    const tree = new Tree();
    const { messages } = (await call(`${GATEWAY}/ListMessages`, { chat_id: id, page_size: 100 })) as { messages: Message[] };
    for (const message of messages.reverse())
      if (message.role === "user" || message.role === "assistant")
        tree.add({ id: message.id, parent: tree.current, role: message.role as Node["role"], text: textOf(message) });
    return tree;
  },

  async ask({ conversation, user, signal }, told) {
    const message = { ...(user.parent ? { parent_id: user.parent } : {}), role: "user", blocks: [{ message_id: "", text: { content: user.text } }], scenario: "SCENARIO_K2D5" };
    const body = envelope({ scenario: "SCENARIO_K2D5", ...(conversation ? { chat_id: conversation } : {}), message, options: { thinking: true } });
    const response = await fetch(`${GATEWAY}/Chat`, { method: "POST", headers: { ...HEADERS, "Content-Type": "application/connect+json" }, body, signal });
    if (!response.ok || !response.body) throw new Error(`Chat: ${response.status}`);
    let answer = "";
    for await (const event of messagesOf(response.body, signal)) {
      if (event.chat) told.conversation(event.chat.id, event.chat.name);
      if (event.message?.role === "user") told.known({ user: event.message.id });
      if (event.message?.role === "assistant") told.known({ answer: event.message.id });
      if (!event.block?.text) continue;
      answer = event.op === "append" ? answer + event.block.text.content : event.block.text.content;
      told.answer(answer);
    }
  },
});

/** Flags, the length of what follows, and the message in JSON: bytes, as the site sends them. */
function envelope(message: unknown): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const whole = new Uint8Array(body.length + 5);
  new DataView(whole.buffer).setUint32(1, body.length);
  whole.set(body, 5);
  return whole;
}

async function* messagesOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Event> {
  const reader = stream.getReader();
  let waiting = new Uint8Array();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const joined = new Uint8Array(waiting.length + value.length);
      joined.set(waiting);
      joined.set(value, waiting.length);
      waiting = joined;
      for (let end = endOf(waiting); end !== null; end = endOf(waiting)) {
        yield JSON.parse(new TextDecoder().decode(waiting.subarray(5, end))) as Event;
        waiting = waiting.slice(end);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Where the first message ends; null where it is not there yet. */
function endOf(bytes: Uint8Array): number | null {
  if (bytes.length < 5) return null;
  const end = 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return end <= bytes.length ? end : null;
}
