import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readPerplexity } from "../../../extension/src/wire/perplexity";
import { bearsAnything, cut, exchange } from "./exchange";

const SLUG = "3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";
const ASK_URL = "https://www.perplexity.ai/rest/sse/perplexity_ask";
const markdown = (usage: string, answer: string) => ({ intended_usage: usage, markdown_block: { progress: "DONE", chunks: [answer], chunk_starting_offset: 0, answer } });
const SOURCES = { intended_usage: "web_results", web_result_block: { web_results: [{ name: "Docs", url: "https://example.org", snippet: "The words of a source." }] } };
const PLAN = { intended_usage: "plan", plan_block: { goals: [{ description: "Think about it" }], steps: [] } };
const entry = (id: string, query: string, answer: string, more: object = {}) => ({
  backend_uuid: id,
  context_uuid: "c",
  uuid: "front",
  thread_url_slug: SLUG,
  thread_title: "Rivers",
  query_str: query,
  status: "COMPLETED",
  text_completed: true,
  final_sse_message: true,
  expiry_time: null,
  updated_datetime: "2026-11-05T09:31:00.123456",
  blocks: [PLAN, SOURCES, markdown("ask_text_0_markdown", answer), markdown("ask_text", answer)],
  ...more,
});
const sse = (events: [unknown, string?][], space = " "): string => events.map(([data, event = "message"]) => `event: ${event}\r\ndata:${space}${JSON.stringify(data)}\r\n\r\n`).join("");

const EVENTS: [unknown, string?][] = [
  [entry(SLUG, "Longest river?\nIn km.", "", { status: "PENDING", final_sse_message: false, blocks: [PLAN] })],
  [entry(SLUG, "Longest river?\nIn km.", "", { status: "PENDING", final_sse_message: false, blocks: [{ intended_usage: "ask_text_0_markdown", diff_block: { field: "markdown_block", patches: [{ op: "add", path: "/chunks/0", value: "The Nile" }] } }] })],
  [entry(SLUG, "Longest river?\nIn km.", "The Nile, 6,650 km.[1]")],
  [{}, "end_of_stream"],
];
const LIVE = exchange("POST", ASK_URL, { query_str: "Longest river?\nIn km.", params: { is_incognito: false, frontend_uuid: "front", version: "2.18" } }, sse(EVENTS));
const opened = (entries: object[]) => exchange("GET", `https://www.perplexity.ai/rest/thread/${SLUG}?with_schematized_response=true&limit=10`, "", JSON.stringify({ status: "success", entries }));
const SECOND = entry("e2", "And the second?", "The Amazon.");

test("a question gives both turns under the ids that the thread has", () => {
  const reading = readPerplexity(LIVE);
  assert.equal(reading?.conversation, SLUG);
  assert.equal(reading?.title, "Rivers");
  assert.deepEqual(reading?.turns, [
    { id: `${SLUG}/query`, role: "user", content: "Longest river?\nIn km.", sentAt: "2026-11-05T09:30:00.000Z" },
    { id: `${SLUG}/answer`, role: "assistant", content: "The Nile, 6,650 km.[1]", sentAt: "2026-11-05T09:31:00.123Z" },
  ]);
  const thread = readPerplexity(opened([entry(SLUG, "Longest river?\nIn km.", "The Nile, 6,650 km.[1]"), SECOND]));
  assert.equal(thread?.conversation, SLUG);
  assert.deepEqual(thread?.turns.map(({ id }) => id), [`${SLUG}/query`, `${SLUG}/answer`, "e2/query", "e2/answer"]);
  assert.equal(thread?.turns[1]?.content, reading?.turns[1]?.content);
});

test("a stream that is taken up again gives the same turns, without the question's request", () => {
  const again = exchange("GET", `${ASK_URL}/reconnect/${SLUG}`, "", sse(EVENTS.slice(1), ""));
  assert.deepEqual(readPerplexity(again)?.turns, readPerplexity(LIVE)?.turns);
});

test("an answer rewritten keeps its entry's id", () => {
  assert.deepEqual(readPerplexity(opened([entry(SLUG, "Longest river?", "The Amazon, some say.")]))?.turns.map(({ id }) => id), [`${SLUG}/query`, `${SLUG}/answer`]);
});

test("an answer in parts, in a workflow or in the text of the steps is read", () => {
  const answered = (more: object) => readPerplexity(opened([entry("e", "Q", "", more)]))?.turns[1]?.content;
  assert.equal(answered({ blocks: [markdown("ask_text_0_markdown", "One."), markdown("ask_text_1_markdown", "Two.")] }), "One.\n\nTwo.");
  const items = [
    { type: "WORKFLOW_ITEM_TEXT", variant: "plan", payload: { text_payload: { text: "I will search." } } },
    { type: "WORKFLOW_ITEM_SOURCES", payload: { sources_payload: {} } },
    { type: "WORKFLOW_ITEM_TEXT", variant: "answer", payload: { text_payload: { text: "Acknowledged." } } },
    { type: "WORKFLOW_ITEM_TEXT", payload: { text_payload: { text: "Fully.", variant: "answer" } } },
  ];
  assert.equal(answered({ blocks: [PLAN, { intended_usage: "workflow_root", workflow_block: { steps: [{ items }] } }] }), "Acknowledged.\n\nFully.");
  const steps = [{ step_type: "INITIAL_QUERY", content: { query: "Q" } }, { step_type: "FINAL", content: { answer: JSON.stringify({ answer: "As before.", web_results: [] }) } }];
  assert.equal(answered({ blocks: undefined, text: JSON.stringify(steps) }), "As before.");
});

test("an answer that is not complete is left out, the question is not", () => {
  assert.deepEqual(readPerplexity(cut(LIVE, LIVE.response.indexOf("The Nile")))?.turns.map(({ id }) => id), [`${SLUG}/query`]);
  assert.deepEqual(readPerplexity({ ...LIVE, response: sse(EVENTS.slice(0, 2)) })?.turns.map(({ id }) => id), [`${SLUG}/query`]);
  for (const status of ["PENDING", "FAILED", "BLOCKED"])
    assert.deepEqual(readPerplexity(opened([entry("e", "Q", "Half", { status })]))?.turns.map(({ id }) => id), ["e/query"]);
});

test("an incognito question is told as such, without turns, and so is a thread that ends within a day", () => {
  assert.deepEqual(readPerplexity({ ...LIVE, request: JSON.stringify({ query_str: "x", params: { is_incognito: true } }) }), { conversation: null, turns: [], temporary: true });
  const ends = { expiry_time: "2026-11-06T09:31:00", updated_datetime: "2026-11-05T09:31:00" };
  assert.equal(readPerplexity(opened([entry("e", "Q", "A", ends)]))?.temporary, true);
  assert.equal(readPerplexity({ ...LIVE, response: sse([[entry("e", "Q", "A", ends)]]) })?.temporary, true);
  assert.equal(readPerplexity(opened([entry("e", "Q", "A", { ...ends, expiry_time: "2027-02-01T00:00:00Z" })]))?.turns.length, 2);
});

test("another shape is told by its place", () => {
  const says = (whole: () => unknown, message: RegExp) => assert.throws(whole, (error) => error instanceof ShapeError && message.test(error.message));
  says(() => readPerplexity({ ...LIVE, response: sse([[{ id: 1 }]]) }), /no entry/);
  says(() => readPerplexity(opened([entry("e", "Q", "", { blocks: [{ intended_usage: "answer_v3", answer: "x" }] })])), /no block/);
  says(() => readPerplexity(opened([{ query_str: "Q" }])), /entry's id/);
  says(() => readPerplexity({ ...opened([]), response: '{"items":[]}' }), /entries/);
  says(() => readPerplexity({ ...LIVE, response: "data: {\n\n" }), /not JSON/);
});

test("a refusal gives nothing, and an empty thread neither", () => {
  assert.equal(readPerplexity({ ...LIVE, response: sse([[{ error_code: "RATE_LIMITED" }]]) }), null);
  assert.equal(readPerplexity({ ...opened([]), response: '{"status":"failed","error_code":"VIEW_THREAD_NOT_ALLOWED"}' }), null);
  assert.equal(readPerplexity(opened([])), null);
});

bearsAnything(readPerplexity, [LIVE, opened([entry(SLUG, "Q", "A"), SECOND])]);
