/** What was forgotten on the daemon's side leaves the extension's own store, which holds no letters of what was seen. */

import "./browser-stub";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDB } from "idb";
import { closeDatabase, database, ledgerKey } from "../../extension/src/worker/database";
import { dropForgotten } from "../../extension/src/worker/forgetting";
import { sha256 } from "../../extension/src/worker/ledger";
import { drain, lengths, put, putMemory } from "../../extension/src/worker/outbox";
import { daemon, reset } from "./browser-stub";

const where = (conversation: string) => ({ profile: "me", site: "s", conversation, title: null, url: null });
const turn = (id: string | null, content: string) => ({ id, role: "user" as const, content, sentAt: null });

async function anew(): Promise<void> {
  await drain();
  await dropForgotten();
  await closeDatabase();
  reset();
}

/** The daemon forgets the whole conversation, or these turns of it. */
function forget(conversation: string, at: string, ...turns: string[]): void {
  daemon.log.set(conversation, turns.length ? (daemon.log.get(conversation) ?? []).filter((one) => !turns.includes(one)) : []);
  daemon.forgotten.push({ external_id: conversation, at });
}

const marks = async (conversation: string) => (await (await database()).getAllKeysFromIndex("seen", "conversation", ["s", conversation])).length;

/** All that lies in the extension's store, by conversation. */
async function kept(): Promise<{ conversations: string[]; all: string }> {
  const db = await database();
  const [seen, outbox, refused] = await Promise.all([db.getAll("seen"), db.getAll("outbox"), db.getAll("refused")]);
  const rows = [...seen, ...outbox, ...refused];
  return { conversations: [...new Set(rows.map((one) => one.conversation))].sort(), all: JSON.stringify(rows) };
}

test("what was refused or seen of a conversation that was forgotten goes, and nothing else", async () => {
  await anew();
  daemon.refuses = (content) => content.includes("Wyvern");
  for (const name of ["lost", "whole"]) await put([turn("1", "I keep bees"), turn(null, "I keep a Wyvern")], where(name), "wire");
  await putMemory("picked out of Wyverns", where("lost"));
  await drain();
  await drain();
  assert.deepEqual(await lengths(), { waiting: 0, refused: 3 });
  await dropForgotten();
  assert.deepEqual((await kept()).conversations, ["lost", "whole"]);
  forget("lost", "2026-03-01T10:00:00Z");
  await dropForgotten();
  const left = await (await database()).getAll("refused");
  assert.deepEqual(left.map((one) => [one.conversation, one.memory ?? false]).sort(), [["lost", true], ["whole", false]]);
  assert.deepEqual([await marks("lost"), await marks("whole")], [0, 2]);
});

test("what was said there since is kept and known again, until more is forgotten", async () => {
  await anew();
  await put([turn("1", "I keep a Wyvern")], where("a"), "wire");
  await drain();
  forget("a", "2026-03-01T10:00:00Z");
  await dropForgotten();
  assert.deepEqual((await kept()).conversations, []);
  assert.equal(await put([turn("2", "And bees")], where("a"), "wire"), 1);
  await dropForgotten();
  assert.equal(await put([turn("2", "And bees")], where("a"), "wire"), 0);
  forget("b", "2026-03-01T10:00:00.500Z");
  await dropForgotten();
  assert.equal(await put([turn("2", "And bees")], where("a"), "wire"), 0);
  daemon.forgotten = [];
  forget("a", "2026-02-01T10:00:00Z"); // a clock that was set back
  await dropForgotten();
  assert.deepEqual((await kept()).conversations, []);
});

test("what waits gets to the daemon before it is dropped; while there is none, nothing is", async () => {
  await anew();
  daemon.up = false;
  // Not with `put`, which would go on trying by itself.
  await (await database()).add("outbox", { ...where("a"), turn: { ...turn("1", "said while nobody listened"), id: "1" } });
  daemon.forgotten = [{ external_id: "a", at: "2026-03-01T10:00:00Z" }];
  await dropForgotten();
  assert.equal((await lengths()).waiting, 1);
  daemon.up = true;
  await dropForgotten();
  assert.deepEqual(daemon.log.get("a"), ["said while nobody listened"]);
  assert.deepEqual((await kept()).conversations, []);
});

test("what the daemon cannot take yet waits on, is known meanwhile, and what was seen goes when that is settled", async () => {
  await anew();
  await put([turn("1", "I keep a Wyvern")], where("a"), "wire");
  await put([turn("1", "I keep a Wyvern")], where("b"), "wire");
  await drain();
  daemon.full = true;
  await put([turn("2", "And bees")], where("a"), "wire");
  forget("a", "2026-03-01T10:00:00Z");
  forget("b", "2026-03-01T10:00:00Z");
  await dropForgotten();
  assert.deepEqual(await lengths(), { waiting: 1, refused: 0 });
  assert.deepEqual([await marks("a"), await marks("b")], [2, 0]);
  assert.equal(await put([turn(null, "And bees")], where("a"), "page"), 0);
  daemon.refuses = (content) => content === "And bees";
  daemon.full = false;
  await drain();
  await dropForgotten();
  assert.equal(await marks("a"), 0);
});

test("what is left of a conversation that lost a turn is known on, under the page's ids too", async () => {
  await anew();
  const turns = [turn("1", "I keep a Wyvern"), turn("2", "And bees")];
  await put(turns, where("a"), "wire");
  await drain();
  forget("a", "2026-03-01T10:00:00Z", "I keep a Wyvern");
  await dropForgotten();
  assert.equal(await put(turns, where("a"), "wire"), 0);
  assert.equal(await put([turn(null, "And bees")], where("a"), "page"), 0);
});

test("what was refused is kept where it may be new: of another profile, of a conversation that is left, since", async () => {
  await anew();
  daemon.refuses = (content) => content.includes("Wyvern");
  const refused = (content: string) => turn(content, `${content} Wyvern`);
  await put([turn("1", "I keep bees"), refused("left")], where("left"), "wire");
  await put([refused("gone")], where("gone"), "wire");
  await put([refused("work")], { ...where("gone"), profile: "work" }, "wire");
  while ((await lengths()).waiting) await drain();
  await (await database()).add("outbox", { ...where("gone"), turn: { ...refused("since"), id: "since" } });
  forget("left", "2026-03-01T10:00:00Z", "none of them");
  forget("gone", "2026-03-01T10:00:00Z");
  await dropForgotten();
  const kept = (await (await database()).getAll("refused")).map((one) => one.turn.id);
  assert.deepEqual(kept, ["left", "work", "since"]);
});

test("what is said while it is dropped is not dropped with it", async () => {
  await anew();
  await put([turn("1", "I keep a Wyvern")], where("a"), "wire");
  await drain();
  daemon.meanwhile = async () => {
    daemon.up = false;
    await put([turn("2", "said meanwhile")], where("a"), "wire");
  };
  forget("a", "2026-03-01T10:00:00Z");
  await dropForgotten();
  daemon.up = true;
  await drain();
  await drain();
  assert.deepEqual(daemon.log.get("a"), ["said meanwhile"]);
  assert.equal(await put([turn("1", "I keep a Wyvern"), turn("2", "said meanwhile")], where("a"), "wire"), 1);
});

test("a conversation with an impossible id keeps no other from being dropped", async () => {
  await anew();
  for (const name of ["x".repeat(600), "a"]) await put([turn("1", "I keep a Wyvern")], where(name), "wire");
  await drain();
  forget("a", "2026-03-01T10:00:00Z");
  await dropForgotten();
  assert.deepEqual((await kept()).conversations, ["x".repeat(600)]);
});

test("of what was seen no letter is kept, and no hash that fits a guess", async () => {
  await anew();
  const words = "I keep a Wyvern in the cellar of my house";
  await put([turn(null, words), turn("1", "named")], where("a"), "page");
  await drain();
  const { all } = await kept();
  const guesses = [`user\0${words}`, `user\0${words.toLowerCase().replaceAll(" ", "")}`, words, words.toLowerCase().replaceAll(" ", "").slice(0, 40)];
  assert.ok(!/wyvern/i.test(all), all);
  for (const guess of guesses) assert.ok(!all.includes((await sha256(guess)).slice(0, 24)), guess);
});

test("what was seen before there was a key is hidden, and known again", async () => {
  await anew();
  const old = await openDB("satchel", 1, {
    upgrade(db) {
      for (const name of ["outbox", "refused"]) db.createObjectStore(name, { keyPath: "key", autoIncrement: true });
      db.createObjectStore("seen", { keyPath: ["site", "conversation", "id"] }).createIndex("conversation", ["site", "conversation"]);
      db.createObjectStore("unremembered", { keyPath: ["site", "conversation"] });
      db.createObjectStore("captured", { keyPath: ["day", "site"] });
    },
  });
  const words = "I keep a Wyvern";
  const letters = "ikeepawyvern";
  const mark = { site: "s", conversation: "a", hash: await sha256(`user\0${words}`), role: "user", letters: await sha256(`user\0${letters}`), begins: letters, length: letters.length };
  const page = `page:${(await sha256(`user\0${letters}`)).slice(0, 24)}:1`;
  await old.put("seen", { ...mark, id: "1", from: "wire", twin: page });
  await old.put("seen", { ...mark, id: page, from: "page", twin: "1" });
  old.close();
  assert.equal(await put([turn("1", words)], where("a"), "wire"), 0);
  assert.equal(await put([turn(null, words)], where("a"), "page"), 0);
  assert.equal(await put([turn("2", words)], where("a"), "wire"), 1);
  await Promise.all([ledgerKey(), drain()]);
  await drain();
  assert.ok(!/wyvern/i.test((await kept()).all));
});
