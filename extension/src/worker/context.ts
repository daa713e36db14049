/** What fits what the user is typing: asked of the daemon, kept for a moment, and dropped as soon as a memory changes. */

import { api } from "../api";
import { call, DaemonError, events, stayAwake } from "./daemon";
import { dropForgotten } from "./forgetting";
import { ofSite, settings } from "./settings";
import { KINDS, type Context, type ToPage } from "../messages";
import type { Where } from "./where";

/** A longer question is cut in its middle: what is asked stands at the beginning or the end. */
const LONGEST_QUESTION = 6_000;
const BUDGET_TOKENS = 800;
const KEPT_ANSWERS = 40;
const KEPT_MS = 60_000;
/** How long after the last question the daemon's events are followed. */
const FOLLOW_MS = 120_000;

export const NOTHING: Context = { context: "", hits: [], tokens: 0, injection_id: "" };

export interface Asking {
  text: string;
  conversation: string | null;
  automatic: boolean;
  /** Ids that may be in it; all where it is absent. */
  only?: string[];
  /** Past what was kept: right before inserting. */
  fresh?: boolean;
}

const answers = new Map<string, { context: Context; at: number }>();
const running = new Map<string, AbortController>();

/** Forgets every answer, as after an edit. */
export function forgetAnswers(): void {
  answers.clear();
}

function shortened(text: string): string {
  if (text.length <= LONGEST_QUESTION) return text;
  const half = LONGEST_QUESTION / 2;
  // Not between the halves of a surrogate pair.
  return `${text.slice(0, half)} … ${text.slice(-half)}`.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");
}

/** The context for a question. Throws Error where a newer question of the same tab took its place. */
export async function ask(where: Where, asking: Asking): Promise<Context> {
  const chosen = ofSite(await settings(), where.name);
  const body = {
    query: shortened(asking.text),
    profile: chosen.profile,
    site: where.name,
    ...(asking.conversation === null ? {} : { external_id: asking.conversation }),
    budget_tokens: BUDGET_TOKENS,
    ...(chosen.kinds.length === KINDS.length ? {} : { kinds: chosen.kinds }),
    ...(chosen.notFrom.length ? { not_from: chosen.notFrom } : {}),
    ...(asking.only ? { only: asking.only } : {}),
    ...(asking.automatic ? { special: false } : {}),
  };
  const key = JSON.stringify(body);
  const known = answers.get(key);
  if (known && !asking.fresh && connected && Date.now() - known.at < KEPT_MS) return known.context;
  // A question of the same tab and kind is out of date; what is put together for the preview is no question.
  const lane = `${where.tab} ${asking.only ? "compose" : "ask"}`;
  running.get(lane)?.abort();
  const stop = new AbortController();
  running.set(lane, stop);
  void follow();
  try {
    const { body: context } = await call<Context>("POST", "/v1/context", { body, signal: stop.signal });
    for (const hit of context.hits) hit.special ??= [];
    answers.delete(key);
    answers.set(key, { context, at: Date.now() });
    const oldest = answers.keys().next();
    if (answers.size > KEPT_ANSWERS && !oldest.done) answers.delete(oldest.value);
    return context;
  } catch (error) {
    if (stop.signal.aborted) throw new Error("asked again");
    throw error;
  } finally {
    if (running.get(lane) === stop) running.delete(lane);
  }
}

/** Tells the daemon what really went in, and where: only that is not offered there again. */
export async function inserted(injection: string, hits: string[], conversation: string | null): Promise<void> {
  answers.clear();
  try {
    await call("POST", `/v1/injections/${encodeURIComponent(injection)}`, {
      body: { inserted: hits, ...(conversation === null ? {} : { external_id: conversation }) },
    });
  } catch (error) {
    // An offer of a daemon that has forgotten it: nothing is lost but that these may be offered again.
    if (!(error instanceof DaemonError) || error.status !== 404) throw error;
  }
}

let following = false;
/** What was kept may be told only while the daemon would say that it changed. */
let connected = false;
let followUntil = 0;

/** Listens to the daemon while somebody types, so that what was edited or forgotten elsewhere goes at once. */
async function follow(): Promise<void> {
  followUntil = Date.now() + FOLLOW_MS;
  if (following) return;
  const stop = new AbortController();
  following = true;
  try {
    const stream = events(stop.signal, () => {
      if (!connected) void dropForgotten(); // what happened before we listened
      connected = true;
      stayAwake();
      if (Date.now() > followUntil) stop.abort();
    });
    for await (const { event } of stream) {
      if (event !== "memory" && event !== "forgotten") continue;
      answers.clear();
      if (event === "forgotten") void dropForgotten();
      await tellPages({ tell: "changed" });
    }
  } catch {
    // The daemon went away: what was kept is worth nothing without its events.
  } finally {
    following = false;
    connected = false;
    answers.clear();
  }
}

/** To every content script there is; tabs without one do not matter. */
export async function tellPages(message: ToPage): Promise<void> {
  const tabs = await api.tabs.query({});
  await Promise.allSettled(
    tabs.flatMap((tab) => (tab.id === undefined ? [] : [api.tabs.sendMessage(tab.id, message, { frameId: 0 })])),
  );
}
