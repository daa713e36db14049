/** A copy of DeepSeek's page: a textarea controlled by React, and everything over XMLHttpRequest. */

import { type ReactNode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { type Ask, start, type Told } from "./shared/app";
import { h } from "./shared/dom";
import { Store } from "./shared/store";
import { events, requested } from "./shared/stream";
import { Tree } from "./shared/tree";

const API = "/api/v0";
const HEADERS = { "Content-Type": "application/json", Authorization: "Bearer t", "x-client-platform": "web" };

interface Session {
  id: string;
  title: string;
  current_message_id: number | null;
}

interface Message {
  message_id: number;
  parent_id: number | null;
  role: string;
  fragments: { type: string; content: string }[];
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  let text = "";
  for await (const piece of requested(method, API + path, body ? JSON.stringify(body) : null, { headers: HEADERS })) text += piece;
  return (JSON.parse(text) as { data: { biz_data: T } }).data.biz_data;
}

const SEND = "M8.3125 0.981587C8.66767 1.0545 8.97902 1.20558 9.2627 1.43374Z";
const STOP = "M2 4.88V11.12H14V4.88Z";

interface Draft {
  text: string;
  busy: boolean;
}

function Composer({ store, send, stop }: { store: Store<Draft>; send(): void; stop(): void }): ReactNode {
  const { text, busy } = useSyncExternalStore(store.subscribe, store.get);
  const off = !busy && text.trim() === "";
  return (
    <>
      <div className="editor">
        <textarea
          className="ds-scroll-area"
          placeholder="Message DeepSeek"
          rows={2}
          autoComplete="off"
          value={text}
          onChange={(event) => store.set({ text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            if (!busy && !off) send();
          }}
        />
      </div>
      <div role="button" tabIndex={0} className="ds-button ds-toggle-button">DeepThink</div>
      <div role="button" tabIndex={0} aria-disabled={off} className="ds-button ds-button--primary ds-button--filled ds-button--circle" onClick={() => (busy ? stop() : off || send())}>
        <div className="ds-icon">
          <svg width="16" height="16" viewBox="0 0 16 16"><path d={busy ? STOP : SEND} fill="currentColor" /></svg>
        </div>
      </div>
    </>
  );
}

let answering: number | null = null;

start({
  name: "DeepSeek",
  paths: { fresh: "/", of: (id) => `/a/chat/s/${id}`, id: (path) => /^\/a\/chat\/s\/([0-9a-f-]{36})/.exec(path)?.[1] ?? null },

  composer({ send, stop }) {
    const store = new Store<Draft>({ text: "", busy: false });
    const element = h("div", { class: "composer" });
    createRoot(element).render(<Composer store={store} send={send} stop={stop} />);
    return { element, text: () => store.get().text, clear: () => store.set({ text: "" }), busy: (busy) => store.set({ busy }) };
  },

  body: (role) => h("div", { class: role === "user" ? "fbb737a4 bubble" : "ds-markdown ds-assistant-message-main-content" }),

  turn(node, body, tools) {
    const thought = h("div", { class: "ds-think-content" }, h("div", { class: "ds-markdown" }, h("p", { class: "ds-markdown-paragraph" }, "A thought that is none of the answer.")));
    return h("div", { class: node.role === "user" ? "_9663006" : "_4f9bf79" }, h("div", { class: "ds-message" }, ...(node.role === "user" ? [] : [thought]), body), tools);
  },

  frame: (thread, composer) => h("div", { class: "frame" }, thread, composer),

  async list() {
    const { chat_sessions } = await call<{ chat_sessions: Session[] }>("GET", "/chat_session/fetch_page?count=100");
    return chat_sessions;
  },

  async load(id) {
    const { chat_session, chat_messages } = await call<{ chat_session: Session; chat_messages: Message[] }>("GET", `/chat/history_messages?chat_session_id=${id}&cache_version=0`);
    const tree = new Tree();
    for (const { message_id, parent_id, role, fragments } of chat_messages) {
      const text = fragments.flatMap(({ type, content }) => (type === "REQUEST" || type === "RESPONSE" ? content : [])).join("");
      tree.add({ id: String(message_id), parent: parent_id === null ? null : String(parent_id), role: role === "USER" ? "user" : "assistant", text });
    }
    tree.current = chat_session.current_message_id === null ? null : String(chat_session.current_message_id);
    return tree;
  },

  async ask(ask, told) {
    const conversation = ask.conversation ?? (await call<Session>("POST", "/chat_session/create", { character_id: null })).id;
    told.conversation(conversation);
    await call("POST", "/chat/create_pow_challenge", { target_path: "/api/v0/chat/completion" });
    const [path, body] = prompt(ask, conversation);
    await answered(events(requested("POST", API + path, JSON.stringify(body), { headers: HEADERS, signal: ask.signal })), conversation, told);
  },

  branches: { edit: true, regenerate: true },

  async stop(conversation) {
    await call("POST", "/chat/stop_stream", { chat_session_id: conversation, message_id: answering });
  },
});

function prompt({ kind, user, replaces, edited }: Ask, conversation: string): [string, object] {
  const common = { chat_session_id: conversation, thinking_enabled: true, search_enabled: false };
  if (kind === "regenerate") return ["/chat/regenerate", { ...common, child_message_id: Number(replaces?.id) }];
  if (kind === "edit") return ["/chat/edit_message", { ...common, message_id: Number(edited?.id), prompt: user.text }];
  const parent = user.parent === null ? null : Number(user.parent);
  return ["/chat/completion", { ...common, parent_message_id: parent, prompt: user.text, ref_file_ids: [], model_type: "default" }];
}

/** Follows the fragments of kind RESPONSE. */
async function answered(stream: AsyncIterable<{ event: string; data: string }>, conversation: string, told: Told): Promise<void> {
  let path = "";
  let said = "";
  let responding = false;
  for await (const { event, data } of stream) {
    const value = JSON.parse(data) as { p?: string; v?: unknown; content?: string; request_message_id?: number; response_message_id?: number };
    if (event === "ready") {
      answering = value.response_message_id ?? null;
      told.known({ user: String(value.request_message_id), answer: String(value.response_message_id) });
    } else if (event === "title") told.conversation(conversation, value.content);
    if (event !== "message") continue;
    path = value.p ?? path;
    if (path === "response/fragments") {
      const [fragment] = value.v as { type: string; content: string }[];
      responding = fragment?.type === "RESPONSE";
      if (responding) said += fragment?.content ?? "";
    } else if (path === "response/fragments/-1/content" && responding) said += String(value.v);
    if (responding) told.answer(said);
  }
}
