import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readKimi } from "../../../extension/src/wire/kimi";
import { bearsAnything, cut, exchange } from "./exchange";

const CHAT_URL = "https://www.kimi.com/apiv2/kimi.gateway.chat.v1.ChatService/Chat";
const LIST_URL = "https://www.kimi.com/apiv2/kimi.gateway.chat.v1.ChatService/ListMessages";
const CHAT = "d8oao64qdqelskm3v4og";

/** The message in its envelope, read as text the way a page's body is. */
function frame(message: unknown, flags = 0): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

const streamOf = (events: unknown[]): string => new TextDecoder().decode(Buffer.concat([...events.map((event) => frame(event)), frame({}, 2)]));

const user = (id: string, text: string) => ({
  op: "set",
  mask: "message",
  message: { id, parentId: CHAT, role: "user", status: "MESSAGE_STATUS_COMPLETED", blocks: [{ id: `${id}_0`, messageId: "", text: { content: text } }], createTime: "2026-11-05T09:30:00.5Z" },
});
const answering = (id: string) => ({ op: "set", mask: "message", message: { id, role: "assistant", status: "MESSAGE_STATUS_GENERATING", blocks: [] } });
const status = (id: string, status: string) => ({ op: "set", mask: "message.status", message: { id, status } });
const begin = (id: string, text: string) => ({ op: "set", mask: "block.text", block: { id, parentId: "", text: { content: text } } });
const more = (id: string, text: string) => ({ op: "append", mask: "block.text.content", block: { id, text: { content: text } } });
const HEAD = [{ heartbeat: {} }, { op: "set", mask: "chat.lastRequest", eventOffset: 1, chat: { id: CHAT, lastRequest: { options: {} } } }, { message: { id: CHAT, role: "system" } }];

const EVENTS = [
  ...HEAD,
  user("u1", "Hello\nKimi"),
  answering("a1"),
  { op: "set", mask: "block.think", block: { id: "1", messageId: "a1", think: { content: "The" } } },
  { op: "append", mask: "block.think.content", block: { id: "1", think: { content: " user" } } },
  { op: "set", mask: "block.tool", block: { id: "2", parentId: "1", tool: { name: "search", args: "" } } },
  begin("3", "Good "),
  { heartbeat: {} },
  more("3", "day, 张"),
  more("3", "三.\uE3A0cite\uE3A3web_search:1#2\uE3A8"),
  { op: "set", mask: "chat.name", chat: { name: "Greeting" } },
  status("a1", "MESSAGE_STATUS_COMPLETED"),
  { eventOffset: 9, done: {} },
];
/** The request is bytes on the site, which nobody reads as text. */
const LIVE = exchange("POST", CHAT_URL, "", streamOf(EVENTS));

const stored = (id: string, parentId: string, role: string, text: string, minute: number, more: object = {}) => ({
  id,
  parentId,
  role,
  status: "MESSAGE_STATUS_COMPLETED",
  createTime: `2026-11-05T09:${minute}:00Z`,
  blocks: [{ id: "1", think: { content: "Hm." } }, { id: "2", text: { content: text } }],
  ...more,
});
const HISTORY = [stored("u1", CHAT, "user", "Hello\nKimi", 30), stored("a1", "u1", "assistant", "Good day, 张三.", 31), stored("u2", "a1", "user", "And?", 32), stored("a2", "u2", "assistant", "Well.", 33)];
const listed = (messages: object[]) => exchange("POST", LIST_URL, { chat_id: CHAT, page_size: 100 }, JSON.stringify({ messages: [...messages].reverse() }));

test("a prompt gives both turns under the ids that the history has", () => {
  const reading = readKimi(LIVE);
  assert.equal(reading?.conversation, CHAT);
  assert.equal(reading?.title, "Greeting");
  assert.deepEqual(reading?.turns, [
    { id: "u1", role: "user", content: "Hello\nKimi", sentAt: "2026-11-05T09:30:00.500Z" },
    { id: "a1", role: "assistant", content: "Good day, 张三.", sentAt: null },
  ]);
  const history = readKimi(listed(HISTORY));
  assert.deepEqual(history?.turns.slice(0, 2).map(({ id, content }) => [id, content]), reading?.turns.map(({ id, content }) => [id, content]));
});

test("a history is told from its first turn on", () => {
  const reading = readKimi(listed([stored(CHAT, "", "system", "You are Kimi.", 29), ...HISTORY]));
  assert.equal(reading?.conversation, CHAT);
  assert.deepEqual(reading?.turns.map(({ id, role }) => [id, role]), [["u1", "user"], ["a1", "assistant"], ["u2", "user"], ["a2", "assistant"]]);
  assert.equal(reading?.turns[3]?.sentAt, "2026-11-05T09:33:00.000Z");
});

test("of an edited prompt and a second answer, a history gives the newest branch", () => {
  const edited = [...HISTORY, stored("u3", "a1", "user", "And then?", 34), stored("a3", "u3", "assistant", "So.", 35), stored("a4", "u3", "assistant", "Thus.", 36)];
  assert.deepEqual(readKimi(listed(edited))?.turns.map(({ id }) => id), ["u1", "a1", "u3", "a4"]);
});

test("a history whose messages name no parents is told as it stands", () => {
  const flat = HISTORY.map(({ parentId: _, ...message }) => message);
  assert.deepEqual(readKimi(listed(flat))?.turns.map(({ id }) => id), ["u1", "a1", "u2", "a2"]);
});

test("a history without the chat it belongs to is left alone", () => {
  assert.equal(readKimi({ ...listed(HISTORY), request: "" }), null);
});

test("an answer that is not complete is left out, the prompt is not", () => {
  const events = EVENTS.slice(0, -2);
  for (const end of [[], [status("a1", "MESSAGE_STATUS_CANCELLED"), { done: {} }]]) {
    const live = exchange("POST", CHAT_URL, "", streamOf([...events, ...end]));
    assert.deepEqual(readKimi(live)?.turns.map(({ id }) => id), ["u1"]);
  }
  assert.deepEqual(readKimi(listed([...HISTORY.slice(0, 3), stored("a2", "u2", "assistant", "We", 33, { status: "MESSAGE_STATUS_GENERATING" })]))?.turns.map(({ id }) => id), ["u1", "a1", "u2"]);
  assert.deepEqual(readKimi(cut(LIVE, LIVE.response.indexOf("day")))?.turns.map(({ id }) => id), ["u1"]);
});

test("a second answer to the same prompt has its own id", () => {
  const live = exchange("POST", CHAT_URL, "", streamOf([...HEAD, answering("a2"), begin("1", "Again."), status("a2", "MESSAGE_STATUS_COMPLETED")]));
  assert.deepEqual(readKimi(live)?.turns.map(({ id, content }) => [id, content]), [["a2", "Again."]]);
});

test("lengths whose bytes are letters or braces lose no message", () => {
  for (let length = 0; length < 400; length += 1) {
    const text = "x".repeat(length);
    const live = exchange("POST", CHAT_URL, "", streamOf([...HEAD, user("u1", "Q"), answering("a1"), begin("1", text), more("1", "é"), status("a1", "MESSAGE_STATUS_COMPLETED")]));
    assert.equal(readKimi(live)?.turns[1]?.content, `${text}é`, `${length}`);
  }
  for (const length of [31_522 - 78, 33_000, 70_000]) {
    const live = exchange("POST", CHAT_URL, "", streamOf([...HEAD, answering("a1"), begin("1", "y".repeat(length)), status("a1", "MESSAGE_STATUS_COMPLETED")]));
    assert.equal(readKimi(live)?.turns[0]?.content.length, length);
  }
});

test("several text blocks are paragraphs of one answer", () => {
  const live = exchange("POST", CHAT_URL, "", streamOf([...HEAD, answering("a1"), begin("1", "Let me look."), begin("4", "Found it."), status("a1", "MESSAGE_STATUS_COMPLETED")]));
  assert.equal(readKimi(live)?.turns[0]?.content, "Let me look.\n\nFound it.");
});

test("another shape is told by its place", () => {
  const says = (events: unknown[], message: RegExp) => assert.throws(() => readKimi(exchange("POST", CHAT_URL, "", streamOf(events))), (error) => error instanceof ShapeError && message.test(error.message));
  says([{ heartbeat: {} }], /no message/);
  says([...HEAD, begin("1", "Nobody's")], /no message/);
  says([...HEAD, answering("a1"), { mask: "block.text", block: { id: "1", text: { content: "x" } } }], /neither set nor appended/);
  says([...HEAD, { message: { id: "m" } }, { op: "append", block: { id: "1", messageId: "m", text: { content: "x" } } }], /no role/);
  assert.throws(() => readKimi(exchange("POST", LIST_URL, { chat_id: CHAT }, '{"items":[]}')), ShapeError);
  assert.throws(() => readKimi(exchange("POST", CHAT_URL, "", "data: {\n\n")), ShapeError);
});

test("a refusal gives nothing", () => {
  assert.equal(readKimi(exchange("POST", CHAT_URL, "", streamOf([{ error: { code: "resource_exhausted" } }]))), null);
  assert.equal(readKimi(exchange("POST", LIST_URL, { chat_id: CHAT }, "{}")), null);
});

bearsAnything(readKimi, [LIVE, listed(HISTORY)]);
