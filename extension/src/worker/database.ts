/** The extension's own store: turns that wait for the daemon, and which turns were seen before. */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { closed, keyed, type Keyed } from "./ledger";
import type { Turn } from "../types";

/** A turn on its way to the daemon, with the conversation it belongs to. */
export interface Waiting {
  key?: number;
  profile: string;
  site: string;
  conversation: string;
  title: string | null;
  url: string | null;
  turn: Turn & { id: string };
  /** A text that the user asked to remember: a memory written by hand, no turn of a chat. */
  memory?: true;
  /** Why the daemon will not have it; absent while it waits. */
  refused?: string;
}

/**
 * A turn that was put into the outbox once. All but site, conversation, role and length are hashes under the key of
 * `ledgerKey`. `letters`: what the rendered page and the wire have in common. The profile
 * is no part of it: what went into one is not repeated in another when the user changes it.
 */
export interface Seen {
  site: string;
  conversation: string;
  id: string;
  role: Turn["role"];
  hash: string;
  letters: string;
  /** The first of the letters, and how many there are. */
  begins: string;
  length: number;
  from: "wire" | "page";
  /** The id under which the other origin knows it. */
  twin?: string;
}

interface Schema extends DBSchema {
  outbox: { key: number; value: Waiting };
  refused: { key: number; value: Waiting };
  seen: { key: [string, string, string]; value: Seen; indexes: { conversation: [string, string] } };
  unremembered: { key: [string, string]; value: { site: string; conversation: string } };
  /** The key of what was seen. */
  keys: { key: string; value: Uint8Array<ArrayBuffer> };
  /** How many turns were captured on a day of a site. */
  captured: { key: [string, string]; value: { day: string; site: string; count: number } };
}

export type Database = IDBPDatabase<Schema>;

const NAME = "satchel";
let opened: Promise<Database> | null = null;

export function database(): Promise<Database> {
  opened ??= openDB<Schema>(NAME, 2, {
    upgrade(db, before) {
      db.createObjectStore("keys");
      if (before >= 1) return;
      db.createObjectStore("outbox", { keyPath: "key", autoIncrement: true });
      db.createObjectStore("refused", { keyPath: "key", autoIncrement: true });
      db.createObjectStore("seen", { keyPath: ["site", "conversation", "id"] }).createIndex("conversation", [
        "site",
        "conversation",
      ]);
      db.createObjectStore("unremembered", { keyPath: ["site", "conversation"] });
      db.createObjectStore("captured", { keyPath: ["day", "site"] });
    },
    // Another version of the extension wants in: let go, and open again when asked next.
    blocking: () => void closeDatabase(),
    terminated: () => {
      opened = null;
    },
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

const LEDGER = "ledger";

/** How what was seen is hashed here. The key is made when it is first needed, and hides what was kept without one. */
export async function ledgerKey(): Promise<Keyed> {
  const db = await database();
  const known = await db.get("keys", LEDGER);
  if (known) return keyed(known);
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const hash = await keyed(raw);
  const hidden = await Promise.all((await db.getAll("seen")).map((one) => closed(one, hash)));
  const tx = db.transaction(["keys", "seen"], "readwrite", { durability: "strict" });
  // Two may have come here at once: what the quicker one made holds.
  const first = await tx.objectStore("keys").get(LEDGER);
  if (!first) {
    await tx.objectStore("keys").put(raw, LEDGER);
    await tx.objectStore("seen").clear();
    for (const one of hidden) await tx.objectStore("seen").put(one);
  }
  await tx.done;
  return first ? keyed(first) : hash;
}

/** Lets go of the store; it is opened again when it is needed. */
export async function closeDatabase(): Promise<void> {
  const before = opened;
  opened = null;
  (await before?.catch(() => null))?.close();
}

export function today(now = new Date()): string {
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
