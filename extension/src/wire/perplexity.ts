/**
 * Perplexity (www.perplexity.ai). A thread is a list of entries, each a question and its answer under one id, its
 * `backend_uuid`. A question is a POST to `perplexity_ask`, answered by server-sent events, each the entry so far; the
 * last one is the entry as the thread has it. The page leaves a stream when it goes to the thread's own address, and
 * takes it up again at `perplexity_ask/reconnect`. A thread that is opened is `rest/thread/<slug>`.
 *
 * The site has no ids for the two halves of an entry, so ours are the entry's with "/query" or "/answer" after it.
 */

import { type Exchange, type Read, type Reading, ShapeError, type Turn } from "../types";
import { answerOf } from "./perplexity-answer";
import { asArray, asObject, asString, type JsonObject, maybeString, moment, parse, sseEvents } from "./shape";

/** A thread that is gone within a day is an incognito one; others live for months. */
const INCOGNITO_MS = 2 * 24 * 3600 * 1000;

export const readPerplexity: Read = (exchange) => {
  if (exchange.status >= 400) return null;
  return exchange.url.includes("/rest/sse/") ? stream(exchange) : thread(exchange);
};

function stream({ request, response, complete, at }: Exchange): Reading | null {
  const asked = request === "" ? {} : asObject(parse(request, "the question"), "the question");
  const params = asked.params === undefined ? {} : asObject(asked.params, "the question's parameters");
  if (params.is_incognito === true) return { conversation: null, turns: [], temporary: true };
  let first: JsonObject | null = null;
  let last: JsonObject | null = null;
  let failed = false;
  for (const { event, data } of sseEvents(response)) {
    if (event !== "message") continue;
    let entry: JsonObject;
    try {
      entry = asObject(parse(data, "an event"), "an event");
    } catch (error) {
      if (complete) throw error;
      break;
    }
    failed ||= entry.error_code !== undefined;
    if (entry.backend_uuid === undefined) continue;
    first ??= entry;
    last = entry;
  }
  if (!first || !last) {
    if (complete && !failed && response.trim() !== "") throw new ShapeError("the stream has no entry");
    return null;
  }
  if (isIncognito(last, at)) return { conversation: null, turns: [], temporary: true };
  const question = maybeString(last.query_str) ?? maybeString(first.query_str) ?? maybeString(asked.query_str);
  return reading([{ ...last, query_str: question, created_datetime: new Date(at).toISOString() }]);
}

function thread({ response, complete, at }: Exchange): Reading | null {
  if (!complete) return null;
  const root = asObject(parse(response, "the thread"), "the thread");
  // The server says in the same place that one may not see the thread, or that it is gone.
  if (root.entries === undefined && (root.error_code !== undefined || root.status === "failed")) return null;
  const entries = asArray(root.entries, "the entries").map((each) => asObject(each, "an entry"));
  if (entries.some((entry) => isIncognito(entry, at))) return { conversation: null, turns: [], temporary: true };
  return reading(entries);
}

function reading(entries: readonly JsonObject[]): Reading | null {
  const turns = entries.flatMap(turnsOf);
  if (!turns.length) return null;
  return {
    conversation: maybeString(entries[0]?.thread_url_slug),
    title: maybeString(entries[0]?.thread_title),
    turns,
  };
}

function turnsOf(entry: JsonObject): Turn[] {
  const id = asString(entry.backend_uuid, "an entry's id");
  const turns: Turn[] = [];
  const question = maybeString(entry.query_str);
  const asked = moment(utc(maybeString(entry.created_datetime)));
  if (question !== null && question.trim() !== "")
    turns.push({ id: `${id}/query`, role: "user", content: question, sentAt: asked });
  if (entry.status !== "COMPLETED") return turns;
  const answer = answerOf(entry);
  if (answer.trim() !== "")
    turns.push({ id: `${id}/answer`, role: "assistant", content: answer, sentAt: moment(utc(maybeString(entry.updated_datetime))) });
  return turns;
}

function isIncognito(entry: JsonObject, now: number): boolean {
  const ends = Date.parse(utc(maybeString(entry.expiry_time)) ?? "");
  const changed = Date.parse(utc(maybeString(entry.updated_datetime)) ?? "");
  return ends - (Number.isFinite(changed) ? changed : now) < INCOGNITO_MS;
}

/** Its times are UTC, often without saying so. */
function utc(time: string | null): string | null {
  return time === null || /(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`;
}
