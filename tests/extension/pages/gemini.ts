/** A copy of Gemini's page: Quill in a `rich-textarea`, everything over XMLHttpRequest in Google's envelope. */

import { type Ask, start, type Told } from "./shared/app";
import { h } from "./shared/dom";
import { quill } from "./shared/quill";
import { requested } from "./shared/stream";
import { type Node, Tree } from "./shared/tree";

const DATA = "/_/BardChatUi/data/";
const FORM = { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8", "X-Same-Domain": "1" };
const TEMPORARY = 45;
const card = h("div", { class: "temporary-chat-card" }, "Temporary chat");
const top = h("div");

type Candidate = [string, [string], ...unknown[]];
type Turn = [[string, string], unknown, [[string], ...unknown[]], [Candidate[]] | null, [number, number]];

function form(request: unknown): string {
  return new URLSearchParams({ "f.req": JSON.stringify(request), at: "t" }).toString();
}

/** The bodies of the answers in a response that comes in pieces. */
async function* bodies(pieces: AsyncIterable<string>): AsyncGenerator<unknown> {
  let waiting = "";
  for await (const piece of pieces) {
    waiting += piece;
    for (let end = waiting.indexOf("\n"); end >= 0; end = waiting.indexOf("\n")) {
      const line = waiting.slice(0, end);
      waiting = waiting.slice(end + 1);
      if (!line.startsWith("[")) continue;
      for (const [kind, , body] of JSON.parse(line) as [string, unknown, string | null][])
        if (kind === "wrb.fr" && body) yield JSON.parse(body);
    }
  }
}

async function call(rpc: string, parameters: unknown[]): Promise<unknown> {
  const path = encodeURIComponent(location.pathname);
  const request = form([[[rpc, JSON.stringify(parameters), null, "generic"]]]);
  for await (const body of bodies(requested("POST", `${DATA}batchexecute?rpcids=${rpc}&source-path=${path}&hl=en&_reqid=1&rt=c`, request, { headers: FORM }))) return body;
  return null;
}

start({
  name: "Google Gemini",
  paths: { fresh: "/app", of: (id) => `/app/${id}`, id: (path) => /^\/app\/([0-9a-f]+)/.exec(path)?.[1] ?? null },
  temporary: (on) => top.replaceChildren(...(on ? [card] : [])),

  composer({ send, stop }) {
    let busy = false;
    let empty = true;
    const button = h("button", { class: "mdc-icon-button send-button submit", "aria-label": "Send message", "aria-disabled": "true", disabled: true, click: () => (busy ? stop() : send()) }, "➤");
    const draw = () => {
      button.className = `mdc-icon-button send-button ${busy ? "stop" : "submit"}`;
      button.setAttribute("aria-label", busy ? "Stop response" : "Send message");
      button.setAttribute("aria-disabled", String(empty && !busy));
      button.toggleAttribute("disabled", empty && !busy);
    };
    const editor = quill({ label: "Enter a prompt for Gemini", placeholder: "Ask Gemini", send: () => busy || empty || send(), changed: (now) => ((empty = now), draw()) });
    return {
      element: h("input-area-v2", {}, h("div", { class: "composer text-input-field" }, h("rich-textarea", { class: "text-input-field_textarea editor" }, editor.element), h("div", { class: "send-button-container" }, button))),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), draw()),
    };
  },

  body: (role) => (role === "user" ? h("p", { class: "query-text-line bubble" }) : h("div", { class: "markdown markdown-main-panel" })),

  turn(node, body, tools, { streaming }) {
    if (node.role === "user")
      return h("user-query", {}, h("user-query-content", {}, h("div", { class: "query-content" }, h("span", { class: "cdk-visually-hidden", hidden: true }, "You said"), h("div", { class: "query-text gds-body-l", dir: "ltr" }, body))), tools);
    body.setAttribute("aria-busy", String(streaming));
    return h(
      "model-response",
      {},
      h("response-container", {}, h("model-thoughts", {}, h("button", { type: "button" }, "Show thinking")), h("message-content", { class: "model-response-text", id: `message-content-id-${node.id}` }, body)),
      h("div", { class: `response-footer${streaming ? "" : " complete"}` }, tools),
    );
  },

  frame: (thread, composer) => h("chat-window", { class: "frame" }, top, thread, composer),

  async list() {
    const [, , listed] = (await call("MaZiqc", [13, null, [0, null, 1]])) as [null, null, [string, string][]];
    return listed.map(([id, title]) => ({ id: id.replace("c_", ""), title }));
  },

  async load(id) {
    const [turns] = (await call("hNvQHb", [`c_${id}`, 1000, null, 1, [1], [4], null, 1])) as [Turn[]];
    const tree = new Tree();
    for (const [[, response], , [[text]], answers] of turns.toReversed()) {
      tree.add({ id: response, parent: tree.current, role: "user", text });
      const [candidate] = answers?.[0] ?? [];
      if (candidate) tree.add({ id: candidate[0], parent: response, role: "assistant", text: candidate[1][0] });
    }
    return tree;
  },

  async ask(ask, told) {
    const url = `${DATA}assistant.lamda.BardFrontendService/StreamGenerate?bl=boq_assistant-bard-web-server&hl=en&_reqid=2&rt=c`;
    await answered(bodies(requested("POST", url, form([null, JSON.stringify(prompt(ask))]), { headers: FORM, signal: ask.signal })), told);
  },

  branches: { edit: true, regenerate: true },

  async stop(conversation) {
    await call("NkpXw", [`c_${conversation}`]);
  },
});

function prompt({ conversation, temporary, user }: Ask): unknown[] {
  const inner: unknown[] = new Array(80).fill(null);
  inner[0] = [(user as Node).text, 0, null, null, null, null, 0];
  inner[1] = ["en"];
  inner[2] = [conversation ? `c_${conversation}` : "", "", user.parent ?? "", null, null, null, null, null, null, ""];
  inner[7] = 1;
  if (temporary) inner[TEMPORARY] = 1;
  return inner;
}

async function answered(stream: AsyncIterable<unknown>, told: Told): Promise<void> {
  for await (const body of stream) {
    const [, ids, , , candidates] = body as [unknown, [string, string], unknown, unknown, Candidate[] | undefined];
    told.conversation(ids[0].replace("c_", ""));
    const [candidate] = candidates ?? [];
    told.known({ user: ids[1], ...(candidate ? { answer: candidate[0] } : {}) });
    if (candidate) told.answer(candidate[1][0]);
  }
}
