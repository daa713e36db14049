import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readDeepSeek } from "../../../extension/src/wire/deepseek";
import { AT, bearsAnything, cut, exchange } from "./exchange";

const CHAT = "0199aaaa-bbbb-4ccc-8ddd-000000000001";
const API = "https://chat.deepseek.com/api/v0/chat";

const asked = (more: object = {}) => ({ chat_session_id: CHAT, parent_message_id: null, prompt: "Hello", ref_file_ids: [], thinking_enabled: true, search_enabled: false, ...more });
const named = (event: string, data: object) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const sse = (...changes: object[]) => changes.map((change) => `data: ${JSON.stringify(change)}\n\n`).join("");
const ready = (user: number | null, answer: number) => named("ready", { request_message_id: user, response_message_id: answer, model_type: "default" }) + named("update_session", { updated_at: 1 });
const closed = named("finish", {}) + named("title", { content: "Greetings" }) + named("close", { click_behavior: "none" });

const FRAGMENTS = ready(1, 2) + sse(
  { v: { response: { message_id: 2, parent_id: 1, role: "ASSISTANT", status: "WIP", inserted_at: 1793871002.5, fragments: [{ id: 1, type: "THINK", content: "Never" }] } } },
  { p: "response/fragments/-1/content", o: "APPEND", v: " kept" },
  { v: " at all" },
  { p: "response/fragments/-1/elapsed_secs", o: "SET", v: 0.5 },
  { p: "response/fragments", o: "APPEND", v: [{ id: 2, type: "RESPONSE", content: "Good" }] },
  { p: "response/fragments/-1/content", v: " morning" },
  { v: ", **world**." },
  { p: "response/fragments", v: [{ id: 3, type: "TIP", content: "Made by a machine" }] },
  { p: "response", o: "BATCH", v: [{ p: "accumulated_token_usage", v: 39 }, { p: "quasi_status", v: "FINISHED" }] },
  { p: "response/status", o: "SET", v: "FINISHED" },
) + closed;
const CONTENT = ready(1, 2) + sse(
  { v: { response: { message_id: 2, parent_id: 1, role: "ASSISTANT", status: "WIP", content: "", thinking_content: null } } },
  { p: "response/thinking_content", v: "Never" },
  { o: "APPEND", v: " kept" },
  { p: "response/content", o: "APPEND", v: "Good morning" },
  { v: ", **world**." },
  { p: "response/status", o: "SET", v: "FINISHED" },
) + closed;
const LIVE = exchange("POST", `${API}/completion`, asked(), FRAGMENTS);

const user = (id: number, parent: number | null, text: string) => ({ message_id: id, parent_id: parent, role: "USER", status: "FINISHED", inserted_at: 1793871000, fragments: [{ id: 1, type: "REQUEST", content: text }], files: [{ file_name: "never.txt" }] });
const answer = (id: number, parent: number, text: string, more: object = {}) => ({ message_id: id, parent_id: parent, role: "ASSISTANT", status: "FINISHED", inserted_at: 1793871002, fragments: [{ id: 1, type: "THINK", content: "Never kept" }, { id: 2, type: "RESPONSE", content: text }], ...more });
const MESSAGES = [user(1, null, "Hello"), answer(2, 1, "Good morning, **world**."), answer(3, 1, "Another"), user(4, null, "Hello, edited"), answer(5, 4, "To the edit")];
const opened = (current: unknown, more: object = {}) => exchange("GET", `${API}/history_messages?chat_session_id=${CHAT}&cache_version=0`, "", JSON.stringify({ code: 0, msg: "", data: { biz_code: 0, biz_data: { chat_session: { id: CHAT, title: "Greetings", current_message_id: current }, chat_messages: MESSAGES, cache_control: "REPLACE", ...more } } }));
const brief = (reading: ReturnType<typeof readDeepSeek>) => reading?.turns.map(({ id, role, content }) => [id, role, content]);
const told = [["1", "user", "Hello"], ["2", "assistant", "Good morning, **world**."]];

describe("DeepSeek: a prompt and its answer", () => {
  test("in fragments, without thinking and tips", () => {
    const reading = readDeepSeek(LIVE);
    assert.deepEqual(brief(reading), told);
    assert.deepEqual([reading?.conversation, reading?.title], [CHAT, "Greetings"]);
    assert.deepEqual(reading?.turns.map((turn) => turn.sentAt), [new Date(AT).toISOString(), "2026-11-05T09:30:02.500Z"]);
  });
  test("in the older form, as one content", () => assert.deepEqual(brief(readDeepSeek({ ...LIVE, response: CONTENT })), told));
  test("edited: both with numbers of their own", () => {
    const response = FRAGMENTS.replace('"request_message_id":1,"response_message_id":2', '"request_message_id":4,"response_message_id":5').replace('"message_id":2', '"message_id":5');
    assert.deepEqual(readDeepSeek(exchange("POST", `${API}/edit_message`, asked({ message_id: 1 }), response))?.turns.map((turn) => turn.id), ["4", "5"]);
  });
  test("answered again: the answer alone", () => {
    const request = { chat_session_id: CHAT, child_message_id: 2, thinking_enabled: true };
    const response = FRAGMENTS.replace('"request_message_id":1,"response_message_id":2', '"request_message_id":1,"response_message_id":3').replace('"message_id":2', '"message_id":3');
    assert.deepEqual(brief(readDeepSeek(exchange("POST", `${API}/regenerate`, request, response))), [["3", "assistant", "Good morning, **world**."]]);
  });
  test("gone on with, or taken up again: the whole answer, which the stream begins with", () => {
    const response = sse({ v: { response: { message_id: 2, status: "WIP", fragments: [{ type: "RESPONSE", content: "Good morning" }] } } }, { p: "response/fragments/-1/content", o: "APPEND", v: ", **world**." }, { p: "response/status", o: "SET", v: "FINISHED" });
    assert.deepEqual(brief(readDeepSeek(exchange("POST", `${API}/resume_stream`, { chat_session_id: CHAT, message_id: 2 }, response))), [told[1]]);
  });
  test("stopped by the user, filtered or cut off: the prompt alone", () => {
    for (const status of ["INCOMPLETE", "CONTENT_FILTER"])
      assert.deepEqual(brief(readDeepSeek({ ...LIVE, response: FRAGMENTS.replace('"SET","v":"FINISHED"', `"SET","v":"${status}"`) })), [told[0]]);
    assert.deepEqual(brief(readDeepSeek(cut(LIVE, FRAGMENTS.indexOf("**world")))), [told[0]]);
  });
  test("cut off before it said the numbers: nothing", () => assert.equal(readDeepSeek({ ...LIVE, response: "", complete: false, status: 0 }), null));
  test("refused: nothing", () => {
    assert.equal(readDeepSeek({ ...LIVE, status: 429, response: "{}" }), null);
    assert.equal(readDeepSeek({ ...LIVE, response: '{"code":40003,"msg":"INVALID_TOKEN","data":null}' }), null);
    assert.equal(readDeepSeek({ ...LIVE, response: named("hint", { type: "error", content: "Too many", finish_reason: "rate_limit_reached" }) }), null);
  });
  test("of another shape: says where, and not what", () => {
    for (const [request, response, place] of [
      ["Secret", "", /prompt is not JSON/],
      [{ prompt: "Secret" }, "", /chat_session_id/],
      [asked(), sse({ choices: [{ delta: "Secret" }] }), /never gets ready/],
      [asked(), ready(1, 2) + sse({ v: { response: { fragments: "Secret", content: ["Secret"] } } }), /content/],
      [asked(), ready(1, 2) + sse({ p: "response/fragments/3/content", o: "APPEND", v: "Secret" }), /not there/],
      [asked(), ready(1, 2) + sse({ p: "response/content", o: "PREPEND", v: "Secret" }), /unknown way/],
    ] as const)
      assert.throws(() => readDeepSeek(exchange("POST", `${API}/completion`, request, response)), (error: Error) => error instanceof ShapeError && place.test(error.message) && !error.message.includes("Secret"));
  });
});

describe("DeepSeek: a conversation opened again", () => {
  test("gives the branch shown, in order, with the numbers of the live exchange", () => {
    const reading = readDeepSeek(opened(2));
    assert.deepEqual(brief(reading), told);
    assert.deepEqual([reading?.conversation, reading?.title], [CHAT, "Greetings"]);
    assert.deepEqual(brief(readDeepSeek(opened(3))), [told[0], ["3", "assistant", "Another"]]);
    assert.deepEqual(brief(readDeepSeek(opened(5))), [["4", "user", "Hello, edited"], ["5", "assistant", "To the edit"]]);
  });
  test("in the older form", () => {
    const chat_messages = [{ message_id: 1, parent_id: null, role: "USER", content: "Hello" }, { message_id: 2, parent_id: 1, role: "ASSISTANT", status: "FINISHED", content: "Good morning, **world**.", thinking_content: "Never kept" }];
    assert.deepEqual(brief(readDeepSeek(opened(2, { chat_messages }))), told);
  });
  test("of which the page knows all or a part already", () => {
    assert.equal(readDeepSeek(opened(2, { chat_messages: [], cache_control: "MERGE" })), null);
    assert.deepEqual(brief(readDeepSeek(opened(5, { chat_messages: MESSAGES.slice(4), cache_control: "MERGE" }))), [["5", "assistant", "To the edit"]]);
    assert.equal(readDeepSeek(opened(9, { cache_control: "MERGE" })), null);
  });
  test("while its answer is being written, or after it was stopped: without it", () => {
    for (const status of ["WIP", "INCOMPLETE"]) assert.deepEqual(brief(readDeepSeek(opened(2, { chat_messages: [MESSAGES[0], answer(2, 1, "Good", { status })] }))), [told[0]]);
  });
  test("refused: nothing", () => assert.equal(readDeepSeek(exchange("GET", `${API}/history_messages`, "", '{"code":40003,"msg":"","data":null}')), null));
  test("whose tree is broken, goes in circles or has strange ids", () => {
    assert.throws(() => readDeepSeek(opened(9)), ShapeError);
    assert.deepEqual(brief(readDeepSeek(opened(1, { chat_messages: [user(1, 1, "Hello")] }))), [told[0]]);
    for (const id of ["__proto__", "constructor"]) assert.throws(() => readDeepSeek(opened(id)), ShapeError);
  });
});

bearsAnything(readDeepSeek, [LIVE, { ...LIVE, response: CONTENT }, opened(2)]);
