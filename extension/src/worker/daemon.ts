/** The one place that talks to the daemon. */

import { api } from "../api";
import type { DaemonState } from "../messages";
import { settings, token } from "./settings";

const TIMEOUT_MS = 30_000;
/** Forgetting answers when the bytes are gone from every file; a browser gives the worker five minutes for one thing. */
const FORGETTING_TIMEOUT_MS = 300_000;
/** The daemon's `X-Satchel-Version` must begin with one of these. */
export const SPEAKS = ["0.1."];
/** The title of the daemon's answer to a token that was given to another (backend/satchel/api/guard/guard.py). */
const ANOTHERS = "Another's token";

export class DaemonError extends Error {
  override name = "DaemonError";
  constructor(
    /** HTTP status; 0 where nothing answered. */
    readonly status: number,
    message: string,
    /** The token is none, or not this extension's: it has to be paired, and nothing is wrong with what was sent. */
    readonly unpaired = false,
  ) {
    super(message);
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

/** null: this worker has not looked yet. */
let state: DaemonState | null = null;
let version: string | null = null;
type Follower = (state: DaemonState, before: DaemonState | null) => void;
const followers = new Set<Follower>();

export const daemonVersion = (): string | null => version;

export function onState(follow: Follower): void {
  followers.add(follow);
}

function become(next: DaemonState): void {
  const before = state;
  state = next;
  if (next !== before) for (const follow of followers) follow(next, before);
}

export async function baseUrl(): Promise<string> {
  return `http://127.0.0.1:${(await settings()).port}`;
}

interface Call {
  body?: unknown;
  /** Without the token: /health and pairing. */
  open?: boolean;
  signal?: AbortSignal;
}

function timeout(method: string, path: string): number {
  return method === "DELETE" && path.startsWith("/v1/memories/") ? FORGETTING_TIMEOUT_MS : TIMEOUT_MS;
}

async function request(method: string, path: string, { body, open, signal }: Call): Promise<Response> {
  const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  if (!open) {
    const known = await token();
    if (known === null) {
      become("unpaired");
      throw new DaemonError(401, "not paired", true);
    }
    headers["Authorization"] = `Bearer ${known}`;
  }
  const limits = [AbortSignal.timeout(timeout(method, path)), ...(signal ? [signal] : [])];
  let response: Response;
  try {
    response = await fetch((await baseUrl()) + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any(limits),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    become("unreachable");
    throw new DaemonError(0, "no answer");
  }
  version = response.headers.get("X-Satchel-Version");
  if (version === null) {
    become("unreachable");
    throw new DaemonError(0, "what answers is not Satchel");
  }
  if (!SPEAKS.some((known) => version?.startsWith(known))) {
    become("outdated");
    throw new DaemonError(0, `Satchel ${version}`);
  }
  return response;
}

/** The decoded answer and its status. Throws DaemonError for every status of 400 and more. */
export async function call<T>(method: string, path: string, how: Call = {}): Promise<{ status: number; body: T }> {
  const response = await request(method, path, how);
  const body = (await response.json().catch(() => null)) as (T & { detail?: string; title?: string }) | null;
  const unpaired = response.status === 401 || (response.status === 403 && body?.title === ANOTHERS);
  if (unpaired) become("unpaired");
  // Browsers send no Origin with a GET, so that the daemon lets it pass for another's token too.
  else if (!how.open && method !== "GET") become("ok");
  if (!response.ok) throw new DaemonError(response.status, body?.detail ?? response.statusText, unpaired);
  return { status: response.status, body: body as T };
}

/** Looks whether the daemon runs and knows us. */
export async function look(): Promise<DaemonState> {
  try {
    await call("GET", "/health", { open: true });
    if ((await token()) === null) become("unpaired");
    else await call("OPTIONS", "/v1/status"); // nothing but whether the token is ours
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    // What it means is in the state already; a daemon that cannot answer just now is no other state.
    if (error.status >= 500) become("unreachable");
  }
  return state ?? "unreachable";
}

/**
 * The daemon's events, until the stream ends or `signal` stops it. `beat` is called for each piece that comes,
 * the heartbeat included.
 */
export async function* events(signal: AbortSignal, beat: () => void): AsyncGenerator<{ event: string; data: string }> {
  const known = await token();
  if (known === null) return;
  const response = await fetch(`${await baseUrl()}/v1/events`, {
    headers: { Authorization: `Bearer ${known}` },
    signal,
    credentials: "omit",
    cache: "no-store",
  });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    beat();
    text += value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = /^event: ?(.*)$/m.exec(block)?.[1];
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      yield { event: event ?? "", data: data ?? "" };
    }
  }
}

/** Keeps the worker alive a little longer: a browser counts calls of its API, not traffic. */
export function stayAwake(): void {
  void api.runtime.getPlatformInfo();
}
