/** A turn is known again: under its id, and by its letters where the page and the wire name it differently. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Turn } from "../../extension/src/types";
import type { Seen } from "../../extension/src/worker/database";
import { identify, judge, keyed, letters, trace } from "../../extension/src/worker/ledger";

const place = { site: "s", conversation: "c" };
const hash = await keyed(new Uint8Array(32).fill(7));
const said = (role: Turn["role"], content: string, id: string | null = null): Turn => ({ id, role, content, sentAt: null });
const verdicts = (some: Seen[], before: Seen[]) => judge(some, before).map((one) => one.is);
const traces = async (turns: Turn[], from: "wire" | "page") => Promise.all((await identify(turns)).map((one) => trace(one, place, from, hash)));

test("the same words twice are two turns, and the same two when they are read again", async () => {
  const turns = [said("user", "yes"), said("assistant", "ok"), said("user", "yes")];
  const first = await traces(turns, "page");
  assert.equal(new Set(first.map((one) => one.id)).size, 3);
  assert.deepEqual(verdicts(await traces(turns, "page"), first), ["known", "known", "known"]);
});

test("other words under the same id are new", async () => {
  const before = await traces([said("user", "Porto", "1")], "wire");
  assert.deepEqual(verdicts(await traces([said("user", "Lisbon", "1")], "wire"), before), ["new"]);
});

test("what the page showed is not new when the wire names it, Markdown or not", async () => {
  const page = await traces([said("user", "Count, please"), said("assistant", "One\nTwo\nand three")], "page");
  const wire = await traces([said("user", "Count, please", "u"), said("assistant", "- One\n- **Two**\n\nand `three`", "a")], "wire");
  assert.deepEqual(verdicts(wire, page), ["alias", "alias"]);
  assert.deepEqual(verdicts(page, wire), ["alias", "alias"]);
});

test("a twin is claimed once: a second turn with the same words is new", async () => {
  const page = await traces([said("user", "yes")], "page");
  const wire = await traces([said("user", "yes", "1"), said("user", "yes", "2")], "wire");
  assert.deepEqual(verdicts(wire, page), ["alias", "new"]);
});

test("a twin claimed before is not claimed again: the second \"continue\" of a chat is new", async () => {
  const [wire] = await traces([said("user", "continue", "u1")], "wire");
  const [page] = await traces([said("user", "continue")], "page");
  const paired = [{ ...wire!, twin: page!.id }, { ...page!, twin: wire!.id }];
  assert.deepEqual(verdicts(await traces([said("user", "continue", "u2")], "wire"), paired), ["new"]);
});

test("what the user said is a twin only letter for letter", async () => {
  const begin = "Translate the following text to English, keeping all of the names: ";
  const page = await traces([said("user", begin + "Der Hund schläft.")], "page");
  assert.deepEqual(verdicts(await traces([said("user", begin + "Die Katze frisst.", "2")], "wire"), page), ["new"]);
});

test("the page's text under the wire's id is no revision, and the other way round", async () => {
  const alike = await traces([said("assistant", "One and two", "b")], "page");
  assert.deepEqual(verdicts(await traces([said("assistant", "**One** and `two`", "b")], "wire"), alike), ["known"]);
});

test("turns of one origin are never taken for each other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 }), async (ids) => {
      const turns = ids.map((id) => said("user", "the same words", id));
      const half = Math.floor(ids.length / 2);
      const before = await traces(turns.slice(0, half), "wire");
      assert.deepEqual(verdicts(await traces(turns, "wire"), before), turns.map((_, index) => (index < half ? "known" : "new")));
    }),
  );
});

test("letters are the same however a text is set off", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(letters(`**${text}**\n> `), letters(text));
      assert.equal(letters(letters(text)), letters(text));
    }),
  );
});
