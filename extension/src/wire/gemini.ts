/**
 * Gemini. Its lists have no names: what stands where is known from clients of the site, and checked. A turn pair has
 * the id of the response (`r_...`), which the user's turn gets; the answer has its own (`rc_...`). Both come with the
 * stream and stand in the history.
 */

import { type Exchange, type Read, type Reading, ShapeError, type Turn } from "../types";
import { rpcArguments, rpcAnswers } from "./gemini-envelope";
import { asArray, asString, type Json, maybeString, moment, parse } from "./shape";

const HISTORY = "hNvQHb";
/** Where the request for an answer says that nothing is to be kept. */
const TEMPORARY = 45;
/** What a finished answer has at its ninth place. */
const FINISHED = 2;
/** Where the page draws a picture, a card or a video. */
const CARDS = /https?:\/\/googleusercontent\.com\/\w+\/\d+\n*/g;

export const readGemini: Read = (exchange) => {
  if (exchange.status !== 0 && (exchange.status < 200 || exchange.status > 299)) return null;
  return /\/StreamGenerate(?:\?|$)/.test(exchange.url) ? readPrompt(exchange) : readHistory(exchange);
};

function readPrompt(exchange: Exchange): Reading | null {
  const asked = asArray(parse(asString(rpcArguments(exchange.request)[1], "prompt"), "prompt"), "prompt");
  if (asked[TEMPORARY] === 1) return { conversation: null, turns: [], temporary: true };
  const prompt = asString(asArray(asked[0], "prompt.0")[0], "prompt.0.0");
  let conversation = Array.isArray(asked[2]) ? maybeString(asked[2][0]) : null;
  let response: string | null = null;
  let candidate: Json[] | null = null;
  let answered = exchange.response.trim() === "" || !exchange.complete;
  for (const answer of rpcAnswers(exchange.response, exchange.complete)) {
    answered = true;
    if (answer.body === null) continue; // an error, whose number stands beside it
    const body = asArray(answer.body, "stream");
    const ids = body[1] === null || body[1] === undefined ? [] : asArray(body[1], "stream.1");
    conversation = maybeString(ids[0]) ?? conversation;
    response = maybeString(ids[1]) ?? response;
    if (body[4] !== null && body[4] !== undefined) candidate = asArray(asArray(body[4], "stream.4")[0], "stream.4.0");
  }
  if (!answered) throw new ShapeError("stream holds no answer");
  if (response === null) return null;
  const at = moment(exchange.at);
  const turns: Turn[] = [];
  if (prompt.trim() !== "") turns.push({ id: response, role: "user", content: prompt, sentAt: at });
  if (candidate && stateOf(candidate) === FINISHED) turns.push(...answerOf(candidate, at, "stream.4.0"));
  return turns.length ? { conversation: bare(conversation), turns } : null;
}

function readHistory(exchange: Exchange): Reading | null {
  if (!exchange.complete) return null;
  for (const { rpc, body } of rpcAnswers(exchange.response, true)) {
    if (rpc !== HISTORY || body === null) continue;
    const turns = asArray(asArray(body, "history")[0] ?? [], "history.0").map((turn, index) => asArray(turn, `history.0.${index}`));
    if (!turns.length) return null;
    const conversation = bare(asString(asArray(turns[0]?.[0], "history turn.0")[0], "history turn.0.0"));
    const said = inTime(turns).flatMap((turn) => turnsOf(turn));
    return said.length ? { conversation, turns: said } : null;
  }
  return null;
}

/** The site gives the newest first. */
function inTime(turns: Json[][]): Json[][] {
  const at = (turn: Json[]): number => (Array.isArray(turn[4]) && typeof turn[4][0] === "number" ? turn[4][0] : NaN);
  const reversed = turns.toReversed();
  return reversed.some((turn) => Number.isNaN(at(turn))) ? reversed : reversed.sort((one, other) => at(one) - at(other));
}

function turnsOf(turn: Json[]): Turn[] {
  const id = asString(asArray(turn[0], "history turn.0")[1], "history turn.0.1");
  const at = Array.isArray(turn[4]) ? moment(turn[4][0]) : null;
  const prompt = maybeString(asArray(asArray(turn[2], "history turn.2")[0], "history turn.2.0")[0]);
  const turns: Turn[] = prompt?.trim() ? [{ id, role: "user", content: prompt, sentAt: at }] : [];
  const candidates = turn[3] === null || turn[3] === undefined ? null : asArray(turn[3], "history turn.3")[0];
  if (candidates === null || candidates === undefined) return turns;
  const [first] = asArray(candidates, "history turn.3.0");
  const candidate = first === undefined ? null : asArray(first, "history turn.3.0.0");
  if (candidate && (stateOf(candidate) ?? FINISHED) === FINISHED) turns.push(...answerOf(candidate, at, "history turn.3.0.0"));
  return turns;
}

function answerOf(candidate: Json[], sentAt: string | null, where: string): Turn[] {
  const id = asString(candidate[0], `${where}.0`);
  const content = asString(asArray(candidate[1], `${where}.1`)[0], `${where}.1.0`).replace(CARDS, "");
  return content.trim() === "" ? [] : [{ id, role: "assistant", content, sentAt }];
}

function stateOf(candidate: Json[]): Json | null {
  return Array.isArray(candidate[8]) ? (candidate[8][0] ?? null) : null;
}

/** A conversation's id as it stands in the page's address. */
function bare(id: string | null): string | null {
  return id?.replace(/^c_/, "") || null;
}
