/** The few calls of the browser that the outbox makes, and a daemon that takes turns or does not: for tests in Node. */

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";

export const storage = new Map<string, unknown>();
export const daemon = {
  up: true,
  /** Turns as they arrived, by conversation. */
  log: new Map<string, string[]>(),
  memories: [] as string[],
  /** Whether the token that is sent is its own. */
  knows: (_token: string): boolean => true,
  /** Whether it answers but has no room for turns. */
  full: false,
  /** Conversations that lost turns, and when; of the profile "me". What is left of them stands in `log`. */
  forgotten: [] as { external_id: string; at: string }[],
  /** What happens while it looks which of the named conversations lost turns. */
  meanwhile: (): Promise<unknown> => Promise.resolve(),
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
  const refusal = () => new Response('{"detail":"no"}', { status: 400, headers });
  if (body.text !== undefined) {
    if (daemon.refuses(body.text)) return refusal();
    daemon.memories.push(body.text);
    return new Response("{}", { status: 201, headers });
  }
  if (daemon.full) return new Response('{"detail":"full"}', { status: 507, headers });
  if (body.messages.some((one) => daemon.refuses(one.content))) return refusal();
  const log = daemon.log.get(body.external_id) ?? [];
  daemon.log.set(body.external_id, log);
  for (const { id, content } of body.messages) {
    if (known.get(`${body.external_id} ${id}`) === content) continue;
    known.set(`${body.external_id} ${id}`, content);
    log.push(content);
  }
  return new Response("{}", { status: 202, headers });
}

interface Asked {
  method: string;
  headers: Record<string, string>;
  body: string;
}

interface Named {
  conversations: { site: string; external_id: string }[];
  after: string | null;
}

function among({ conversations, after }: Named) {
  const lost = daemon.forgotten.filter((one) => after === null || Date.parse(one.at) > Date.parse(after)).map((one) => one.external_id);
  const told = conversations.filter((one) => lost.includes(one.external_id)).map((one) => {
    const left = (daemon.log.get(one.external_id) ?? []).length > 0;
    return { ...one, left, gone_from: left ? [] : ["me"] };
  });
  return { conversations: told, latest: daemon.forgotten.at(-1)?.at ?? null };
}

/** A token of another's is good for reading, as browsers send no Origin with that. */
function answer(path: string, { method, headers: sent, body }: Asked): Response {
  const headers = { "X-Satchel-Version": "0.1.0" };
  if (path === "/v1/pair") return new Response('{"pairing_id":"p","code":"C","expires_in":300}', { status: 201, headers });
  if (path === "/v1/pair/p") return new Response('{"token":"new"}', { headers });
  const anothers = sent["Authorization"] && method !== "GET" && !daemon.knows(sent["Authorization"].slice("Bearer ".length));
  if (anothers) return new Response(JSON.stringify({ title: "Another's token", detail: "pair" }), { status: 403, headers });
  // As the real one: one that cannot be fails the call.
  if (path === "/v1/forgotten/among" && (JSON.parse(body) as Named).conversations.some((one) => one.external_id.length > 512)) return new Response("{}", { status: 400, headers });
  if (path === "/v1/forgotten/among") return new Response(JSON.stringify(among(JSON.parse(body) as Named)), { headers });
  return method === "POST" ? take(JSON.parse(body) as Body) : new Response("{}", { headers });
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
  daemon.knows = () => true;
  daemon.full = false;
  daemon.forgotten = [];
  daemon.meanwhile = () => Promise.resolve();
  known.clear();
}

const nothing = () => Promise.resolve();
const area = (kept: Map<string, unknown>) => ({
  get: (key: string) => Promise.resolve(kept.has(key) ? { [key]: kept.get(key) } : {}),
  set: (values: Record<string, unknown>) => Promise.resolve(Object.entries(values).forEach(([k, v]) => kept.set(k, v))),
  remove: (key: string) => Promise.resolve(void kept.delete(key)),
  onChanged: { addListener: () => undefined },
});
Object.assign(globalThis, {
  chrome: {
    runtime: { getPlatformInfo: nothing },
    alarms: { create: nothing, clear: nothing },
    storage: {
      session: area(new Map<string, unknown>()),
      local: area(storage),
    },
  },
  fetch: async (url: string, init: Asked) => {
    if (!daemon.up) throw new TypeError("Failed to fetch");
    const answered = answer(new URL(url).pathname, init);
    if (url.endsWith("/among") && !init.body.includes("[]")) await daemon.meanwhile();
    return answered;
  },
});
reset();
