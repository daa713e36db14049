/** The few calls of the browser that the outbox makes, and a daemon that takes turns or does not: for tests in Node. */

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";

export const storage = new Map<string, unknown>();
export const daemon = {
  up: true,
  /** Turns as they arrived, by conversation. */
  log: new Map<string, string[]>(),
  memories: [] as string[],
  /** Contents that it will not have. */
  refuses: (_content: string): boolean => false,
};

interface Body {
  /** A memory written by hand. */
  text?: string;
  external_id: string;
  messages: { id: string; content: string }[];
}

/** As the real one: known ids change nothing, other words under a known id are a revision. */
const known = new Map<string, string>();

function take(body: Body): Response {
  const headers = { "X-Satchel-Version": "0.1.0" };
  if (body.text !== undefined) {
    daemon.memories.push(body.text);
    return new Response("{}", { status: 201, headers });
  }
  if (body.messages.some((one) => daemon.refuses(one.content))) return new Response('{"detail":"no"}', { status: 400, headers });
  const log = daemon.log.get(body.external_id) ?? [];
  daemon.log.set(body.external_id, log);
  for (const { id, content } of body.messages) {
    if (known.get(`${body.external_id} ${id}`) === content) continue;
    known.set(`${body.external_id} ${id}`, content);
    log.push(content);
  }
  return new Response("{}", { status: 202, headers });
}

/** An empty store, nobody paired but with a token, a daemon that is up. The connection must be closed. */
export function reset(): void {
  globalThis.indexedDB = new IDBFactory();
  storage.clear();
  storage.set("token", "t");
  daemon.up = true;
  daemon.log.clear();
  daemon.memories = [];
  daemon.refuses = () => false;
  known.clear();
}

const nothing = () => Promise.resolve();
Object.assign(globalThis, {
  chrome: {
    runtime: { getPlatformInfo: nothing },
    alarms: { create: nothing, clear: nothing },
    storage: {
      local: {
        get: (key: string) => Promise.resolve(storage.has(key) ? { [key]: storage.get(key) } : {}),
        set: (values: Record<string, unknown>) => Promise.resolve(Object.entries(values).forEach(([k, v]) => storage.set(k, v))),
        remove: (key: string) => Promise.resolve(void storage.delete(key)),
        onChanged: { addListener: () => undefined },
      },
    },
  },
  fetch: (_url: string, init: { body: string }) =>
    daemon.up ? Promise.resolve(take(JSON.parse(init.body) as Body)) : Promise.reject(new TypeError("Failed to fetch")),
});
reset();
