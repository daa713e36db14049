import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readChatGpt } from "../../../extension/src/wire/chatgpt";
import { AT, bearsAnything, cut, exchange } from "./exchange";

const CHAT = "0199aaaa-bbbb-7ccc-8ddd-000000000001";
const PROMPT = "https://chatgpt.com/backend-api/f/conversation";
const HISTORY = `https://chatgpt.com/backend-api/conversation/${CHAT}`;
const PAGE = `https://chatgpt.com/backend-api/conversations/${CHAT}?include_has_versions=true&num_turns=10`;

const user = (id: string, text: string, more: object = {}) => ({ id, author: { role: "user" }, create_time: 1793871000.5, content: { content_type: "text", parts: [text] }, metadata: {}, ...more });
const asked = (id: string, text: string, more: object = {}) => ({ action: "next", messages: [user(id, text)], parent_message_id: "client-created-root", conversation_id: CHAT, ...more });
const answer = (id: string, text: string, more: object = {}) => ({
  id, author: { role: "assistant", name: null, metadata: {} }, create_time: 1793871002, content: { content_type: "text", parts: [text] },
  status: "finished_successfully", end_turn: true, weight: 1, metadata: {}, recipient: "all", channel: "final", ...more,
});
const sse = (...data: unknown[]) => data.map((each) => `data: ${typeof each === "string" ? each : JSON.stringify(each)}\n\n`).join("");

const added = (message: object, c: number) => ({ v: { message, conversation_id: CHAT, error: null }, c });
const DELTAS = `event: delta_encoding\ndata: "v1"\n\n` + sse(
  { type: "resume_conversation_token", token: "t", conversation_id: CHAT },
  { p: "", o: "add", ...added({ ...user("s1", ""), author: { role: "system" }, metadata: { is_visually_hidden_from_conversation: true } }, 0) },
  { type: "input_message", input_message: user("u1", "Hello"), conversation_id: CHAT },
  added(answer("t1", "", { content: { content_type: "thoughts", thoughts: [] }, status: "in_progress", channel: null }), 1),
  { p: "/message/content/thoughts", o: "append", v: [{ summary: "S", content: "Never kept" }] },
  { p: "/message/content/thoughts/0/content", v: " at all" },
  { v: " or at the end" },
  { p: "/message/status", o: "replace", v: "finished_successfully" },
  added(answer("a1", "", { status: "in_progress", end_turn: null }), 2),
  { p: "/message/content/parts/0", o: "append", v: "Good" },
  { v: " morning" },
  { type: "message_marker", message_id: "a1", marker: "user_visible_token", event: "first" },
  { v: ", **world**" },
  { p: "", o: "patch", v: [{ p: "/message/content/parts/0", o: "append", v: "." }, { p: "/message/status", o: "replace", v: "finished_successfully" }, { p: "/message/metadata", o: "append", v: { is_complete: true } }] },
  { type: "title_generation", title: "Greetings", conversation_id: CHAT },
  { type: "message_stream_complete", conversation_id: CHAT },
  "[DONE]",
);
const WHOLE = sse(
  { message: answer("a1", "Good", { status: "in_progress" }), conversation_id: CHAT, error: null },
  { message: answer("a1", "Good morning, **world**."), conversation_id: CHAT, error: null },
  "[DONE]",
);
const LIVE = exchange("POST", PROMPT, asked("u1", "Hello"), DELTAS);

const node = (message: ({ id: string } & object) | null, parent: string | null, id = message?.id ?? "") => [id, { id, message, parent, children: [] }];
const tree = (current: string, ...nodes: ReturnType<typeof node>[]) => ({ title: "Greetings", current_node: current, conversation_id: CHAT, mapping: Object.fromEntries([node(null, null, "root"), ...nodes]) });
const TREE = tree(
  "a2",
  node({ ...user("s1", "You are"), author: { role: "system" } } as never, "root"),
  node(user("h1", "What the user is said to like", { metadata: { is_visually_hidden_from_conversation: true } }), "s1"),
  node(user("h2", "Of no weight", { weight: 0 }), "h1"),
  node(user("u1", "Hello"), "h2"),
  node(answer("a1", "Good morning, **world**."), "u1"),
  node(answer("t1", "", { content: { content_type: "thoughts", thoughts: [] } }), "u1"),
  node(answer("x1", "search()", { content: { content_type: "code", text: "search()" }, recipient: "web.run" }), "t1"),
  node(answer("x2", "found", { author: { role: "tool" } }), "x1"),
  node(answer("a2", "Another"), "x2"),
);
const opened = (history: unknown, url = HISTORY) => exchange("GET", url, "", JSON.stringify(history));
const brief = (reading: ReturnType<typeof readChatGpt>) => reading?.turns.map(({ id, role, content }) => [id, role, content]);

describe("ChatGPT: a prompt and its answer", () => {
  const told = [["u1", "user", "Hello"], ["a1", "assistant", "Good morning, **world**."]];

  test("in the delta encoding, without thinking and hidden messages", () => {
    const reading = readChatGpt(LIVE);
    assert.deepEqual(brief(reading), told);
    assert.deepEqual([reading?.conversation, reading?.title], [CHAT, "Greetings"]);
    assert.deepEqual(reading?.turns.map((turn) => turn.sentAt), ["2026-11-05T09:30:00.500Z", "2026-11-05T09:30:02.000Z"]);
  });
  test("in whole messages", () => assert.deepEqual(brief(readChatGpt({ ...LIVE, response: WHOLE })), told));
  test("in a new chat, whose id is in the stream", () => {
    const reading = readChatGpt(exchange("POST", PROMPT, asked("u1", "Hello", { conversation_id: undefined }), DELTAS));
    assert.equal(reading?.conversation, CHAT);
  });
  test("a prompt that says no time was sent when it was sent", () => {
    const reading = readChatGpt({ ...LIVE, request: JSON.stringify(asked("u1", "Hello", { messages: [user("u1", "Hello", { create_time: null })] })) });
    assert.equal(reading?.turns[0]?.sentAt, new Date(AT).toISOString());
  });
  test("stopped by the user: the prompt alone", () => {
    assert.deepEqual(brief(readChatGpt(cut(LIVE, DELTAS.indexOf(", **world")))), [told[0]]);
    const interrupted = DELTAS.replaceAll('"finished_successfully"}', '"finished_partial_completion"}');
    assert.deepEqual(brief(readChatGpt({ ...LIVE, response: interrupted })), [told[0]]);
  });
  test("handed off to a socket: the prompt alone", () => {
    const response = sse({ type: "resume_conversation_token", conversation_id: CHAT }, { type: "stream_handoff", conversation_id: CHAT }, "[DONE]");
    assert.deepEqual(brief(readChatGpt({ ...LIVE, response })), [told[0]]);
  });
  test("the page left before the server said anything: the prompt alone", () => {
    assert.deepEqual(brief(readChatGpt({ ...LIVE, status: 0, response: "", complete: false })), [told[0]]);
  });
  test("refused by the server: nothing", () => assert.equal(readChatGpt({ ...LIVE, status: 429, response: "{}" }), null));
  test("answered again: the user's turn keeps its id, the answer has another", () => {
    const again = exchange("POST", PROMPT, asked("u1", "Hello", { action: "variant" }), DELTAS.replaceAll('"a1"', '"a9"'));
    assert.deepEqual(readChatGpt(again)?.turns.map((turn) => turn.id), ["u1", "a9"]);
  });
  test("taken up again in the middle: nothing, for its beginning is not known", () => {
    const middle = sse({ v: " morning" }, { p: "/message/status", o: "replace", v: "finished_successfully" }, { type: "message_stream_complete", conversation_id: CHAT }, "[DONE]");
    const resumed = exchange("POST", `${PROMPT}/resume`, { conversation_id: CHAT, offset: 3 }, middle);
    assert.equal(readChatGpt(resumed), null);
    assert.equal(readChatGpt({ ...resumed, complete: false }), null);
    assert.deepEqual(brief(readChatGpt({ ...resumed, response: DELTAS })), [told[1]]);
  });
  test("temporary: nothing is kept", () => {
    const reading = readChatGpt(exchange("POST", PROMPT, asked("u1", "Hello", { history_and_training_disabled: true }), DELTAS));
    assert.deepEqual([reading?.temporary, reading?.turns], [true, []]);
  });
  test("without pictures, files and the marks of citations", () => {
    const content = { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer", asset_pointer: "x" }, "Look at this", { content_type: "audio_transcription", text: "and listen" }] };
    const response = sse({ message: answer("a1", "It rains.\uE200cite\uE202turn0search1\uE201 Often."), conversation_id: CHAT });
    const reading = readChatGpt(exchange("POST", PROMPT, asked("u1", "", { messages: [user("u1", "", { content })] }), response));
    assert.deepEqual(brief(reading), [["u1", "user", "Look at this\nand listen"], ["a1", "assistant", "It rains. Often."]]);
  });
  test("of another shape: says where, and not what", () => {
    for (const [request, response, place] of [
      ["Secret", "", /prompt is not JSON/],
      [{ messages: "Secret" }, "", /prompt\.messages is no list/],
      [{ messages: [{ id: "u1", author: { role: "user" }, content: "Secret" }] }, "", /prompt\.messages\.content/],
      [asked("u1", "Hello"), sse({ answer: "Secret" }), /stream holds no message/],
      [asked("u1", "Hello"), sse({ message: answer("a1", "", { content: { content_type: "text", text: "Secret" } }) }), /content\.parts/],
      [asked("u1", "Hello"), sse(added(answer("a1", "Se"), 0), { p: "/message/content/parts/0", o: "insert", v: "cret" }), /unknown way/],
    ] as const)
      assert.throws(() => readChatGpt(exchange("POST", PROMPT, request, response)), (error: Error) => error instanceof ShapeError && place.test(error.message) && !error.message.includes("Secret"));
  });
});

describe("ChatGPT: a conversation opened again", () => {
  test("gives the branch shown, in order, with the ids of the live exchange", () => {
    const reading = readChatGpt(opened(TREE));
    assert.deepEqual(brief(reading), [["u1", "user", "Hello"], ["a2", "assistant", "Another"]]);
    assert.deepEqual([reading?.conversation, reading?.title], [CHAT, "Greetings"]);
    assert.deepEqual(brief(readChatGpt(opened({ ...TREE, current_node: "a1" }))), brief(readChatGpt(LIVE)));
  });
  test("or a page of it, as a list", () => {
    const page = { conversation_id: CHAT, title: "Greetings", messages: [user("u1", "Hello"), answer("t1", "A remark on the way", { channel: "commentary" }), answer("a1", "Good morning, **world**.")], page_info: { has_previous_page: true, start_cursor: "u1" } };
    assert.deepEqual(brief(readChatGpt(opened(page, PAGE))), brief(readChatGpt(LIVE)));
    assert.deepEqual(brief(readChatGpt(opened(page, PAGE.replace("?", "/messages?before=u1&")))), brief(readChatGpt(LIVE)));
  });
  test("while its answer is being written: without it", () => {
    const page = { messages: [user("u1", "Hello"), answer("a1", "Good mor", { status: "in_progress" })] };
    assert.deepEqual(brief(readChatGpt(opened(page, PAGE))), [["u1", "user", "Hello"]]);
  });
  test("temporary, empty or not there: nothing", () => {
    assert.deepEqual(readChatGpt(opened({ ...TREE, is_temporary_chat: true }))?.turns, []);
    assert.equal(readChatGpt(opened(tree("root"))), null);
    assert.equal(readChatGpt({ ...opened({ detail: "conversation_not_found" }), status: 404 }), null);
  });
  test("whose tree is broken, goes in circles or has strange ids", () => {
    assert.throws(() => readChatGpt(opened({ ...TREE, current_node: "gone" })), ShapeError);
    assert.throws(() => readChatGpt(opened(tree("a", node(answer("a", "x"), "b"), node(user("b", "y"), "a")))), ShapeError);
    for (const id of ["__proto__", "constructor", "toString"]) {
      assert.throws(() => readChatGpt(opened({ ...TREE, current_node: id })), ShapeError);
      const text = JSON.stringify(tree("here")).replace('"root":{', `"here":${JSON.stringify({ id, message: user(id, "Odd"), parent: null })},"root":{`).replaceAll('"here"', JSON.stringify(id));
      assert.deepEqual(brief(readChatGpt(exchange("GET", HISTORY, "", text))), [[id, "user", "Odd"]]);
    }
  });
});

bearsAnything(readChatGpt, [LIVE, { ...LIVE, response: WHOLE }, opened(TREE)]);
