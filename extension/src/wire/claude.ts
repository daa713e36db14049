/**
 * Claude, as far as it speaks JSON and server-sent events. The page makes the ids of both messages of a turn
 * (`turn_message_uuids`), the stream repeats the answer's and its parent's, and the history has the same ones.
 */

import { type Exchange, type Read, type Reading, ShapeError, type Turn } from "../types";
import { type Block, joinBlocks } from "./blocks";
import { jsonEvents } from "./json-events";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";
import { within } from "./within";

const ADDRESS = /\/chat_conversations(?:_v2)?\/([0-9a-f-]{36})(\/(?:retry_)?completion)?(?:\?|$)/;
/** What every conversation's first message has as its parent. */
const ROOT = "00000000-0000-4000-8000-000000000000";

export const readClaude: Read = (exchange) => {
  if (exchange.status !== 0 && (exchange.status < 200 || exchange.status > 299)) return null;
  const address = ADDRESS.exec(exchange.url);
  if (!address?.[1]) return null;
  return address[2] ? readPrompt(exchange, address[1]) : readHistory(exchange, address[1]);
};

function readPrompt(exchange: Exchange, conversation: string): Reading | null {
  const asked = asObject(parse(exchange.request, "prompt"), "prompt");
  const made = within(asked["create_conversation_params"], "prompt.create_conversation_params");
  if (made?.["is_temporary"] === true) return { conversation, turns: [], temporary: true };
  const ids = within(asked["turn_message_uuids"], "prompt.turn_message_uuids") ?? {};
  const answer = readStream(exchange);
  if (answer.refused) return null;
  const turns: Turn[] = [];
  const prompt = asked["prompt"] === undefined ? "" : asString(asked["prompt"], "prompt.prompt");
  const user = answer.parent ?? maybeString(ids["human_message_uuid"]);
  if (prompt.trim() !== "" && user) turns.push({ id: user, role: "user", content: prompt, sentAt: moment(exchange.at) });
  const id = answer.id ?? maybeString(ids["assistant_message_uuid"]);
  if (answer.finished && id && answer.text.trim() !== "")
    turns.push({ id, role: "assistant", content: answer.text, sentAt: answer.at ?? moment(exchange.at) });
  return turns.length ? { conversation, turns } : null;
}

interface Answer {
  id: string | null;
  parent: string | null;
  at: string | null;
  text: string;
  finished: boolean;
  /** The server took the prompt for none: a limit was reached, or it failed. */
  refused: boolean;
}

function readStream({ response, complete }: Exchange): Answer {
  const answer: Answer = { id: null, parent: null, at: null, text: "", finished: false, refused: false };
  const blocks = new Map<number, Block>();
  let begun = false;
  let cancelled = false;
  for (const { value } of jsonEvents(response, complete)) {
    const event = asObject(value, "stream event");
    switch (asString(event["type"], "stream event.type")) {
      case "message_start": {
        begun = true;
        const message = asObject(event["message"], "message_start.message");
        answer.id = maybeString(message["uuid"]);
        answer.parent = maybeString(message["parent_uuid"]);
        answer.at = moment(message["created_at"]);
        break;
      }
      case "content_block_start": {
        const block = asObject(event["content_block"], "content_block_start.content_block");
        blocks.set(number(event["index"], "content_block_start.index"), {
          said: asString(block["type"], "content_block.type") === "text",
          text: maybeString(block["text"]) ?? "",
        });
        break;
      }
      case "content_block_delta": {
        const block = blocks.get(number(event["index"], "content_block_delta.index"));
        if (!block) throw new ShapeError("content_block_delta comes before its block");
        const delta = asObject(event["delta"], "content_block_delta.delta");
        if (delta["type"] === "text_delta") block.text += asString(delta["text"], "text_delta.text");
        break;
      }
      case "message_delta":
        cancelled ||= asObject(event["delta"], "message_delta.delta")["stop_reason"] === "user_canceled";
        break;
      case "message_stop":
        answer.finished = begun && !cancelled;
        break;
      case "error":
        answer.refused = !begun;
        break;
    }
  }
  if (complete && response.trim() !== "" && !begun && !answer.refused) throw new ShapeError("stream holds no message_start");
  answer.text = joinBlocks([...blocks].sort(([a], [b]) => a - b).map(([, block]) => block));
  return answer;
}

function readHistory({ response, complete }: Exchange, conversation: string): Reading | null {
  if (!complete) return null;
  const history = asObject(parse(response, "history"), "history");
  if (history["is_temporary"] === true) return { conversation, turns: [], temporary: true };
  const title = maybeString(history["name"]);
  const messages = asArray(history["chat_messages"], "history.chat_messages").map((message, index) => asObject(message, `history.chat_messages.${index}`));
  const turns = branch(messages, maybeString(history["current_leaf_message_uuid"])).map(turnOf).filter((turn) => turn !== null);
  return turns.length ? { conversation, ...(title ? { title } : {}), turns } : null;
}

/** The messages from the leaf up, in their order; all of them where the history names no leaf. */
function branch(messages: JsonObject[], leaf: string | null): JsonObject[] {
  if (leaf === null) return messages;
  const byId = new Map(messages.map((message) => [asString(message["uuid"], "history.chat_messages.uuid"), message]));
  const found: JsonObject[] = [];
  const seen = new Set<string>();
  for (let at: string | null = leaf; at !== null && at !== ROOT; ) {
    const message = byId.get(at);
    if (!message || seen.has(at)) throw new ShapeError("history.chat_messages are no tree");
    seen.add(at);
    found.push(message);
    at = maybeString(message["parent_message_uuid"]);
  }
  return found.reverse();
}

function turnOf(message: JsonObject): Turn | null {
  const id = asString(message["uuid"], "history.chat_messages.uuid");
  const sender = asString(message["sender"], "history.chat_messages.sender");
  if (sender !== "human" && sender !== "assistant") return null;
  // Stopped by its user, or still being written.
  if (sender === "assistant" && (message["stop_reason"] === "user_canceled" || message["stop_reason"] === null)) return null;
  const content = Array.isArray(message["content"])
    ? joinBlocks(message["content"].map(contentBlock))
    : asString(message["text"], "history.chat_messages.text");
  if (content.trim() === "") return null;
  return { id, role: sender === "human" ? "user" : "assistant", content, sentAt: moment(message["created_at"]) };
}

function contentBlock(value: Json): Block {
  const block = asObject(value, "history content block");
  return { said: asString(block["type"], "history content block.type") === "text", text: maybeString(block["text"]) ?? "" };
}

function number(value: Json | undefined, what: string): number {
  if (typeof value !== "number") throw new ShapeError(`${what} is no number`);
  return value;
}
