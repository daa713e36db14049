/** A copy of Claude's page, of the accounts that it serves over JSON and server-sent events. */

import { type Ask, start } from "./shared/app";
import { h } from "./shared/dom";
import { proseMirror } from "./shared/prosemirror";
import { events, fetched } from "./shared/stream";
import { type Node, Tree } from "./shared/tree";

const BASE = "/api/organizations/3f5b2f7c-9d1e-4a57-8b0a-6a4e3c2d1b00/chat_conversations";
const ROOT = "00000000-0000-4000-8000-000000000000";
const JSON_TYPE = { "Content-Type": "application/json" };

interface History {
  current_leaf_message_uuid: string | null;
  chat_messages: { uuid: string; sender: string; parent_message_uuid: string; content: { type: string; text?: string }[] }[];
}

start({
  name: "Claude",
  paths: {
    fresh: "/new",
    temporary: "/new?incognito=true",
    of: (id) => `/chat/${id}`,
    id: (path) => /^\/chat\/([0-9a-f-]{36})/.exec(path)?.[1] ?? null,
  },

  composer({ send, stop }) {
    let busy = false;
    let empty = true;
    const sender = h("button", { type: "button", "aria-label": "Send message", disabled: true, click: send }, "↑");
    const stopper = h("button", { type: "button", "aria-label": "Stop response", "data-testid": "chat-input-stop", click: stop }, "■");
    const place = h("div", {}, sender);
    const editor = proseMirror({
      attributes: { class: "tiptap ProseMirror", role: "textbox", "aria-multiline": "true", "aria-label": "Write your prompt to Claude", "data-testid": "chat-input", enterkeyhint: "enter" },
      placeholder: "How can I help you today?",
      placeholderClass: "is-empty is-editor-empty before:content-[attr(data-placeholder)]",
      send: () => busy || empty || send(),
      changed: (now) => ((empty = now), sender.toggleAttribute("disabled", empty)),
    });
    return {
      element: h(
        "fieldset",
        { class: "composer" },
        h("div", { class: "editor", "data-testid": "chat-input-grid-area" }, editor.element),
        h("button", { type: "button", "aria-label": "Add files, connectors, and more" }, "+"),
        place,
      ),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), place.replaceChildren(on ? stopper : sender)),
    };
  },

  body: (role) => h("div", { class: role === "user" ? "whitespace-pre-wrap break-words" : "standard-markdown grid-cols-1 grid" }),

  turn(node, body, tools, { streaming }) {
    if (node.role === "user")
      return h("div", { "data-test-render-count": "2" }, h("div", { class: "group relative inline-flex bubble" }, h("div", { "data-testid": "user-message", class: "font-large !font-user-message" }, body)), tools);
    return h(
      "div",
      { "data-test-render-count": "2" },
      h("div", { class: "group relative", "data-is-streaming": String(streaming) }, h("div", { class: "font-claude-response relative" }, h("button", { type: "button", class: "thinking" }, "Thought process"), body)),
      tools,
    );
  },

  frame: (thread, composer) => h("div", { class: "frame" }, thread, composer),

  async list() {
    const listed = (await (await fetch(`${BASE}?limit=30&starred=false`)).json()) as { uuid: string; name: string }[];
    return listed.map(({ uuid, name }) => ({ id: uuid, title: name || "Untitled" }));
  },

  async load(id) {
    const answer = await fetch(`${BASE}/${id}?tree=True&rendering_mode=messages&render_all_tools=true`);
    const history = (await answer.json()) as History;
    const tree = new Tree();
    for (const { uuid, sender, parent_message_uuid, content } of history.chat_messages) {
      const text = content.map((block) => (block.type === "text" ? (block.text ?? "") : "")).join("");
      tree.add({ id: uuid, parent: parent_message_uuid === ROOT ? null : parent_message_uuid, role: sender === "human" ? "user" : "assistant", text });
    }
    tree.current = history.current_leaf_message_uuid;
    return tree;
  },

  async ask(ask, told) {
    const fresh = ask.conversation === null;
    const conversation = ask.conversation ?? crypto.randomUUID();
    told.conversation(conversation);
    const url = `${BASE}/${conversation}/${ask.kind === "regenerate" ? "retry_completion" : "completion"}`;
    const body = JSON.stringify(prompt(ask, fresh));
    let text = "";
    for await (const { data } of events(fetched(url, { method: "POST", headers: { ...JSON_TYPE, Accept: "text/event-stream" }, body, signal: ask.signal }))) {
      const event = JSON.parse(data) as { type: string; delta?: { type?: string; text?: string } };
      if (event.type === "content_block_delta" && event.delta?.type === "text_delta") told.answer((text += event.delta.text ?? ""));
    }
    if (!fresh || ask.temporary || ask.signal.aborted) return;
    const named = await fetch(`${BASE}/${conversation}/title`, { method: "POST", headers: JSON_TYPE, body: JSON.stringify({ message_content: ask.user.text, recent_titles: [] }) });
    told.conversation(conversation, ((await named.json()) as { title: string }).title);
  },

  branches: {
    edit: true,
    regenerate: true,
    async switch(conversation, tree) {
      await fetch(`${BASE}/${conversation}/current_leaf_message_uuid`, { method: "PUT", headers: JSON_TYPE, body: JSON.stringify({ current_leaf_message_uuid: tree.current }) });
    },
  },
});

function prompt({ kind, temporary, user, answer }: Ask, fresh: boolean): unknown {
  const retry = kind === "regenerate";
  return {
    prompt: retry ? "" : user.text,
    parent_message_uuid: retry ? user.id : ((user as Node).parent ?? ROOT),
    timezone: "UTC",
    locale: "en-US",
    turn_message_uuids: { ...(retry ? {} : { human_message_uuid: user.id }), assistant_message_uuid: answer.id },
    attachments: [],
    files: [],
    sync_sources: [],
    rendering_mode: "messages",
    ...(fresh ? { create_conversation_params: { name: "", model: "claude", include_conversation_preferences: true, is_temporary: temporary } } : {}),
  };
}
