/**
 * Qwen (chat.qwen.ai). A prompt is a POST to `chat/completions`, answered by server-sent events: first the ids, then
 * pieces in phases, of which only "answer" is the answer. A conversation that is opened is `chats/<id>`, the tree of
 * its messages. The page makes an id of its own for a prompt (`fid`), but the server's is another one: it is what
 * the answer's first event calls its parent.
 */

import { type Exchange, type Read, type Reading, type Role, ShapeError, type Turn } from "../types";
import { branchTo } from "./branch";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse, sseEvents } from "./shape";
import { within } from "./within";

/** What a conversation is called that the server does not keep. */
const LOCAL = "local";

export const readQwen: Read = (exchange) => {
  if (exchange.status >= 400) return null;
  return exchange.method === "GET" ? history(exchange) : prompt(exchange);
};

function prompt({ url, request, response, complete, at }: Exchange): Reading | null {
  const asked = request === "" ? {} : asObject(parse(request, "the prompt"), "the prompt");
  let conversation = maybeString(asked.chat_id) ?? new URL(url).searchParams.get("chat_id");
  if (conversation === LOCAL || asked.chat_mode === LOCAL) return { conversation: null, turns: [], temporary: true };
  let userId: string | null = null;
  let answerId: string | null = null;
  let answer = "";
  let finished = false;
  let failed = false;
  for (const { data } of sseEvents(response)) {
    if (data === "[DONE]") break;
    const event = eventIn(data, complete);
    if (!event) break;
    const created = within(event["response.created"], "the answer's beginning");
    if (created) {
      conversation = maybeString(created.chat_id) ?? conversation;
      userId = maybeString(created.parent_id);
      answerId = asString(created.response_id, "the answer's id");
    }
    if (event.error !== undefined || event.success === false) failed = true;
    if (event.choices === undefined) continue;
    const delta = within(within(asArray(event.choices, "the choices")[0], "a choice")?.delta, "a piece");
    if (!delta || !isAnswer(delta.phase)) continue;
    if (typeof delta.content === "string") answer += delta.content;
    if (delta.status === "finished") finished = true;
  }
  if (answerId === null && complete && !failed && !isRefusal(response)) throw new ShapeError("the stream does not begin");
  const turns: Turn[] = [];
  const said = words(asked);
  if (userId !== null && said.trim() !== "")
    turns.push({ id: userId, role: "user", content: said, sentAt: new Date(at).toISOString() });
  if (answerId !== null && finished && answer.trim() !== "")
    turns.push({ id: answerId, role: "assistant", content: answer, sentAt: null });
  return turns.length ? { conversation, turns } : null;
}

/** null: cut off in its midst. */
function eventIn(data: string, complete: boolean): JsonObject | null {
  try {
    return asObject(parse(data, "an event"), "an event");
  } catch (error) {
    if (complete) throw error;
    return null;
  }
}

/** Instead of a stream, the server says in plain JSON why there is none. */
function isRefusal(response: string): boolean {
  try {
    return asObject(parse(response, "the answer"), "the answer").success === false;
  } catch {
    return false;
  }
}

/** The prompt in a request: the last message, where it is the user's. */
function words(asked: JsonObject): string {
  if (asked.messages === undefined) return "";
  const last = within(asArray(asked.messages, "the messages").at(-1), "a message");
  return last?.role === "user" && typeof last.content === "string" ? last.content : "";
}

/** Older models have no phases. */
function isAnswer(phase: Json | undefined): boolean {
  return phase === undefined || phase === null || phase === "answer";
}

function history({ response, complete }: Exchange): Reading | null {
  if (!complete) return null;
  const root = asObject(parse(response, "the history"), "the history");
  if (root.success === false) return null;
  const data = asObject(root.data, "the history's data");
  const chat = asObject(data.chat, "the chat");
  const tree = asObject(chat.history, "the chat's history");
  const messages = new Map<string, Message>();
  for (const [id, value] of Object.entries(asObject(tree.messages, "the messages"))) {
    const message = asObject(value, "a message");
    messages.set(id, { id, parent: maybeString(message.parentId), turn: turnOf(id, message) });
  }
  if (!messages.size) return null;
  const last = messages.get(asString(tree.currentId, "the current message"));
  if (!last) throw new ShapeError("the current message is not there");
  const turns = branchTo(last, messages.values()).flatMap(({ turn }) => (turn ? [turn] : []));
  const title = maybeString(data.title) ?? maybeString(chat.title);
  return turns.length ? { conversation: maybeString(data.id), title, turns } : null;
}

interface Message {
  id: string;
  parent: string | null;
  /** null: nobody's, or not finished. */
  turn: Turn | null;
}

function turnOf(id: string, message: JsonObject): Turn | null {
  const role: Role | null = message.role === "user" || message.role === "assistant" ? message.role : null;
  if (role === null || message.done === false) return null;
  const plain = typeof message.content === "string" ? message.content : "";
  const content = role === "user" ? plain : answerOf(message, plain);
  return content === null || content.trim() === "" ? null : { id, role, content, sentAt: moment(message.timestamp) };
}

/** The answer of a message in phases; null where it is not finished. */
function answerOf(message: JsonObject, plain: string): string | null {
  if (message.content_list === undefined || message.content_list === null) return plain;
  const parts = asArray(message.content_list, "the content").map((each) => asObject(each, "a part of the content"));
  const answer = parts.filter(({ phase }) => isAnswer(phase));
  if (answer.some(({ status }) => typeof status === "string" && status !== "finished")) return null;
  return answer.length ? answer.map((part) => asString(part.content, "a part's content")).join("") : plain;
}
