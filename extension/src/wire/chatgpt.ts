/**
 * ChatGPT. The id of the user's message is made by the page and stands in the request and in the history; the id of
 * the answer comes in the stream. Both stay the same for ever: an edited prompt or a second answer gets its own.
 */

import { type Exchange, type Read, type Reading, type Role, ShapeError, type Turn } from "../types";
import { Drafts } from "./chatgpt-stream";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";
import { within } from "./within";

const HISTORY = /\/backend-[a-z]+\/conversations?\/([0-9a-f-]{36})(?:\/messages)?(?:\?|$)/;
const RESUMED = /\/resume(?:\?|$)/;

export const readChatGpt: Read = (exchange) => {
  if (exchange.status !== 0 && (exchange.status < 200 || exchange.status > 299)) return null;
  const history = HISTORY.exec(exchange.url);
  return history?.[1] ? readHistory(exchange, history[1]) : readPrompt(exchange);
};

function readPrompt(exchange: Exchange): Reading | null {
  const asked = asObject(parse(exchange.request, "prompt"), "prompt");
  if (asked["history_and_training_disabled"] === true) return { conversation: null, turns: [], temporary: true };
  const drafts = new Drafts();
  drafts.readStream(exchange.response, exchange.complete);
  // A stream that was taken up again may begin in the middle of a message that is not known.
  if (exchange.complete && !RESUMED.test(exchange.url)) drafts.mustHoldMessages();
  const messages = asked["messages"] === undefined ? [] : asArray(asked["messages"], "prompt.messages");
  const users = turnsOf(messages.map((message) => asObject(message, "prompt.messages")), "prompt.messages", "user");
  const turns = [
    ...users.map((turn) => ({ ...turn, sentAt: turn.sentAt ?? moment(exchange.at) })),
    ...turnsOf(drafts.messages(), "stream.message", "assistant"),
  ];
  if (!turns.length) return null;
  return {
    conversation: maybeString(asked["conversation_id"]) ?? drafts.conversation,
    ...(drafts.title ? { title: drafts.title } : {}),
    turns,
    ...(drafts.handedOff ? { elsewhere: true } : {}),
  };
}

function readHistory({ response, complete }: Exchange, id: string): Reading | null {
  if (!complete) return null;
  const history = asObject(parse(response, "history"), "history");
  const title = maybeString(history["title"]);
  if (history["is_temporary_chat"] === true) return { conversation: id, turns: [], temporary: true };
  const messages = history["mapping"] === undefined ? listed(history) : branch(history);
  const turns = turnsOf(messages, "history.message");
  return turns.length ? { conversation: id, ...(title ? { title } : {}), turns } : null;
}

/** A page of the history, as accounts of late 2026 get it: the shown branch in its order. */
function listed(history: JsonObject): JsonObject[] {
  return asArray(history["messages"], "history.messages").map((message, index) => asObject(message, `history.messages.${index}`));
}

/** The history as a tree: from the current node up to the root. */
function branch(history: JsonObject): JsonObject[] {
  const mapping = asObject(history["mapping"], "history.mapping");
  const found: JsonObject[] = [];
  const seen = new Set<string>();
  let at = history["current_node"] ?? null;
  while (at !== null) {
    const id = asString(at, "history node id");
    if (seen.has(id)) throw new ShapeError("history.mapping goes in circles");
    seen.add(id);
    const node = asObject(Object.hasOwn(mapping, id) ? mapping[id] : undefined, "history.mapping node");
    if (node["message"]) found.push(asObject(node["message"], "history.mapping message"));
    at = node["parent"] ?? null;
  }
  return found.reverse();
}

function turnsOf(messages: JsonObject[], where: string, role?: Role): Turn[] {
  return messages.map((message) => turnOf(message, where)).filter((turn) => turn !== null && (role ?? turn.role) === turn.role) as Turn[];
}

/** A message as a turn; null where it is none that the user sees as said: hidden, a tool's, thinking, unfinished. */
function turnOf(message: JsonObject, where: string): Turn | null {
  const id = asString(message["id"], `${where}.id`);
  const role = asString(asObject(message["author"], `${where}.author`)["role"], `${where}.author.role`);
  if (role !== "user" && role !== "assistant") return null;
  const metadata = within(message["metadata"], `${where}.metadata`);
  if (metadata?.["is_visually_hidden_from_conversation"] === true || message["weight"] === 0) return null;
  if ((message["recipient"] ?? "all") !== "all" || (message["channel"] ?? "final") !== "final") return null;
  if (role === "assistant" && message["status"] !== "finished_successfully") return null;
  const content = asObject(message["content"], `${where}.content`);
  const type = asString(content["content_type"], `${where}.content.content_type`);
  if (type !== "text" && type !== "multimodal_text") return null;
  const parts = asArray(content["parts"], `${where}.content.parts`).map(words).filter((part) => part !== "");
  const text = parts.join("\n").replace(MARKS, "");
  return text.trim() === "" ? null : { id, role, content: text, sentAt: moment(message["create_time"]) };
}

/** Where the page draws a citation or a card: between private-use characters. */
const MARKS = /\uE200[^\uE201]*\uE201/g;

/** A part that is text or was spoken; files and pictures are none. */
function words(part: Json): string {
  if (typeof part === "string") return part;
  if (typeof part !== "object" || part === null || Array.isArray(part)) return "";
  return part["content_type"] === "audio_transcription" ? (maybeString(part["text"]) ?? "") : "";
}
