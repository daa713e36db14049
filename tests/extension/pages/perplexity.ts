/** A copy of Perplexity's page. */

import { start } from "./shared/app";
import { h } from "./shared/dom";
import { lexical } from "./shared/lexical";
import { events, fetched } from "./shared/stream";
import { Tree } from "./shared/tree";

interface Entry {
  backend_uuid: string;
  thread_url_slug: string;
  thread_title: string;
  query_str: string;
  status: string;
  blocks: { intended_usage: string; markdown_block?: { answer: string }; diff_block?: { patches: { path: string; value: string | { chunks: string[] } }[] } }[];
}

const USE_CASES = ["answer_modes", "diff_blocks", "inline_images", "workflow_steps"].map((use) => `&supported_block_use_cases=${use}`).join("");
const answerOf = (entry: Entry) => entry.blocks.find((block) => block.intended_usage === "ask_text")?.markdown_block?.answer ?? "";

start({
  name: "Perplexity",
  paths: {
    fresh: "/",
    of: (id) => `/search/${id}`,
    id: (path) => /^\/search\/([^/?]+)/.exec(path)?.[1] ?? null,
  },

  composer({ send, stop }) {
    let busy = false;
    let empty = true;
    const button = h("button", { type: "button", "aria-label": "Submit", disabled: true, click: () => (busy ? stop() : send()) }, "→");
    const draw = () => {
      button.setAttribute("aria-label", busy ? "Stop generating response" : "Submit");
      button.toggleAttribute("disabled", empty && !busy);
    };
    const editor = lexical({
      attributes: { id: "ask-input", "aria-placeholder": "Ask anything…", class: "overflow-auto outline-none font-sans size-full" },
      rich: false,
      send: () => busy || empty || send(),
      changed: (now) => ((empty = now), draw()),
    });
    const attach = h("button", { type: "button", "aria-label": "Attach" }, "+");
    const dictate = h("button", { type: "button", "aria-label": "Dictation" }, "○");
    return {
      element: h("div", { class: "bg-raised composer" }, attach, h("div", { class: "editor" }, editor.element), dictate, button),
      text: editor.text,
      clear: editor.clear,
      busy: (on) => ((busy = on), draw()),
    };
  },

  body: (role) => (role === "user" ? h("span", { class: "select-text bubble" }) : h("div", { class: "prose dark:prose-invert inline leading-relaxed" })),

  turn(node, body, tools, { place }) {
    const words =
      node.role === "user"
        ? h("div", { class: "group/query relative whitespace-pre-line" }, body)
        : h("div", { id: `markdown-content-${place}`, class: "gap-y-md after:clear-both", dir: "auto" }, body);
    return h("div", { class: "erp-tab" }, words, tools);
  },

  frame: (thread, composer) => h("div", { class: "frame scrollable-container" }, thread, composer),

  async list() {
    const listed = (await (await fetch("/rest/thread/list_recent?version=2.18&source=default")).json()) as { slug: string; title: string }[];
    return listed.map(({ slug, title }) => ({ id: slug, title }));
  },

  async load(id) {
    const tree = new Tree();
    const path = `/rest/thread/${id}?with_parent_info=true&with_schematized_response=true&version=2.18&source=default&limit=10&offset=0&from_first=true${USE_CASES}`;
    const { entries } = (await (await fetch(path)).json()) as { entries: Entry[] };
    for (const entry of entries) {
      tree.add({ id: `${entry.backend_uuid}/query`, parent: tree.current, role: "user", text: entry.query_str });
      tree.add({ id: `${entry.backend_uuid}/answer`, parent: tree.current, role: "assistant", text: answerOf(entry) });
    }
    return tree;
  },

  async ask({ user, signal }, told) {
    const uuid = crypto.randomUUID();
    const params = {
      last_backend_uuid: user.parent?.replace("/answer", "") ?? null,
      read_write_token: null,
      frontend_uuid: uuid,
      frontend_context_uuid: uuid,
      query_source: user.parent ? "followup" : "home",
      prompt_source: "user",
      mode: "copilot",
      model_preference: "turbo",
      sources: ["web"],
      is_incognito: false,
      use_schematized_api: true,
      send_back_text_in_streaming_api: false,
      dsl_query: user.text,
      version: "2.18",
    };
    const body = JSON.stringify({ params, query_str: user.text });
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    let answer = "";
    for await (const { event, data } of events(plain(fetched("/rest/sse/perplexity_ask", { method: "POST", headers, body, signal })))) {
      if (event !== "message") return;
      const entry = JSON.parse(data) as Entry;
      told.conversation(entry.thread_url_slug, entry.thread_title);
      told.known({ user: `${entry.backend_uuid}/query`, answer: `${entry.backend_uuid}/answer` });
      answer = entry.status === "COMPLETED" ? answerOf(entry) : answer + patched(entry);
      told.answer(answer);
    }
  },
});

/** What an event adds to the answer. */
function patched({ blocks }: Entry): string {
  const patches = blocks.find((block) => block.intended_usage === "ask_text")?.diff_block?.patches ?? [];
  return patches.map(({ value }) => (typeof value === "string" ? value : value.chunks.join(""))).join("");
}

/** Its events end their lines with CR and LF. */
async function* plain(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) yield piece.replaceAll("\r", "");
}
