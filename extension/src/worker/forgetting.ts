/**
 * What was forgotten on the daemon's side goes here too: that its turns were seen, and what was refused of it, once nothing
 * of the conversation is left there. Asked of the daemon, which names no content, at each contact and when it tells of a
 * forgetting. What waits is never dropped: it may be new, and the daemon keeps out what was forgotten.
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

/** A conversation that lost turns. */
interface Lost extends Place {
  /** Whether the daemon has any turn of it still. */
  left: boolean;
  /** The profiles that lost all of it. */
  gone_from: string[];
}

interface Answer {
  conversations: Lost[];
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
    const lastRefused = (await (await database()).getAllKeys("refused")).at(-1) ?? 0;
    // What waits would else be taken for lost with the rest of its conversation.
    await drain();
    // Its clock may have been set back, or a forgetting taken back.
    const after = before !== null && Date.parse(latest) > Date.parse(before) ? before : null;
    const { known, seen, waiting } = await places();
    for (let start = 0; start < known.length; start += MOST)
      for (const lost of (await ask(known.slice(start, start + MOST), after)).conversations) {
        const name = named(lost);
        if (!waiting.has(name)) await dropConversation(lost, seen.get(name) ?? [], lastRefused);
      }
    // Of those it is not known yet what will be left.
    if (!waiting.size) await api.storage.local.set({ [KEY]: latest });
  } catch (error) {
    // Either way the next contact tries again.
    if (error instanceof DaemonError) return;
    await noteError("error_store", String(error));
    console.error("Satchel: what was forgotten cannot be dropped", error);
  }
}

type SeenKey = [string, string, string];
const named = ({ site, external_id }: Place): string => `${site}\0${external_id}`;

/**
 * The conversations of which anything is kept that the daemon may know: one that it cannot would fail the question. By
 * their names, which turns of them were seen so far; and the names of those that wait to be sent.
 */
async function places(): Promise<{ known: Place[]; seen: Map<string, SeenKey[]>; waiting: Set<string> }> {
  const tx = (await database()).transaction(["seen", "outbox", "refused"]);
  const [marks, out, refused] = await Promise.all([
    tx.objectStore("seen").getAllKeys(),
    tx.objectStore("outbox").getAll(),
    tx.objectStore("refused").getAll(),
  ]);
  const found = new Map<string, Place>();
  const seen = new Map<string, SeenKey[]>();
  const note = (site: string, external_id: string): string => {
    const place = { site, external_id };
    const may = external_id !== "" && external_id.length <= MAX_ID && !/\p{Surrogate}/u.test(external_id);
    if (may) found.set(named(place), place);
    return named(place);
  };
  for (const key of marks) {
    const name = note(key[0], key[1]);
    const keys = seen.get(name);
    if (keys) keys.push(key);
    else seen.set(name, [key]);
  }
  for (const one of refused) if (!one.memory) note(one.site, one.conversation);
  const waiting = new Set(out.filter((one) => !one.memory).map((one) => note(one.site, one.conversation)));
  return { known: [...found.values()], seen, waiting };
}

/**
 * While anything of it is left, what was seen stays, or what is left would be sent again under other ids. What came
 * since the daemon was asked stays as well, and so does what was refused since: it was said after the forgetting.
 */
async function dropConversation(lost: Lost, seen: readonly SeenKey[], lastRefused: number): Promise<void> {
  const tx = (await database()).transaction(["seen", "refused"], "readwrite", { durability: "strict" });
  if (!lost.left) for (const key of seen) await tx.objectStore("seen").delete(key);
  for (let cursor = await tx.objectStore("refused").openCursor(); cursor; cursor = await cursor.continue()) {
    const { value, key } = cursor;
    const own = value.site === lost.site && value.conversation === lost.external_id && !value.memory;
    if (own && key <= lastRefused && lost.gone_from.includes(value.profile)) await cursor.delete();
  }
  await tx.done;
}
