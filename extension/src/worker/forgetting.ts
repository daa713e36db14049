/**
 * What was forgotten on the daemon's side goes here too: what waits or was refused of those conversations, and that their
 * turns were seen. Asked of the daemon, which names no content, at each contact and when it tells of a forgetting.
 */

import { api } from "../api";
import { call, DaemonError } from "./daemon";
import { database } from "./database";
import { drain } from "./outbox";
import { noteError, token } from "./settings";

/** The most that the daemon takes at once. */
const MOST = 1000;
const KEY = "forgotten";
/** Longer ids of conversations the daemon does not have, as it refuses their turns; nor such as no text can hold. */
const MAX_ID = 512;

interface Place {
  site: string;
  external_id: string;
}

interface Answer {
  conversations: Place[];
  /** When something was last forgotten. */
  latest: string | null;
}

const ask = async (conversations: Place[], after: string | null): Promise<Answer> =>
  (await call<Answer>("POST", "/v1/forgotten/among", { body: { conversations, after } })).body;

let dropping: Promise<void> | null = null;
let again = false;

/** Drops what is kept of conversations that lost turns since this was last done. */
export function dropForgotten(): Promise<void> {
  if (dropping) again = true;
  dropping ??= drop().finally(() => {
    dropping = null;
    if (again) {
      again = false;
      void dropForgotten();
    }
  });
  return dropping;
}

/** Another daemon may be asked from now on: what this one said is not about it. */
export const forgetLatest = (): Promise<void> => api.storage.local.remove(KEY);

async function drop(): Promise<void> {
  if ((await token()) === null) return;
  try {
    const before = ((await api.storage.local.get(KEY)) as { [KEY]?: string })[KEY] ?? null;
    const { latest } = await ask([], null);
    if (latest === before) return;
    if (latest === null) return await forgetLatest();
    const last = await lastWaiting();
    // The daemon keeps out what was forgotten; what is new in those conversations must not be lost with it.
    await drain();
    // Its clock may have been set back, or a forgetting taken back.
    const after = before !== null && Date.parse(latest) > Date.parse(before) ? before : null;
    const known = await places();
    for (let start = 0; start < known.length; start += MOST)
      for (const { site, external_id } of (await ask(known.slice(start, start + MOST), after)).conversations)
        await dropConversation(site, external_id, last);
    await api.storage.local.set({ [KEY]: latest });
  } catch (error) {
    // Either way the next contact tries again.
    if (error instanceof DaemonError) return;
    await noteError("error_store", String(error));
    console.error("Satchel: what was forgotten cannot be dropped", error);
  }
}

/** The conversations of which anything is kept that the daemon may know: one that it cannot would fail the question. */
async function places(): Promise<Place[]> {
  const db = await database();
  const found = new Map<string, Place>();
  const note = (site: string, external_id: string) => {
    const may = external_id !== "" && external_id.length <= MAX_ID && !/\p{Surrogate}/u.test(external_id);
    if (may) found.set(`${site}\0${external_id}`, { site, external_id });
  };
  for (const [site, conversation] of await db.getAllKeys("seen")) note(site, conversation);
  for (const store of ["outbox", "refused"] as const)
    for (const one of await db.getAll(store)) if (!one.memory) note(one.site, one.conversation);
  return [...found.values()];
}

/** The last that stands in the outbox: what comes after it was said since, and had no turn yet. */
async function lastWaiting(): Promise<number> {
  return (await (await database()).getAllKeys("outbox")).at(-1) ?? 0;
}

async function dropConversation(site: string, conversation: string, last: number): Promise<void> {
  const tx = (await database()).transaction(["seen", "outbox", "refused"], "readwrite", { durability: "strict" });
  for (const key of await tx.objectStore("seen").index("conversation").getAllKeys([site, conversation]))
    await tx.objectStore("seen").delete(key);
  for (const store of ["outbox", "refused"] as const)
    for (let cursor = await tx.objectStore(store).openCursor(); cursor; cursor = await cursor.continue()) {
      const { value, key } = cursor;
      const newer = store === "outbox" && key > last;
      if (value.site === site && value.conversation === conversation && !value.memory && !newer) await cursor.delete();
    }
  await tx.done;
}
