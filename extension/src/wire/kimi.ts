/**
 * Kimi (www.kimi.com). A prompt is `ChatService/Chat`, answered by a Connect stream of operations on messages and
 * their blocks, the user's own message among them; a conversation that is opened is `ChatService/ListMessages`, plain
 * JSON, newest first. Both name a message by the same id.
 */

import { type Exchange, type Read, type Reading, type Role, ShapeError, type Turn } from "../types";
import { newestBranch } from "./branch";
import { connectMessages } from "./connect";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";
import { within } from "./within";

const COMPLETED = "MESSAGE_STATUS_COMPLETED";
/** A reference to a source, in characters of the private use area. */
const CITATION = /\uE3A0[^\uE3A0\uE3A8]*\uE3A8/g;

interface Message {
  id: string;
  parent: string | null;
  /** null: not said yet, or neither side's. */
  role: Role | null;
  status: string | null;
  at: string | null;
  /** Its text blocks, by their ids. What the model thought, searched or ran stands in other kinds of block. */
  texts: Map<string, string>;
}

export const readKimi: Read = (exchange) => {
  if (exchange.status >= 400) return null;
  return /\/ListMessages(?:\?|$)/.test(exchange.url) ? history(exchange) : prompt(exchange);
};

function prompt({ response, complete }: Exchange): Reading | null {
  const messages = new Map<string, Message>();
  let answering: Message | null = null;
  let conversation: string | null = null;
  let title: string | null = null;
  let failed = false;
  for (const event of connectMessages(response, complete)) {
    if (event.error !== undefined) failed = true;
    const chat = within(event.chat, "the chat");
    conversation ??= maybeString(chat?.id);
    title = maybeString(chat?.name) ?? title;
    const message = within(event.message, "a message");
    if (message) {
      const told = tell(messages, message);
      if (told.role === "assistant") answering = told;
    }
    const block = within(event.block, "a block");
    if (block) write(messages, answering, block, event.op);
  }
  if (!messages.size && complete && !failed) throw new ShapeError("the stream has no message");
  const turns = turnsOf([...messages.values()], true);
  return turns.length ? { conversation, title, turns } : null;
}

/** Takes over what an event says of a message. */
function tell(messages: Map<string, Message>, said: JsonObject): Message {
  const id = asString(said.id, "a message's id");
  const known = messages.get(id);
  const now = messageOf(said, id);
  if (!known) {
    messages.set(id, now);
    return now;
  }
  known.role = now.role ?? known.role;
  known.status = now.status ?? known.status;
  known.at = now.at ?? known.at;
  for (const [block, text] of now.texts) known.texts.set(block, text);
  return known;
}

function write(messages: Map<string, Message>, answering: Message | null, block: JsonObject, op: Json | undefined): void {
  const text = within(block.text, "a text block");
  if (!text) return;
  const named = maybeString(block.messageId);
  const owner = named === null ? answering : (messages.get(named) ?? null);
  if (!owner) throw new ShapeError("a text block belongs to no message");
  const id = asString(block.id, "a block's id");
  const content = text.content === undefined ? "" : asString(text.content, "a block's text");
  if (op !== "set" && op !== "append") throw new ShapeError("a block is neither set nor appended to");
  owner.texts.set(id, op === "set" ? content : (owner.texts.get(id) ?? "") + content);
}

function history({ request, response, complete }: Exchange): Reading | null {
  if (!complete) return null;
  const root = asObject(parse(response, "the history"), "the history");
  // A list without entries is not written.
  if (!Object.keys(root).length) return null;
  const listed = asArray(root.messages, "the messages").map((each) => {
    const message = asObject(each, "a message");
    return messageOf(message, asString(message.id, "a message's id"));
  });
  const asked = request === "" ? {} : asObject(parse(request, "the request"), "the request");
  const spoken = listed.reverse().filter((message) => message.role !== null);
  const turns = turnsOf(newestBranch(spoken), false);
  // The page may look into another chat than the one it shows: only the request says which one this is.
  const conversation = maybeString(asked.chat_id) ?? maybeString(asked.chatId);
  return conversation !== null && turns.length ? { conversation, turns } : null;
}

function messageOf(message: JsonObject, id: string): Message {
  const role = message.role === "user" || message.role === "assistant" ? message.role : null;
  const texts = new Map<string, string>();
  const blocks = message.blocks === undefined || message.blocks === null ? [] : asArray(message.blocks, "the blocks");
  for (const [index, each] of blocks.entries()) {
    const block = asObject(each, "a block");
    const content = within(block.text, "a text block")?.content;
    if (content !== undefined) texts.set(maybeString(block.id) ?? `#${index}`, asString(content, "a block's text"));
  }
  const status = maybeString(message.status);
  return { id, parent: maybeString(message.parentId), role, status, at: moment(message.createTime), texts };
}

/** `live`: an answer must have said that it is complete. */
function turnsOf(messages: readonly Message[], live: boolean): Turn[] {
  const turns: Turn[] = [];
  for (const { id, role, status, at, texts } of messages) {
    const content = [...texts.values()].filter((text) => text !== "").join("\n\n").replace(CITATION, "");
    if (content.trim() === "") continue;
    if (role === null) {
      if (live) throw new ShapeError("a message with text has no role");
      continue;
    }
    const finished = role === "user" || status === COMPLETED || (status === null && !live);
    if (finished) turns.push({ id, role, content, sentAt: at });
  }
  return turns;
}
