/**
 * Grok (grok.com). A prompt is a POST to `conversations/new` or `conversations/<id>/responses`, answered by a JSON
 * object a line: the user's own message with its id, pieces of the answer, and at the end the whole of it. A
 * conversation that is opened is `load-responses`. Both name a message by its `responseId`.
 */

import { type Exchange, type Read, type Reading, type Role, ShapeError, type Turn } from "../types";
import { newestBranch } from "./branch";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";
import { within } from "./within";

/** A place for a picture or a card, which stand elsewhere. */
const RENDERED = /<grok:render\b(?:[^>]*\/>|[^]*?<\/grok:render>)/g;

export const readGrok: Read = (exchange) => {
  if (exchange.status >= 400) return null;
  return /\/load-responses(?:\?|$)/.test(exchange.url) ? history(exchange) : prompt(exchange);
};

function prompt({ url, request, response, complete }: Exchange): Reading | null {
  const asked = request === "" ? {} : asObject(parse(request, "the prompt"), "the prompt");
  let temporary = asked.temporary === true;
  let conversation = conversationIn(url);
  let title: string | null = null;
  let user: Turn | null = null;
  let answer: Turn | null = null;
  let known = false;
  for (const event of lines(response, complete)) {
    if (event.result === undefined && event.error !== undefined) return { conversation, turns: user ? [user] : [] };
    const result = asObject(event.result, "an event's result");
    const begun = within(result.conversation, "the conversation");
    if (begun) {
      conversation = asString(begun.conversationId, "the conversation's id");
      temporary ||= begun.temporary === true;
    }
    title = maybeString(within(result.title, "the title")?.newTitle) ?? title;
    // In a new conversation it stands one level deeper than in an old one.
    const told = within(result.response, "a response") ?? result;
    const said = within(told.userResponse, "the user's message");
    if (said) user = turnOf(said, "user");
    const answered = within(told.modelResponse, "the answer");
    if (answered && answered.partial !== true) answer = turnOf(answered, "assistant");
    known ||= said !== null || answered !== null || typeof told.token === "string";
  }
  if (temporary) return { conversation, turns: [], temporary };
  if (!known && complete) throw new ShapeError("the stream has neither message nor answer");
  const turns = [user, answer].filter((turn) => turn !== null && turn.content.trim() !== "") as Turn[];
  return turns.length ? { conversation, title, turns } : null;
}

function history({ url, response, complete }: Exchange): Reading | null {
  if (!complete) return null;
  const root = asObject(parse(response, "the history"), "the history");
  const found = asArray(root.responses, "the responses").map((each) => {
    const message = asObject(each, "a response");
    const sender = asString(message.sender, "a response's sender").toLowerCase();
    const role: Role | null = sender === "human" ? "user" : sender === "assistant" ? "assistant" : null;
    const turn = turnOf(message, role ?? "assistant");
    const shown = role !== null && message.partial !== true && message.isControl !== true && turn.content.trim() !== "";
    return { id: asString(turn.id, "a response's id"), parent: maybeString(message.parentResponseId), turn, shown };
  });
  if (found.every(({ turn }) => turn.sentAt !== null))
    found.sort((a, b) => Date.parse(a.turn.sentAt ?? "") - Date.parse(b.turn.sentAt ?? ""));
  const turns = newestBranch(found).filter(({ shown }) => shown).map(({ turn }) => turn);
  return turns.length ? { conversation: conversationIn(url), turns } : null;
}

function turnOf(message: JsonObject, role: Role): Turn {
  const text = message.message === undefined ? "" : asString(message.message, "a response's message");
  return {
    id: asString(message.responseId, "a response's id"),
    role,
    content: role === "user" ? text : text.replace(RENDERED, "").trim(),
    sentAt: moment(message.createTime),
  };
}

/** A JSON object a line; the last line may have been cut off where the stream was. */
function* lines(stream: string, complete: boolean): Generator<JsonObject> {
  const all = stream.split("\n");
  for (const [index, line] of all.entries()) {
    if (line.trim() === "") continue;
    let value: Json;
    try {
      value = parse(line, "a line of the stream");
    } catch (error) {
      if (!complete && index === all.length - 1) return;
      throw error;
    }
    yield asObject(value, "a line of the stream");
  }
}

function conversationIn(url: string): string | null {
  const id = /\/conversations\/([^/?#]+)/.exec(url)?.[1];
  return id === undefined || id === "new" ? null : id;
}
