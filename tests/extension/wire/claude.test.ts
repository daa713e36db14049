import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readClaude } from "../../../extension/src/wire/claude";
import { AT, bearsAnything, cut, exchange } from "./exchange";

const CHAT = "0199aaaa-bbbb-4ccc-8ddd-000000000001";
const ROOT = "00000000-0000-4000-8000-000000000000";
const BASE = `https://claude.ai/api/organizations/3f5b2f7c-9d1e-4a57-8b0a-6a4e3c2d1b00/chat_conversations/${CHAT}`;
const HISTORY = `${BASE}?tree=True&rendering_mode=messages&render_all_tools=true`;

const asked = (more: object = {}) => ({ prompt: "Hello", parent_message_uuid: ROOT, turn_message_uuids: { human_message_uuid: "u1", assistant_message_uuid: "a1" }, attachments: [{ extracted_content: "Never kept" }], files: [], ...more });
const sse = (...events: { type: string; [name: string]: unknown }[]) => events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const begin = (uuid: string, parent: string) => ({ type: "message_start", message: { id: "chatcompl_1", role: "assistant", uuid, parent_uuid: parent, content: [], stop_reason: null } });
const block = (index: number, type: string, ...texts: string[]) => [
  { type: "content_block_start", index, content_block: { type, ...(type === "text" ? { text: "" } : { thinking: "" }) } },
  ...texts.map((text) => ({ type: "content_block_delta", index, delta: type === "text" ? { type: "text_delta", text } : { type: "thinking_delta", thinking: text } })),
  { type: "content_block_stop", index },
];
const end = (stop_reason = "end_turn") => [{ type: "message_delta", delta: { stop_reason } }, { type: "message_stop" }];
const STREAM = sse(begin("a1", "u1"), ...block(0, "thinking", "Never kept"), ...block(1, "text", "Good", " morning"), { type: "ping" }, ...block(2, "tool_use", "x"), ...block(3, "text", "And **again**."), ...end());
const LIVE = exchange("POST", `${BASE}/completion`, asked(), STREAM);

const said = (uuid: string, parent: string, sender: string, content: unknown[], more: object = {}) => ({ uuid, parent_message_uuid: parent, sender, content, text: "", created_at: "2026-11-05T09:30:02.123456Z", ...(sender === "assistant" ? { stop_reason: "end_turn" } : {}), ...more });
const text = (words: string) => ({ type: "text", text: words, citations: [] });
const MESSAGES = [
  said("u1", ROOT, "human", [text("Hello")]),
  said("a1", "u1", "assistant", [{ type: "thinking", thinking: "Never kept" }, text("Good morning"), { type: "tool_use", name: "x", input: {} }, { type: "tool_result", content: [text("Never kept")] }, text("And **again**.")]),
  said("a2", "u1", "assistant", [text("Another")]),
  said("u2", ROOT, "human", [text("Hello, edited")]),
  said("a3", "u2", "assistant", [text("To the edit")]),
];
const opened = (leaf: string | null, more: object = {}) => exchange("GET", HISTORY, "", JSON.stringify({ uuid: CHAT, name: "Greetings", is_temporary: false, current_leaf_message_uuid: leaf, chat_messages: MESSAGES, ...more }));
const brief = (reading: ReturnType<typeof readClaude>) => reading?.turns.map(({ id, role, content }) => [id, role, content]);
const told = [["u1", "user", "Hello"], ["a1", "assistant", "Good morning\n\nAnd **again**."]];

describe("Claude: a prompt and its answer", () => {
  test("without thinking, tools and attachments", () => {
    const reading = readClaude(LIVE);
    assert.deepEqual(brief(reading), told);
    assert.equal(reading?.conversation, CHAT);
    assert.equal(reading?.turns[0]?.sentAt, new Date(AT).toISOString());
  });
  test("an older page makes no ids: the stream has both", () => assert.deepEqual(brief(readClaude({ ...LIVE, request: JSON.stringify(asked({ turn_message_uuids: undefined })) })), told));
  test("and where nobody says them, nothing", () => {
    const response = STREAM.replace('"uuid":"a1","parent_uuid":"u1",', "");
    assert.equal(readClaude({ ...LIVE, request: JSON.stringify(asked({ turn_message_uuids: undefined })), response }), null);
  });
  test("answered again: the answer alone, with its own id", () => {
    const again = exchange("POST", `${BASE}/retry_completion`, asked({ prompt: "", parent_message_uuid: "u1", turn_message_uuids: { assistant_message_uuid: "a2" } }), sse(begin("a2", "u1"), ...block(0, "text", "Another"), ...end()));
    assert.deepEqual(brief(readClaude(again)), [["a2", "assistant", "Another"]]);
  });
  test("edited: both with ids of their own", () => {
    const edited = exchange("POST", `${BASE}/completion`, asked({ prompt: "Hello, edited", turn_message_uuids: { human_message_uuid: "u2", assistant_message_uuid: "a3" } }), sse(begin("a3", "u2"), ...block(0, "text", "To the edit"), ...end()));
    assert.deepEqual(brief(readClaude(edited)), [["u2", "user", "Hello, edited"], ["a3", "assistant", "To the edit"]]);
  });
  test("stopped by the user, or cut off: the prompt alone", () => {
    assert.deepEqual(brief(readClaude(cut(LIVE, STREAM.indexOf("again")))), [told[0]]);
    assert.deepEqual(brief(readClaude({ ...LIVE, response: "", complete: false, status: 0 })), [told[0]]);
    assert.deepEqual(brief(readClaude({ ...LIVE, response: STREAM.replace("end_turn", "user_canceled") })), [told[0]]);
  });
  test("refused: nothing", () => {
    assert.equal(readClaude({ ...LIVE, status: 429, response: "{}" }), null);
    assert.equal(readClaude({ ...LIVE, response: sse({ type: "error", error: { type: "overloaded_error" } }) }), null);
  });
  test("incognito: nothing is kept", () => {
    const reading = readClaude({ ...LIVE, request: JSON.stringify(asked({ create_conversation_params: { is_temporary: true } })) });
    assert.deepEqual([reading?.temporary, reading?.turns, reading?.conversation], [true, [], CHAT]);
  });
  test("of another shape: says where, and not what", () => {
    for (const [request, response, place] of [
      ["Secret", "", /prompt is not JSON/],
      [asked({ prompt: ["Secret"] }), "", /prompt\.prompt/],
      [asked(), sse({ type: "answer", text: "Secret" }), /no message_start/],
      [asked(), sse(begin("a1", "u1"), { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Secret" } }), /before its block/],
      [asked(), "data: Secret\n\n", /not JSON/],
    ] as const)
      assert.throws(() => readClaude(exchange("POST", `${BASE}/completion`, request, response)), (error: Error) => error instanceof ShapeError && place.test(error.message) && !error.message.includes("Secret"));
  });
});

describe("Claude: a conversation opened again", () => {
  test("gives the branch shown, in order, with the ids of the live exchange", () => {
    assert.deepEqual(brief(readClaude(opened("a1"))), told);
    assert.deepEqual(brief(readClaude(opened("a2"))), [told[0], ["a2", "assistant", "Another"]]);
    const reading = readClaude(opened("a3"));
    assert.deepEqual(brief(reading), [["u2", "user", "Hello, edited"], ["a3", "assistant", "To the edit"]]);
    assert.deepEqual([reading?.conversation, reading?.title, reading?.turns[0]?.sentAt], [CHAT, "Greetings", "2026-11-05T09:30:02.123Z"]);
  });
  test("without a leaf: all there is", () => assert.deepEqual(brief(readClaude(opened(null, { chat_messages: MESSAGES.slice(0, 2) }))), told));
  test("in its raw form", () => assert.deepEqual(brief(readClaude(opened(null, { chat_messages: [said("u1", ROOT, "human", [], { content: undefined, text: "Hello" })] }))), [told[0]]));
  test("without what was stopped or is still being written", () => {
    for (const stop_reason of ["user_canceled", null])
      assert.deepEqual(brief(readClaude(opened("a1", { chat_messages: [MESSAGES[0], said("a1", "u1", "assistant", [text("Good mor")], { stop_reason })] }))), [told[0]]);
  });
  test("incognito or empty: nothing", () => {
    assert.deepEqual(readClaude(opened("a1", { is_temporary: true })), { conversation: CHAT, turns: [], temporary: true });
    assert.equal(readClaude(opened(null, { chat_messages: [] })), null);
  });
  test("whose tree is broken, goes in circles or has strange ids", () => {
    assert.throws(() => readClaude(opened("gone")), ShapeError);
    assert.throws(() => readClaude(opened("u1", { chat_messages: [said("u1", "u1", "human", [text("x")])] })), ShapeError);
    for (const id of ["__proto__", "constructor"]) {
      assert.throws(() => readClaude(opened(id)), ShapeError);
      assert.deepEqual(brief(readClaude(opened(id, { chat_messages: [said(id, ROOT, "human", [text("Odd")])] }))), [[id, "user", "Odd"]]);
    }
  });
});

bearsAnything(readClaude, [LIVE, opened("a1")]);
