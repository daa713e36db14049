/** A copy of Grok's page. */

import { start } from "./shared/app";
import { h } from "./shared/dom";
import { proseMirror } from "./shared/prosemirror";
import { fetched } from "./shared/stream";
import { Tree } from "./shared/tree";

interface Response {
  responseId: string;
  sender: string;
  message: string;
  parentResponseId?: string;
}

interface Told {
  userResponse?: Response;
  modelResponse?: Response;
  token?: string;
  isThinking?: boolean;
  responseId?: string;
}

interface Event {
  result: Told & { conversation?: { conversationId: string }; title?: { newTitle: string }; response?: Told };
}

const REST = "/rest/app-chat/conversations";
const HEADERS = { "Content-Type": "application/json", "x-xai-request-id": "r" };

start({
  name: "Grok",
  paths: {
    fresh: "/",
    // On the site with "#private" after it.
    temporary: "/c",
    of: (id) => `/c/${id}`,
    id: (path) => /^\/c\/([0-9a-f-]{36})/.exec(path)?.[1] ?? null,
  },

  composer({ send, stop }) {
    let busy = false;
    let empty = true;
    const button = h("button", { type: "submit", "aria-label": "Submit", disabled: true }, "↑");
    const draw = () => {
      button.setAttribute("aria-label", busy ? "Stop model response" : "Submit");
      button.setAttribute("type", busy ? "button" : "submit");
      button.toggleAttribute("disabled", empty && !busy);
    };
    button.addEventListener("click", () => busy && stop());
    const editor = proseMirror({
      attributes: { class: "tiptap ProseMirror w-full", role: "textbox", "aria-label": "Ask Grok anything", tabindex: "0", translate: "no" },
      placeholder: "What do you want to know?",
      placeholderClass: "is-empty is-editor-empty",
      send: () => busy || empty || send(),
      changed: (now) => ((empty = now), draw()),
    });
    const submit = (event: globalThis.Event) => (event.preventDefault(), busy || empty || send());
    const attach = h("button", { type: "button", "aria-label": "Attach" }, "+");
    const model = h("button", { type: "button", id: "model-select-trigger", "aria-label": "Model select" }, "Fast");
    return {
      element: h("form", { class: "w-full query-bar composer", submit }, attach, h("div", { class: "editor" }, editor.element), model, button),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), draw()),
    };
  },

  body: (role) => (role === "user" ? h("span", { class: "whitespace-pre-wrap bubble" }) : h("div", { class: "relative response-content-markdown markdown" })),

  turn(node, body, tools) {
    const [side, bubble] = node.role === "user" ? ["items-end", "rounded-3xl bg-surface-l1 rounded-br-lg"] : ["items-start", "w-full max-w-none"];
    return h(
      "div",
      { id: `response-${node.id}`, class: `relative group flex flex-col justify-center w-full ${side}`, dir: "auto" },
      h("div", { class: `message-bubble relative ${bubble}`, dir: "auto" }, body),
      h("div", { class: "action-buttons flex items-end" }, tools),
    );
  },

  frame: (thread, composer) => h("div", { class: "frame", id: "grok-app-root" }, thread, composer),

  async list() {
    const { conversations } = (await (await fetch(`${REST}?pageSize=60`)).json()) as { conversations: { conversationId: string; title: string }[] };
    return conversations.map(({ conversationId, title }) => ({ id: conversationId, title }));
  },

  async load(id) {
    const tree = new Tree();
    const { responseNodes } = (await (await fetch(`${REST}/${id}/response-node?includeThreads=true`)).json()) as { responseNodes: Response[] };
    const body = JSON.stringify({ responseIds: responseNodes.map(({ responseId }) => responseId) });
    const { responses } = (await (await fetch(`${REST}/${id}/load-responses`, { method: "POST", headers: HEADERS, body })).json()) as { responses: Response[] };
    for (const { responseId, sender, message, parentResponseId } of responses)
      tree.add({ id: responseId, parent: parentResponseId ?? null, role: sender === "human" ? "user" : "assistant", text: message });
    return tree;
  },

  async ask({ conversation, temporary, user, signal }, told) {
    const body = JSON.stringify({
      temporary,
      message: user.text,
      ...(user.parent ? { parentResponseId: user.parent } : {}),
      fileAttachments: [],
      disableSearch: false,
      enableSideBySide: true,
      sendFinalMetadata: true,
      modeId: "fast",
    });
    const url = conversation ? `${REST}/${conversation}/responses` : `${REST}/new`;
    let answer = "";
    let id = conversation;
    for await (const line of linesOf(fetched(url, { method: "POST", headers: HEADERS, body, signal }))) {
      const { result } = JSON.parse(line) as Event;
      const { userResponse, modelResponse, token, isThinking, responseId } = result.response ?? result;
      if (result.conversation) told.conversation((id = result.conversation.conversationId));
      if (result.title && id) told.conversation(id, result.title.newTitle);
      if (userResponse) told.known({ user: userResponse.responseId });
      else if (responseId) told.known({ answer: responseId });
      if (token !== undefined && !isThinking) told.answer((answer += token));
      if (modelResponse) told.answer(modelResponse.message);
    }
  },
});

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let waiting = "";
  for await (const piece of pieces) {
    const lines = (waiting + piece).split("\n");
    waiting = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
}
