/**
 * Which turns are new. A turn seen again, live, in a history, in another tab or after a reload, is kept once; a turn
 * with other words under the same id is a revision and goes out again.
 *
 * A turn read from the rendered page and the same turn from the wire have different ids and slightly different text
 * (Markdown against what it looks like). They are recognised by their letters.
 */

import type { Turn } from "../types";
import type { Seen } from "./database";

export type Origin = "wire" | "page";
export type Identified = Turn & { id: string };

const BEGINS = 40;
const SAME_LENGTH = 0.25;

/** Lower-case letters and digits alone, of which two renderings of one text have the same. */
export function letters(content: string): string {
  return content
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

export async function sha256(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Turns with an id each. One without gets its content's hash and which time those words are said. */
export async function identify(turns: readonly Turn[]): Promise<Identified[]> {
  const said = new Map<string, number>();
  const named: Identified[] = [];
  for (const turn of turns) {
    if (turn.id !== null) {
      named.push({ ...turn, id: turn.id });
      continue;
    }
    const hash = (await sha256(`${turn.role}\0${letters(turn.content)}`)).slice(0, 24);
    const time = (said.get(hash) ?? 0) + 1;
    said.set(hash, time);
    named.push({ ...turn, id: `page:${hash}:${time}` });
  }
  return named;
}

/** Hashes under this key of this browser's: no list of guesses made elsewhere fits what is kept here. */
export type Keyed = (text: string) => Promise<string>;

export async function keyed(raw: Uint8Array<ArrayBuffer>): Promise<Keyed> {
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return async (text) => hex(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}

/** What is remembered of a turn, so that it is known again: no letter of it, and no id made of its letters. */
export async function trace(
  turn: Identified,
  where: { site: string; conversation: string },
  from: Origin,
  hash: Keyed,
): Promise<Seen> {
  const own = letters(turn.content);
  const open: Seen = {
    site: where.site,
    conversation: where.conversation,
    id: turn.id,
    hash: await sha256(`${turn.role}\0${turn.content}`),
    role: turn.role,
    letters: await sha256(`${turn.role}\0${own}`),
    begins: own.slice(0, BEGINS),
    length: own.length,
    from,
  };
  return closed(open, hash);
}

/** The same without anything that tells a letter, of what was kept before there was a key too. */
export async function closed(seen: Seen, hash: Keyed): Promise<Seen> {
  const [id, whole, own, begins, twin] = await Promise.all(
    [seen.id, seen.hash, seen.letters, seen.begins, seen.twin].map((text) => (text === undefined ? undefined : hash(text))),
  );
  return { ...seen, id: id!, hash: whole!, letters: own!, begins: begins!, ...(twin === undefined ? {} : { twin }) };
}

export interface Verdict {
  /** "known": the same again. "alias": the same turn under another name, from the other origin. */
  is: "new" | "known" | "alias";
  /** The other's mark, for an alias. */
  twin?: Seen;
}

/** What is new or changed in `traces`, in their order, beside what was `seen` in the conversation before. */
export function judge(traces: readonly Seen[], seen: readonly Seen[]): Verdict[] {
  const byId = new Map(seen.map((one) => [one.id, one]));
  const named = new Set(traces.map((one) => one.id));
  // What the other origin has seen and nobody has claimed as theirs, now or before: people say "continue" twice.
  const others = seen.filter((one) => !named.has(one.id) && one.twin === undefined);
  const claimed = new Set<string>();
  return traces.map((one) => {
    const known = byId.get(one.id);
    // The page shows the wire's text without its Markdown: under the same id that is no revision.
    if (known) return { is: known.hash === one.hash || (known.from !== one.from && alike(one, known)) ? "known" : "new" };
    const twin = others.find((other) => other.from !== one.from && !claimed.has(other.id) && alike(one, other));
    if (!twin) return { is: "new" };
    claimed.add(twin.id);
    return { is: "alias", twin };
  });
}

/** What the user said reads the same everywhere; in an answer the page leaves out links' addresses and adds labels. */
function alike(one: Seen, other: Seen): boolean {
  if (one.letters === other.letters) return true;
  if (one.role !== "assistant" || other.role !== "assistant" || one.begins !== other.begins) return false;
  return Math.abs(one.length - other.length) <= SAME_LENGTH * Math.max(one.length, other.length);
}
