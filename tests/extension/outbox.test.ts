/** The outbox under every order of turns, repeats, failures and restarts: what went in arrives, once, in its order. */

import "./browser-stub";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { closeDatabase } from "../../extension/src/worker/database";
import { call, look } from "../../extension/src/worker/daemon";
import { drain, lengths, put, putMemory } from "../../extension/src/worker/outbox";
import { begin, check } from "../../extension/src/worker/pairing";
import { setToken } from "../../extension/src/worker/settings";
import { daemon, reset } from "./browser-stub";

const where = (conversation: string) => ({ profile: "me", site: "s", conversation, title: null, url: null });
const turn = (id: string, content: string) => ({ id, role: "user" as const, content, sentAt: null });

interface Model {
  /** What was put and not seen before, by conversation, in order. */
  expected: Map<string, string[]>;
  seen: Map<string, string>;
}

class Put implements fc.AsyncCommand<Model, null> {
  constructor(
    readonly conversation: string,
    readonly turns: { id: string; content: string }[],
  ) {}
  check = () => true;
  async run(model: Model): Promise<void> {
    const list = model.expected.get(this.conversation) ?? [];
    model.expected.set(this.conversation, list);
    let fresh = 0;
    const before = new Map(model.seen);
    for (const { id, content } of this.turns) {
      const key = `${this.conversation} ${id}`;
      if (before.get(key) === content) continue;
      model.seen.set(key, content);
      list.push(content);
      fresh += 1;
    }
    const kept = await put(this.turns.map((one) => turn(one.id, one.content)), where(this.conversation), "wire");
    assert.equal(kept, fresh);
  }
  toString = () => `Put(${this.conversation}, ${JSON.stringify(this.turns)})`;
}

class Daemon implements fc.AsyncCommand<Model, null> {
  constructor(readonly up: boolean) {}
  check = () => true;
  run(): Promise<void> {
    daemon.up = this.up;
    return Promise.resolve();
  }
  toString = () => `Daemon(${this.up ? "up" : "down"})`;
}

class Drain implements fc.AsyncCommand<Model, null> {
  check = () => true;
  async run(model: Model): Promise<void> {
    await drain();
    await drain();
    // Whatever arrived is what was put, from the beginning, nothing left out between.
    for (const [conversation, arrived] of daemon.log) {
      const expected = model.expected.get(conversation) ?? [];
      assert.deepEqual(arrived, expected.slice(0, arrived.length));
    }
    if (daemon.up) assert.equal((await lengths()).waiting, 0);
  }
  toString = () => "Drain";
}

/** The worker dies: its connection to the store is gone, the store is not. */
class Restart implements fc.AsyncCommand<Model, null> {
  check = () => true;
  async run(): Promise<void> {
    await closeDatabase();
  }
  toString = () => "Restart";
}

const conversations = fc.constantFrom("a", "b");
// Within one call an id comes once: a branch has no message twice.
const turns = fc.uniqueArray(fc.record({ id: fc.constantFrom("1", "2", "3", "4", "5"), content: fc.constantFrom("x", "y", "z", "long ".repeat(50)) }), {
  selector: (one) => one.id,
  minLength: 1,
  maxLength: 4,
});
const commands = [
  fc.tuple(conversations, turns).map(([conversation, some]) => new Put(conversation, some)),
  fc.boolean().map((up) => new Daemon(up)),
  fc.constant(new Drain()),
  fc.constant(new Restart()),
];

test("what is put arrives once and in order, over failures and restarts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 25 }), async (some) => {
      await drain();
      await closeDatabase();
      reset();
      const model: Model = { expected: new Map(), seen: new Map() };
      await fc.asyncModelRun(() => ({ model, real: null }), some);
      daemon.up = true;
      await drain();
      await drain();
      assert.equal((await lengths()).waiting, 0);
      assert.deepEqual(daemon.log, model.expected);
    }),
    { numRuns: 120 },
  );
});

test("a turn that is refused is kept apart and holds nothing else up", async () => {
  await drain();
  await closeDatabase();
  reset();
  daemon.refuses = (content) => content === "bad";
  await put([turn("1", "good"), turn("2", "bad"), turn("3", "better")], where("a"), "wire");
  await drain();
  await drain();
  assert.deepEqual(daemon.log.get("a"), ["good", "better"]);
  assert.deepEqual(await lengths(), { waiting: 0, refused: 1 });
});

test("what the user picked out goes its way between the turns of chats", async () => {
  await drain();
  await closeDatabase();
  reset();
  daemon.up = false;
  await put([turn("1", "before")], where("a"), "wire");
  await putMemory("picked out", where("a"));
  await put([turn("2", "after")], where("a"), "wire");
  await drain();
  daemon.up = true;
  await drain();
  await drain();
  assert.deepEqual(daemon.memories, ["picked out"]);
  assert.deepEqual(daemon.log.get("a"), ["before", "after"]);
  assert.equal((await lengths()).waiting, 0);
});

test("with a token that is another's all turns wait, reading or not, until it is paired", async () => {
  await drain();
  await closeDatabase();
  reset();
  await setToken("t");
  daemon.refuses = (content) => content === "bad";
  await put([turn("1", "good"), turn("2", "bad")], where("a"), "wire");
  await drain();
  await drain();
  daemon.refuses = () => false;
  daemon.knows = (token) => token === "new";
  await put([turn("3", "late")], where("a"), "wire");
  await drain();
  await drain();
  assert.deepEqual(await lengths(), { waiting: 1, refused: 1 });
  assert.equal(await look(), "unpaired");
  await call("GET", "/v1/profiles");
  assert.equal(await look(), "unpaired");
  await begin("Test");
  assert.equal(await check(), "paired");
  await drain();
  await drain();
  assert.equal(await look(), "ok");
  assert.deepEqual(await lengths(), { waiting: 0, refused: 0 });
  assert.deepEqual(daemon.log.get("a"), ["good", "late", "bad"]);
});
