import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../../../extension/src/types";
import { readGemini } from "../../../extension/src/wire/gemini";
import { AT, bearsAnything, cut, exchange } from "./exchange";

const DATA = "https://gemini.google.com/_/BardChatUi/data";
const PROMPT = `${DATA}/assistant.lamda.BardFrontendService/StreamGenerate?bl=x&hl=en&_reqid=1&rt=c`;
const HISTORY = `${DATA}/batchexecute?rpcids=hNvQHb&source-path=%2Fapp%2Fabc123&rt=c`;

const form = (outer: unknown) => new URLSearchParams({ "f.req": JSON.stringify(outer), at: "token" }).toString();
const asked = (text: unknown, context: unknown = ["", "", ""], temporary: unknown = null) => {
  const inner: unknown[] = new Array(80).fill(null);
  [inner[0], inner[1], inner[2], inner[45]] = [[text, 0, null], ["en"], context, temporary];
  return form([null, JSON.stringify(inner)]);
};
const chunk = (value: unknown) => `${JSON.stringify(value).length + 2}\n${JSON.stringify(value)}\n`;
const envelope = (rpc: string | null, ...bodies: unknown[]) => `)]}'\n\n${bodies.map((body) => chunk([["wrb.fr", rpc, body === null ? null : JSON.stringify(body)]])).join("")}${chunk([["di", 42], ["af.httprm", 41, "-1", 3]])}${chunk([["e", 9, null, null, 2048]])}`;
const candidate = (id: string, text: unknown, state: number | null = 2) => [id, [text], null, null, null, null, null, null, state === null ? null : [state], ...new Array(28).fill(null), [["Never kept"]]];

const IDS = ["c_abc123", "r_1"];
const STREAM = envelope(null, [null, IDS], [null, IDS, null, null, [candidate("rc_1", "Good", 1)]], [null, IDS, null, null, [candidate("rc_1", "Good morning,\n**world**.")]]);
const LIVE = exchange("POST", PROMPT, asked("Hello\nthere"), STREAM);

const turn = (response: string, text: unknown, answer: unknown, at: unknown = [1793871000, 5]) => [["c_abc123", response], null, [[text], 1, null, 0], answer === null ? null : [[answer]], at];
const TURNS = [turn("r_2", "More", candidate("rc_2", "No."), [1793871060, 0]), turn("r_1", "Hello\nthere", candidate("rc_1", "Good morning,\n**world**."))];
const opened = (turns: unknown, rpc = "hNvQHb") => exchange("POST", HISTORY, form([[[rpc, '["c_abc123",10]', null, "generic"]]]), envelope(rpc, [turns, null, null, []]));
const brief = (reading: ReturnType<typeof readGemini>) => reading?.turns.map(({ id, role, content }) => [id, role, content]);
const told = [["r_1", "user", "Hello\nthere"], ["rc_1", "assistant", "Good morning,\n**world**."]];

describe("Gemini: a prompt and its answer", () => {
  test("without thinking", () => {
    const reading = readGemini(LIVE);
    assert.deepEqual(brief(reading), told);
    assert.equal(reading?.conversation, "abc123");
    assert.deepEqual(reading?.turns.map((each) => each.sentAt), [new Date(AT).toISOString(), new Date(AT).toISOString()]);
  });
  test("of an older page, which packs its request twice", () => {
    const packed = form(JSON.stringify([null, JSON.stringify([["Hello\nthere"], ["en"], null])]));
    assert.deepEqual(brief(readGemini({ ...LIVE, request: packed })), told);
  });
  test("edited or answered again: ids of their own", () => {
    const response = STREAM.replaceAll("r_1", "r_9").replaceAll("rc_1", "rc_9");
    assert.deepEqual(readGemini(exchange("POST", PROMPT, asked("Hello", ["c_abc123", "r_0", "rc_0"]), response))?.turns.map((each) => each.id), ["r_9", "rc_9"]);
  });
  test("stopped by the user, or cut off: the prompt alone", () => {
    const stopped = envelope(null, [null, IDS], [null, IDS, null, null, [candidate("rc_1", "Good", 1)]]);
    assert.deepEqual(brief(readGemini({ ...LIVE, response: stopped })), [told[0]]);
    assert.deepEqual(brief(readGemini(cut(LIVE, STREAM.lastIndexOf("wrb.fr")))), [told[0]]);
  });
  test("cut off before it said the ids: nothing", () => assert.equal(readGemini({ ...LIVE, response: "", complete: false, status: 0 }), null));
  test("refused: nothing", () => {
    assert.equal(readGemini({ ...LIVE, status: 429, response: "" }), null);
    assert.equal(readGemini({ ...LIVE, response: envelope(null, null) }), null);
  });
  test("temporary: nothing is kept", () => {
    const reading = readGemini({ ...LIVE, request: asked("Hello", ["", "", ""], 1) });
    assert.deepEqual([reading?.temporary, reading?.turns], [true, []]);
  });
  test("without the places of pictures and cards", () => {
    const response = envelope(null, [null, IDS, null, null, [candidate("rc_1", "http://googleusercontent.com/image_generation_content/0\nA cat.")]]);
    assert.deepEqual(brief(readGemini({ ...LIVE, response }))?.[1], ["rc_1", "assistant", "A cat."]);
  });
  test("of another shape: says where, and not what", () => {
    for (const [request, response, place] of [
      ["f.req=Secret", STREAM, /f\.req is not JSON/],
      [form([["Secret"]]), STREAM, /prompt is no text/],
      [asked(["Secret"]), STREAM, /prompt\.0\.0/],
      [asked("Secret"), '{"answer":"Secret"}', /no answer/],
      [asked("Secret"), envelope(null, { answer: "Secret" }), /stream is no list/],
      [asked("Secret"), envelope(null, [null, IDS, null, null, [candidate("rc_1", ["Secret"])]]), /stream\.4\.0\.1\.0/],
    ] as const)
      assert.throws(() => readGemini(exchange("POST", PROMPT, request, response)), (error: Error) => error instanceof ShapeError && place.test(error.message) && !error.message.includes("Secret"));
  });
});

describe("Gemini: a conversation opened again", () => {
  test("gives its turns from the first to the last, with the ids of the live exchange", () => {
    const reading = readGemini(opened(TURNS));
    assert.deepEqual(brief(reading), [...told, ["r_2", "user", "More"], ["rc_2", "assistant", "No."]]);
    assert.deepEqual([reading?.conversation, reading?.turns[0]?.sentAt], ["abc123", "2026-11-05T09:30:00.000Z"]);
    assert.deepEqual(brief(readGemini(opened(TURNS.toReversed()))), brief(reading));
  });
  test("where times are missing, the site's order holds", () => assert.deepEqual(readGemini(opened(TURNS.map((each) => each.slice(0, 4))))?.turns.map((each) => each.id), ["r_1", "rc_1", "r_2", "rc_2"]));
  test("without answers that are missing or not finished", () => {
    assert.deepEqual(brief(readGemini(opened([turn("r_1", "Hello\nthere", null)]))), [told[0]]);
    assert.deepEqual(brief(readGemini(opened([turn("r_1", "Hello\nthere", candidate("rc_1", "Good", 1))]))), [told[0]]);
  });
  test("an old answer that does not say so is finished", () => assert.deepEqual(brief(readGemini(opened([turn("r_1", "Hello\nthere", candidate("rc_1", "Good morning,\n**world**.", null))]))), told));
  test("another call, no turns or an error: nothing", () => {
    assert.equal(readGemini(opened(TURNS, "MaZiqc")), null);
    assert.equal(readGemini(opened([])), null);
    assert.equal(readGemini({ ...opened(TURNS), response: envelope("hNvQHb", null) }), null);
  });
  test("of another shape: says where", () => {
    for (const turns of [["x"], [[["c_abc123"]]], [turn("r_1", "Hello", "x")], "x"]) assert.throws(() => readGemini(opened(turns)), ShapeError);
  });
});

bearsAnything(readGemini, [LIVE, opened(TURNS)]);
