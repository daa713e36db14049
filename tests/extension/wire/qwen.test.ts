import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readQwen } from "../../../extension/src/wire/qwen";
import { AT, bearsAnything, cut, exchange } from "./exchange";

const CHAT = "423b05a6-4c0e-44bf-b957-b1dcae7b6a06";
const PROMPT_URL = `https://chat.qwen.ai/api/v2/chat/completions?chat_id=${CHAT}`;
const asked = (content: string, more: object = {}) => ({
  stream: true,
  version: "2.1",
  incremental_output: true,
  chat_id: CHAT,
  chat_mode: "normal",
  parent_id: null,
  messages: [{ fid: "7a8f9b1c-0000", parentId: null, childrenIds: ["9ba6f09a-0000"], role: "user", content, user_action: "chat", files: [] }],
  ...more,
});
const sse = (events: unknown[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
const piece = (content: string, phase: string | null, status = "typing", extra: object = {}) => ({ choices: [{ delta: { role: "assistant", content, phase, status, ...extra } }], response_id: "a1" });

const EVENTS = [
  { "response.created": { chat_id: CHAT, parent_id: "u1", response_id: "a1", response_index: "0" } },
  piece("", "thinking_summary", "typing", { extra: { summary_thought: { content: ["I recognize that 19 is close to 20"] } } }),
  piece("", "thinking_summary", "finished"),
  piece("secret", "think"),
  piece("[1]", "web_search", "finished"),
  { "response.info": { action: "keep_alive", chat_id: CHAT, response_id: "a1" } },
  piece("17 × 19 ", "answer"),
  piece("= 323.", "answer"),
  piece("", "answer", "finished"),
];
const LIVE = exchange("POST", PROMPT_URL, asked("17 * 19?\nBriefly."), sse(EVENTS));

const phased = (answer: string, status = "finished") => [
  { content: "Hm.", phase: "think", status: "finished" },
  { content: answer, phase: "answer", status, role: "assistant" },
];
const node = (id: string, parentId: string | null, role: string, content: string, more: object = {}) => ({ id, parentId, childrenIds: [], role, content, timestamp: 1_793_871_000, ...more });
const TREE = [node("u1", null, "user", "17 * 19?\nBriefly."), node("a1", "u1", "assistant", "", { content_list: phased("17 × 19 = 323.") }), node("u2", "a1", "user", "And 18?"), node("a2", "u2", "assistant", "306.", { done: true })];
const opened = (nodes: { id: string }[], currentId: string) =>
  exchange("GET", `https://chat.qwen.ai/api/v2/chats/${CHAT}?direction=up&limit=10`, "", JSON.stringify({ success: true, data: { id: CHAT, title: "Sums", chat: { history: { messages: Object.fromEntries(nodes.map((each) => [each.id, each])), currentId } } } }));

test("a prompt gives both turns under the ids that the history has", () => {
  const reading = readQwen(LIVE);
  assert.deepEqual(reading, {
    conversation: CHAT,
    turns: [
      { id: "u1", role: "user", content: "17 * 19?\nBriefly.", sentAt: new Date(AT).toISOString() },
      { id: "a1", role: "assistant", content: "17 × 19 = 323.", sentAt: null },
    ],
  });
  const history = readQwen(opened(TREE, "a2"));
  assert.equal(history?.title, "Sums");
  assert.deepEqual(history?.turns.slice(0, 2).map(({ id, content }) => [id, content]), reading?.turns.map(({ id, content }) => [id, content]));
  assert.deepEqual(history?.turns.map(({ id }) => id), ["u1", "a1", "u2", "a2"]);
});

test("a history gives the branch shown: an edited prompt and a second answer have ids of their own", () => {
  const nodes = [...TREE, node("u3", "a1", "user", "And 20?"), node("a3", "u3", "assistant", "340."), node("a4", "u3", "assistant", "Still 340.")];
  assert.deepEqual(readQwen(opened(nodes, "a4"))?.turns.map(({ id }) => id), ["u1", "a1", "u3", "a4"]);
  assert.deepEqual(readQwen(opened(nodes, "a2"))?.turns.map(({ id }) => id), ["u1", "a1", "u2", "a2"]);
  const again = [{ "response.created": { chat_id: CHAT, parent_id: "u3", response_id: "a4" } }, piece("Still 340.", "answer"), piece("", "answer", "finished")];
  assert.deepEqual(readQwen({ ...LIVE, request: JSON.stringify(asked("And 20?", { parent_id: "a1" })), response: sse(again) })?.turns.map(({ id }) => id), ["u3", "a4"]);
});

test("a tree that goes in a ring ends", () => {
  assert.deepEqual(readQwen(opened([node("a", "b", "user", "x"), node("b", "a", "assistant", "y")], "a"))?.turns.map(({ id }) => id), ["b", "a"]);
});

test("ids that are names of every object's properties are ids", () => {
  const nodes = [node("constructor", null, "user", "x"), node("toString", "constructor", "assistant", "y")];
  assert.deepEqual(readQwen(opened(nodes, "toString"))?.turns.map(({ id }) => id), ["constructor", "toString"]);
  assert.throws(() => readQwen(opened(TREE, "__proto__")), ShapeError);
});

test("an answer cut off, stopped or not finished is left out, the prompt is not", () => {
  assert.deepEqual(readQwen(cut(LIVE, LIVE.response.indexOf("= 323")))?.turns.map(({ id }) => id), ["u1"]);
  assert.deepEqual(readQwen({ ...LIVE, response: sse(EVENTS.slice(0, -1)) })?.turns.map(({ id }) => id), ["u1"]);
  assert.equal(readQwen(cut(LIVE, 0)), null);
  const unfinished = [TREE[0], node("a1", "u1", "assistant", "", { content_list: phased("17 ×", "typing") })] as { id: string }[];
  assert.deepEqual(readQwen(opened(unfinished, "a1"))?.turns.map(({ id }) => id), ["u1"]);
});

test("a model without phases is read too", () => {
  const plain = [EVENTS[0], piece("323", null), piece("", null, "finished")];
  assert.equal(readQwen({ ...LIVE, response: sse(plain) })?.turns[1]?.content, "323");
});

test("a chat that the server does not keep is told as temporary, without turns", () => {
  assert.deepEqual(readQwen({ ...LIVE, request: JSON.stringify(asked("x", { chat_id: "local" })) }), { conversation: null, turns: [], temporary: true });
});

test("another shape is told by its place", () => {
  const says = (response: string, message: RegExp) => assert.throws(() => readQwen({ ...LIVE, response }), (error) => error instanceof ShapeError && message.test(error.message));
  says(sse([piece("x", "answer")]), /does not begin/);
  says(sse([{ "response.created": { chat_id: CHAT } }]), /answer's id/);
  says("data: {\n\n", /not JSON/);
  assert.throws(() => readQwen({ ...opened(TREE, "a2"), response: '{"success":true,"data":{"messages":[]}}' }), ShapeError);
  assert.throws(() => readQwen(opened(TREE, "gone")), ShapeError);
});

test("a refusal gives nothing", () => {
  assert.equal(readQwen({ ...LIVE, response: '{"success":false,"data":{"code":"RateLimited"}}' }), null);
  assert.equal(readQwen({ ...LIVE, response: sse([{ error: { code: "Too_Many_Requests" } }]) }), null);
});

bearsAnything(readQwen, [LIVE, opened(TREE, "a2")]);
