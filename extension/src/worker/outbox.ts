/**
 * Turns wait here until the daemon has said that they are on its disk: over the worker's death, a browser restart,
 * days without a daemon. They go out in order and in batches.
 */

import { api } from "../api";
import { call, DaemonError, stayAwake } from "./daemon";
import { database, ledgerKey, today, type Waiting } from "./database";
import { identify, judge, trace, type Origin } from "./ledger";
import { noteError, noteMended } from "./settings";
import type { Turn } from "../types";

const BATCH_TURNS = 200;
const BATCH_CHARACTERS = 1_000_000;
const ALARM = "drain";
/** Browsers let no alarm ring earlier than half a minute. */
const FIRST_DELAY_MINUTES = 0.5;
const LAST_DELAY_MINUTES = 15;
/** The daemon refuses longer ids, and bodies beyond 10 MB. */
const MAX_ID = 512;
const MAX_CONTENT = 2_000_000;

export interface Conversation {
  profile: string;
  site: string;
  conversation: string;
  title: string | null;
  url: string | null;
}

/**
 * Puts what is new of `turns` into the outbox, in one transaction with the note that it was seen. Returns how many.
 * Throws DOMException (QuotaExceededError) where the browser's store is full: then nothing of it was kept.
 */
export async function put(turns: readonly Turn[], where: Conversation, origin: Origin): Promise<number> {
  const named = (await identify(turns)).filter((turn) => turn.content.trim() !== "");
  for (const turn of named) {
    turn.id = turn.id.slice(0, MAX_ID);
    turn.content = turn.content.slice(0, MAX_CONTENT);
  }
  const hash = await ledgerKey();
  const traces = await Promise.all(named.map((turn) => trace(turn, where, origin, hash)));
  const db = await database();
  const tx = db.transaction(["outbox", "seen", "captured"], "readwrite", { durability: "strict" });
  const [outbox, seen, captured] = [tx.objectStore("outbox"), tx.objectStore("seen"), tx.objectStore("captured")];
  let added = 0;
  try {
    const before = await seen.index("conversation").getAll([where.site, where.conversation]);
    for (const [index, { is, twin }] of judge(traces, before).entries()) {
      const [turn, mark] = [named[index], traces[index]];
      if (is === "known" || !turn || !mark) continue;
      if (twin) await seen.put({ ...twin, twin: mark.id });
      await seen.put(twin ? { ...mark, twin: twin.id } : mark);
      if (is === "alias") continue;
      await outbox.add({ ...where, turn });
      added += 1;
    }
    if (added) {
      const day = today();
      const count = (await captured.get([day, where.site]))?.count ?? 0;
      await captured.put({ day, site: where.site, count: count + added });
    }
    await tx.done;
  } catch (error) {
    void tx.done.catch(() => undefined); // its failure is the one that is thrown here
    // Else the marks of turns that were not kept would stand, and they would pass for known ever after.
    abort(tx);
    throw error;
  }
  if (added) void drain();
  return added;
}

function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch {
    // It has failed by itself already.
  }
}

/** A text that the user picked out to be remembered, on its way to the daemon like everything else. */
export async function putMemory(content: string, where: Conversation): Promise<void> {
  const turn = { id: crypto.randomUUID(), role: "user" as const, content, sentAt: null };
  await (await database()).add("outbox", { ...where, turn, memory: true });
  void drain();
}

/** How many turns wait, and how many the daemon would not have. */
export async function lengths(): Promise<{ waiting: number; refused: number }> {
  const db = await database();
  const [waiting, refused] = await Promise.all([db.count("outbox"), db.count("refused")]);
  return { waiting, refused };
}

/** The first turns in line that belong to one conversation. */
async function nextBatch(): Promise<Waiting[]> {
  const batch: Waiting[] = [];
  let characters = 0;
  const db = await database();
  let cursor = await db.transaction("outbox").store.openCursor();
  while (cursor && batch.length < BATCH_TURNS) {
    const one = cursor.value;
    const first = batch[0] ?? one;
    const together = one === first || (!one.memory && one.profile === first.profile && one.site === first.site && one.conversation === first.conversation);
    characters += one.turn.content.length;
    if (!together || (batch.length && characters > BATCH_CHARACTERS)) break;
    batch.push(one);
    if (one.memory) break;
    cursor = await cursor.continue();
  }
  return batch;
}

async function send(batch: readonly Waiting[]): Promise<void> {
  const [first] = batch;
  const last = batch.at(-1);
  if (!first || !last) return;
  if (first.memory) {
    const { content } = first.turn;
    await call("POST", "/v1/memories", { body: { profile: first.profile, kind: "fact", text: content } });
    return;
  }
  const body = {
    profile: first.profile,
    site: first.site,
    external_id: first.conversation,
    ...(last.title ? { title: last.title } : {}),
    ...(last.url ? { url: last.url } : {}),
    messages: batch.map(({ turn }) => ({
      id: turn.id,
      role: turn.role,
      content: turn.content,
      ...(turn.sentAt ? { sent_at: turn.sentAt } : {}),
    })),
  };
  await call("POST", "/v1/messages", { body });
}

async function takeOut(batch: readonly Waiting[], refused?: string): Promise<void> {
  const db = await database();
  const tx = db.transaction(["outbox", "refused"], "readwrite");
  for (const { key, ...one } of batch) {
    if (key === undefined) continue;
    await tx.objectStore("outbox").delete(key);
    if (refused !== undefined) await tx.objectStore("refused").add({ ...one, refused });
  }
  await tx.done;
}

let draining: Promise<void> | null = null;
let again = false;

/** Sends what waits until nothing is left or the daemon does not take it; then an alarm tries again. */
export function drain(): Promise<void> {
  if (draining) again = true;
  draining ??= empty().finally(() => {
    draining = null;
    // What was put there while the last look found nothing.
    if (again) {
      again = false;
      void drain();
    }
  });
  return draining;
}

async function empty(): Promise<void> {
  try {
    // Should the worker be ended in the middle, this wakes it.
    if ((await lengths()).waiting) await api.alarms.create(ALARM, { delayInMinutes: FIRST_DELAY_MINUTES });
    for (let batch = await nextBatch(); batch.length; batch = await nextBatch()) {
      stayAwake();
      try {
        await send(batch);
      } catch (error) {
        if (!(error instanceof DaemonError) || !isRefusal(error)) throw error;
        // One of them is what it will not have: alone, the others get through.
        if (batch.length > 1) await oneByOne(batch);
        else await refuse(batch, error);
        continue;
      }
      await takeOut(batch);
    }
    await api.storage.local.remove("backoff");
    await api.alarms.clear(ALARM);
  } catch (error) {
    if (!(error instanceof DaemonError)) {
      await noteError("error_store", String(error));
      console.error("Satchel: the outbox cannot be read", error);
    }
    await later();
  }
}

async function oneByOne(batch: readonly Waiting[]): Promise<void> {
  for (const one of batch) {
    try {
      await send([one]);
      await takeOut([one]);
    } catch (error) {
      if (!(error instanceof DaemonError) || !isRefusal(error)) throw error;
      await refuse([one], error);
    }
  }
}

async function refuse(batch: readonly Waiting[], error: DaemonError): Promise<void> {
  await takeOut(batch, error.message);
  await noteError("error_refused", error.message);
}

/** Whether asking again would give the same answer. */
function isRefusal(error: DaemonError): boolean {
  // 403: the token is not for that profile; others' turns must not wait for it. All wait where it is not ours at all.
  return !error.unpaired && [400, 403, 413, 415, 422].includes(error.status);
}

async function later(): Promise<void> {
  const before = (await api.storage.local.get("backoff")) as { backoff?: number };
  const minutes = Math.min(LAST_DELAY_MINUTES, before.backoff ? before.backoff * 2 : FIRST_DELAY_MINUTES);
  await api.storage.local.set({ backoff: minutes });
  await api.alarms.create(ALARM, { delayInMinutes: minutes });
}

export function onAlarm(alarm: chrome.alarms.Alarm): void {
  if (alarm.name === ALARM) void drain();
}

/** Gives what was refused another try, as after an update of either side. */
export async function retryRefused(): Promise<void> {
  const db = await database();
  const tx = db.transaction(["outbox", "refused"], "readwrite");
  for (let cursor = await tx.objectStore("refused").openCursor(); cursor; cursor = await cursor.continue()) {
    const { key: _key, refused: _refused, ...one } = cursor.value;
    await tx.objectStore("outbox").add(one);
    await cursor.delete();
  }
  await tx.done;
  await noteMended("error_refused");
  await drain();
}
