/** The extension's own store: turns that wait for the daemon, and which turns were seen before. */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
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
 * A turn that was put into the outbox once. `letters`: what the rendered page and the wire have in common. The profile
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
  /** How many turns were captured on a day of a site. */
  captured: { key: [string, string]; value: { day: string; site: string; count: number } };
}

export type Database = IDBPDatabase<Schema>;

const NAME = "satchel";
let opened: Promise<Database> | null = null;

export function database(): Promise<Database> {
  opened ??= openDB<Schema>(NAME, 1, {
    upgrade(db) {
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

/** Lets go of the store; it is opened again when it is needed. */
export async function closeDatabase(): Promise<void> {
  const before = opened;
  opened = null;
  (await before?.catch(() => null))?.close();
}

export function today(now = new Date()): string {
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
