/** Getting a token: the daemon shows nothing to a page; the person compares a code and confirms it on the daemon's side. */

import { api } from "../api";
import { call, DaemonError } from "./daemon";
import { database } from "./database";
import { forgetLatest } from "./forgetting";
import { sha256 } from "./ledger";
import { retryRefused } from "./outbox";
import { setToken } from "./settings";
import { forgetAnswers } from "./context";

interface Asked {
  pairing_id: string;
  code: string;
  expires_in: number;
}

export type Standing = "waiting" | "paired" | "gone";

interface Pending extends Asked {
  verifier: string;
  until: number;
}

/** Kept for the session only, so that the worker may die while the person walks to the terminal. */
const KEY = "pairing";

async function pending(): Promise<Pending | null> {
  const found = ((await api.storage.session.get(KEY)) as { [KEY]?: Pending })[KEY];
  return found && found.until > Date.now() ? found : null;
}

function random(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks for a code, or gives the one that is waiting. */
export async function begin(client: string): Promise<{ code: string; until: number }> {
  const waiting = await pending();
  if (waiting) return { code: waiting.code, until: waiting.until };
  const verifier = random(32);
  const { body } = await call<Asked>("POST", "/v1/pair", {
    open: true,
    body: { client, challenge: await sha256(verifier) },
  });
  const next: Pending = { ...body, verifier, until: Date.now() + body.expires_in * 1000 };
  await api.storage.session.set({ [KEY]: next });
  return { code: next.code, until: next.until };
}

let checking: Promise<Standing> | null = null;

/**
 * Whether the person has confirmed. "gone": refused, expired or never asked: begin again. One at a time: the daemon hands
 * the token out once, and tells a second asker that there is nothing any more.
 */
export function check(): Promise<Standing> {
  checking ??= look().finally(() => {
    checking = null;
  });
  return checking;
}

async function look(): Promise<Standing> {
  const waiting = await pending();
  if (!waiting) return "gone";
  try {
    const { status, body } = await call<{ token?: string }>(
      "POST",
      `/v1/pair/${encodeURIComponent(waiting.pairing_id)}`,
      { open: true, body: { verifier: waiting.verifier } },
    );
    if (status !== 200 || !body.token) return "waiting";
    await setToken(body.token);
    await forgetLatest();
  } catch (error) {
    if (!(error instanceof DaemonError) || error.unreachable || error.status >= 500) throw error;
    await api.storage.session.remove(KEY);
    return "gone";
  }
  await api.storage.session.remove(KEY);
  forgetAnswers();
  // What an earlier token was not good for may pass with this one.
  void retryRefused();
  return "paired";
}

/**
 * Gives the token back. What waits in the outbox stays, for the next pairing; what was seen is forgotten, for that may be
 * with another daemon, which has none of it.
 */
export async function unpair(): Promise<void> {
  try {
    await call("DELETE", "/v1/pair");
  } catch (error) {
    // A daemon that does not run, or knows us no more, cannot revoke: the token is dropped here all the same.
    if (!(error instanceof DaemonError)) throw error;
  }
  await setToken(null);
  await forgetLatest();
  await (await database()).clear("seen");
  forgetAnswers();
}
