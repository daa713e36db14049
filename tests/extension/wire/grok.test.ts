import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readGrok } from "../../../extension/src/wire/grok";
import { bearsAnything, cut, exchange } from "./exchange";

const ID = "519dce3f-387b-47fa-bd14-4dfc4e30102a";
const REST = "https://grok.com/rest/app-chat/conversations";
const said = (responseId: string, message: string, minute: number, more: object = {}) => ({ responseId, message, sender: "human", createTime: `2026-11-05T09:${minute}:00.249Z`, partial: false, isControl: false, steps: [], ...more });
const lines = (events: unknown[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join("");

const BEGUN = { result: { conversation: { conversationId: ID, title: "New conversation", temporary: false } } };
const NEW = [
  BEGUN,
  { result: { response: { userResponse: said("u1", "Hello\nGrok", 30), isThinking: false, responseId: "u1" } } },
  { result: { response: { uiLayout: { reasoningUiLayout: "SPLIT" }, responseId: "a1" } } },
  { result: { response: { token: "Thinking about your request", isThinking: true, messageTag: "header", responseId: "a1" } } },
  { result: { response: { token: "Hey ", isThinking: false, messageTag: "final", responseId: "a1" } } },
  { result: { response: { token: "there.", isThinking: false, messageTag: "final", responseId: "a1" } } },
  { result: { response: { modelResponse: said("a1", 'Hey there.<grok:render card_id="c1" type="render_searched_image"><argument name="q">x</argument></grok:render>', 31, { sender: "ASSISTANT", parentResponseId: "u1", steps: [{ text: ["Thinking"] }] }) } } },
  { result: { title: { newTitle: "Greeting" } } },
];
const LIVE = exchange("POST", `${REST}/new`, { temporary: false, message: "Hello\nGrok", modeId: "fast" }, lines(NEW));
const NEXT = exchange(
  "POST",
  `${REST}/${ID}/responses`,
  { message: "And?", parentResponseId: "a1" },
  lines([
    { result: { userResponse: said("u2", "And?", 32), isThinking: false, responseId: "u2" } },
    { result: { token: "We", isThinking: false, messageTag: "final", responseId: "a2" } },
    { result: { token: "ll.", isThinking: false, responseId: "a2" } },
    { result: { modelResponse: said("a2", "Well.", 33, { sender: "assistant", parentResponseId: "u2" }) } },
  ]),
);
const STORED = [
  said("u1", "Hello\nGrok", 30, { parentResponseId: "root" }),
  said("a1", "Hey there.", 31, { sender: "ASSISTANT", parentResponseId: "u1", steps: [{ text: ["Hm."] }] }),
  said("u2", "And?", 32, { parentResponseId: "a1" }),
  said("a2", "Well.", 33, { sender: "assistant", parentResponseId: "u2" }),
];
const opened = (responses: object[]) => exchange("POST", `${REST}/${ID}/load-responses`, { responseIds: [] }, JSON.stringify({ responses }));

test("the first prompt of a conversation gives both turns under the ids that the history has", () => {
  const reading = readGrok(LIVE);
  assert.deepEqual(reading, {
    conversation: ID,
    title: "Greeting",
    turns: [
      { id: "u1", role: "user", content: "Hello\nGrok", sentAt: "2026-11-05T09:30:00.249Z" },
      { id: "a1", role: "assistant", content: "Hey there.", sentAt: "2026-11-05T09:31:00.249Z" },
    ],
  });
  assert.deepEqual(readGrok(opened(STORED))?.turns.slice(0, 2), reading?.turns);
});

test("a further prompt, whose events are a level less deep, gives both turns", () => {
  const reading = readGrok(NEXT);
  assert.equal(reading?.conversation, ID);
  assert.deepEqual(reading?.turns.map(({ id, content }) => [id, content]), [["u2", "And?"], ["a2", "Well."]]);
});

test("a history is told by the clock, whatever its order", () => {
  for (const order of [STORED, [...STORED].reverse()])
    assert.deepEqual(readGrok(opened(order))?.turns.map(({ id }) => id), ["u1", "a1", "u2", "a2"]);
});

test("of an edited prompt and a second answer, a history gives the newest branch", () => {
  const more = [said("u3", "And then?", 34, { parentResponseId: "a1" }), said("a3", "So.", 35, { sender: "assistant", parentResponseId: "u3" }), said("a4", "Thus.", 36, { sender: "assistant", parentResponseId: "u3" })];
  assert.deepEqual(readGrok(opened([...STORED, ...more]))?.turns.map(({ id }) => id), ["u1", "a1", "u3", "a4"]);
});

test("a history without parents is told whole; control messages, other senders and unfinished answers are left out", () => {
  const flat = STORED.map(({ parentResponseId: _, ...message }: Record<string, unknown>) => message);
  const odd = [...flat, said("c", "/imagine", 34, { isControl: true }), said("s", "You are Grok.", 35, { sender: "system" }), said("p", "We", 36, { sender: "assistant", partial: true })];
  assert.deepEqual(readGrok(opened(odd))?.turns.map(({ id }) => id), ["u1", "a1", "u2", "a2"]);
});

test("an answer cut off or stopped is left out, the prompt is not", () => {
  assert.deepEqual(readGrok(cut(LIVE, LIVE.response.indexOf("there.")))?.turns.map(({ id }) => id), ["u1"]);
  const stopped = lines([...NEW.slice(0, 5), { result: { response: { modelResponse: said("a1", "Hey ", 31, { sender: "assistant", partial: true }) } } }]);
  assert.deepEqual(readGrok({ ...LIVE, response: stopped })?.turns.map(({ id }) => id), ["u1"]);
});

test("a temporary chat is told as such, without turns", () => {
  assert.deepEqual(readGrok({ ...LIVE, request: JSON.stringify({ temporary: true, message: "x" }) })?.turns, []);
  const begun = { result: { conversation: { conversationId: ID, temporary: true } } };
  assert.equal(readGrok({ ...LIVE, response: lines([begun, ...NEW.slice(1)]) })?.temporary, true);
});

test("another shape is told by its place", () => {
  const says = (response: string, message: RegExp) => assert.throws(() => readGrok({ ...LIVE, response }), (error) => error instanceof ShapeError && message.test(error.message));
  says(lines([{ conversation: {} }]), /result is no object/);
  says(lines([BEGUN]), /neither message nor answer/);
  says(lines([{ result: { response: { userResponse: { message: "x" } } } }]), /response's id/);
  says("x\n", /not JSON/);
  assert.throws(() => readGrok({ ...opened([]), response: '{"messages":[]}' }), ShapeError);
});

test("a refusal gives nothing, and an empty history neither", () => {
  assert.deepEqual(readGrok({ ...LIVE, response: lines([{ error: { code: 8, message: "Too many requests" } }]) })?.turns, []);
  assert.equal(readGrok(opened([])), null);
});

bearsAnything(readGrok, [LIVE, NEXT, opened(STORED)]);
