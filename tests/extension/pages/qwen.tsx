/** A copy of Qwen's page. Its composer is a textarea that React controls. */

import { type KeyboardEvent, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { start } from "./shared/app";
import { h } from "./shared/dom";
import { events, fetched } from "./shared/stream";
import { type Node, Tree } from "./shared/tree";

interface Message {
  id: string;
  parentId: string | null;
  role: Node["role"];
  content: string;
  content_list?: { phase: string; content: string }[];
}

interface Event {
  "response.created"?: { chat_id: string; parent_id: string; response_id: string };
  choices?: { delta: { content: string; phase: string } }[];
}

const HEADERS = { "Content-Type": "application/json", Accept: "application/json", source: "web" };

/** React's state, within reach of the page. */
interface Control {
  value: string;
  set(value: string): void;
  busy(on: boolean): void;
}

function Composer({ control, send, stop }: { control: Partial<Control>; send(): void; stop(): void }) {
  const [value, set] = useState("");
  const [busy, setBusy] = useState(false);
  Object.assign(control, { value, set, busy: setBusy });
  const empty = value.trim() === "";
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (!empty && !busy) send();
  };
  return (
    <div className="message-input-container composer">
      <button type="button" className="mode-select" aria-label="Add">
        +
      </button>
      <div className="editor">
        <textarea className="message-input-textarea" placeholder="How can I help you today?" rows={2} value={value} onChange={(event) => set(event.target.value)} onKeyDown={key} />
      </div>
      <div className="message-input-right-button-send">
        {busy ? (
          <button type="button" className="stop-button" aria-label="Stop" onClick={stop}>
            ■
          </button>
        ) : (
          <button type="button" className={`send-button${empty ? " disabled" : ""}`} disabled={empty} onClick={send}>
            ↑
          </button>
        )}
      </div>
    </div>
  );
}

start({
  name: "Qwen",
  paths: {
    fresh: "/",
    of: (id) => `/c/${id}`,
    id: (path) => /^\/c\/([0-9a-f-]{36})/.exec(path)?.[1] ?? null,
  },

  composer(actions) {
    const control: Partial<Control> = {};
    const element = h("div", { class: "chat-layout-input-container" });
    const root = createRoot(element);
    flushSync(() => root.render(<Composer control={control} {...actions} />));
    return {
      element,
      text: () => control.value ?? "",
      clear: () => flushSync(() => control.set?.("")),
      busy: (on) => flushSync(() => control.busy?.(on)),
    };
  },

  body: (role) => (role === "user" ? h("p", { class: "user-message-content bubble" }) : h("div", { class: "qwen-markdown qwen-markdown-loose" })),

  turn(node, body, tools) {
    const id = `qwen-chat-message-${node.role}-${node.id}`;
    if (node.role === "user") {
      const words = h("div", { class: "chat-user-message-wrapper" }, h("div", { class: "chat-user-message" }, body), tools);
      return h("div", { id, class: "qwen-chat-message qwen-chat-message-user" }, h("div", { class: "chat-user-message-container" }, words));
    }
    const thought = h("div", { class: "qwen-chat-thinking-status-card" }, h("span", { class: "qwen-chat-thinking-status-card-title-text" }, "Thinking completed"));
    const words = h("div", { class: "response-message-content t2t phase-answer" }, body);
    const response = h("div", { id: `chat-response-message-${node.id}`, class: "chat-response-message" }, thought, words, h("div", { class: "response-message-footer" }, tools));
    return h("div", { id, class: "qwen-chat-message qwen-chat-message-assistant" }, response);
  },

  frame: (thread, composer) => h("div", { class: "frame chat-messages-container" }, h("div", { class: "frame chat-messages", id: "chat-message-container" }, thread), composer),

  async list() {
    const { data } = (await (await fetch("/api/v2/chats/?page=1")).json()) as { data: { id: string; title: string }[] };
    return data;
  },

  async load(id) {
    const tree = new Tree();
    const { data } = (await (await fetch(`/api/v2/chats/${id}?direction=up&limit=10`)).json()) as { data: { chat: { history: { messages: Record<string, Message>; currentId: string } } } };
    const { messages, currentId } = data.chat.history;
    for (const { id: each, parentId, role, content, content_list } of Object.values(messages)) {
      const answer = content_list?.find(({ phase }) => phase === "answer")?.content;
      tree.add({ id: each, parent: parentId, role, text: answer ?? content });
    }
    tree.current = currentId;
    return tree;
  },

  async ask({ conversation, user, answer, signal }, told) {
    const chat = conversation ?? (await made());
    if (conversation === null) told.conversation(chat);
    if (signal.aborted) return;
    const message = { fid: user.id, parentId: user.parent, childrenIds: [answer.id], role: "user", content: user.text, user_action: "chat", files: [], models: ["qwen3.7-plus"], chat_type: "t2t", sub_chat_type: "t2t", parent_id: user.parent };
    const body = JSON.stringify({ stream: true, version: "2.1", incremental_output: true, chat_id: chat, chat_mode: "normal", model: "qwen3.7-plus", parent_id: user.parent, messages: [message] });
    let text = "";
    for await (const { data } of events(fetched(`/api/v2/chat/completions?chat_id=${chat}`, { method: "POST", headers: HEADERS, body, signal }))) {
      const event = JSON.parse(data) as Event;
      const created = event["response.created"];
      if (created) told.known({ user: created.parent_id, answer: created.response_id });
      const delta = event.choices?.[0]?.delta;
      if (delta?.phase === "answer") told.answer((text += delta.content));
    }
    if (conversation === null) told.conversation(chat, `About ${user.text.slice(0, 24)}`);
  },
});

async function made(): Promise<string> {
  const body = JSON.stringify({ chatId: "", models: ["qwen3.7-plus"], project_id: "", timestamp: Date.now(), chat_type: "t2t", chat_mode: "normal" });
  const { data } = (await (await fetch("/api/v2/chats/new", { method: "POST", headers: HEADERS, body })).json()) as { data: { id: string } };
  return data.id;
}
