/**
 * DeepSeek. Messages are numbered within their conversation; the stream tells both numbers of a turn when it begins,
 * and the history has the same ones. An edited prompt and a second answer get the next numbers.
 */

import { type Exchange, type Read, type Reading, ShapeError, type Turn } from "../types";
import { branchTo } from "./branch";
import { fragmentsOf, readAnswer, textOf } from "./deepseek-answer";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";

export const readDeepSeek: Read = (exchange) => {
  if (exchange.status !== 0 && (exchange.status < 200 || exchange.status > 299)) return null;
  return exchange.method === "GET" ? readHistory(exchange) : readPrompt(exchange);
};

function readPrompt(exchange: Exchange): Reading | null {
  const asked = asObject(parse(exchange.request, "prompt"), "prompt");
  const conversation = asString(asked["chat_session_id"], "prompt.chat_session_id");
  const answer = readAnswer(exchange.response, exchange.complete);
  if (!answer) return null;
  const sentAt = moment(exchange.at);
  const turns: Turn[] = [];
  const prompt = asked["prompt"] === undefined || asked["prompt"] === null ? "" : asString(asked["prompt"], "prompt.prompt");
  if (answer.userId !== null && prompt.trim() !== "") turns.push({ id: answer.userId, role: "user", content: prompt, sentAt });
  const content = textOf(answer.fragments, "RESPONSE");
  if (answer.status === "FINISHED" && answer.id !== null && content.trim() !== "")
    turns.push({ id: answer.id, role: "assistant", content, sentAt: answer.at ?? sentAt });
  return turns.length ? { conversation, ...(answer.title ? { title: answer.title } : {}), turns } : null;
}

interface Message {
  id: string;
  parent: string | null;
  turn: Turn | null;
}

function readHistory({ response, complete }: Exchange): Reading | null {
  if (!complete) return null;
  const data = asObject(parse(response, "history"), "history")["data"];
  const kept = data === null || data === undefined ? null : asObject(data, "history.data")["biz_data"];
  if (kept === null || kept === undefined) return null; // an error, named beside it
  const history = asObject(kept, "history.data.biz_data");
  const messages = asArray(history["chat_messages"], "history.chat_messages").map((message) => messageOf(asObject(message, "history.chat_messages")));
  // The page keeps what it has seen, and is then told only what is new: often nothing.
  if (!messages.length) return null;
  const session = asObject(history["chat_session"], "history.chat_session");
  const current = idOf(session["current_message_id"], "history.chat_session.current_message_id");
  const last = messages.find((message) => message.id === current);
  if (!last && history["cache_control"] === "MERGE") return null;
  if (!last) throw new ShapeError("history.chat_messages lacks the current message");
  const turns = branchTo(last, messages).flatMap(({ turn }) => turn ?? []);
  const title = maybeString(session["title"]);
  return turns.length ? { conversation: asString(session["id"], "history.chat_session.id"), ...(title ? { title } : {}), turns } : null;
}

function messageOf(message: JsonObject): Message {
  const where = "history.chat_messages";
  const id = idOf(message["message_id"], `${where}.message_id`);
  const parent = message["parent_id"] ?? null;
  return { id, parent: parent === null ? null : idOf(parent, `${where}.parent_id`), turn: turnOf(message, id, where) };
}

function turnOf(message: JsonObject, id: string, where: string): Turn | null {
  const role = asString(message["role"], `${where}.role`);
  if (role !== "USER" && role !== "ASSISTANT") return null;
  if (role === "ASSISTANT" && message["status"] !== "FINISHED") return null;
  const content = textOf(fragmentsOf(message, where), role === "USER" ? "REQUEST" : "RESPONSE");
  return content.trim() === "" ? null : { id, role: role === "USER" ? "user" : "assistant", content, sentAt: moment(message["inserted_at"]) };
}

function idOf(value: Json | undefined, what: string): string {
  return typeof value === "number" ? String(value) : asString(value, what);
}
