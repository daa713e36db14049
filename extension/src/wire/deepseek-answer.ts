/**
 * DeepSeek's streamed answer: a message, then changes to it (`p`ath, `o`peration, `v`alue), where path and operation
 * stay in force until the next. Newer messages consist of fragments (RESPONSE, THINK, TIP, ...), older ones have a content.
 */

import { ShapeError } from "../types";
import { joinBlocks } from "./blocks";
import { jsonEvents } from "./json-events";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString, moment, parse } from "./shape";

export interface Fragment {
  /** null: a content without fragments, of either role. */
  type: string | null;
  text: string;
}

export interface Answer {
  userId: string | null;
  id: string | null;
  status: string | null;
  at: string | null;
  title: string | null;
  fragments: Fragment[];
}

/** The answer of a stream; null where the server refused. Throws ShapeError where it is neither. */
export function readAnswer(stream: string, complete: boolean): Answer | null {
  if (/^\s*\{/.test(stream)) {
    if (complete) asObject(parse(stream, "refusal"), "refusal");
    return null;
  }
  const answer: Answer = { userId: null, id: null, status: null, at: null, title: null, fragments: [] };
  const changes = new Changes(answer);
  let begun = false;
  let told = stream.trim() === "";
  for (const { event, value } of jsonEvents(stream, complete)) {
    const data = asObject(value, "stream event");
    if (event === "ready") {
      begun = true;
      answer.userId = number(data["request_message_id"]);
      answer.id = number(data["response_message_id"]);
    } else if (event === "title") answer.title = maybeString(data["content"]);
    else if (event === "message" && "v" in data) changes.apply(data);
    else if (event === "hint" || event === "toast") told = true;
  }
  if (complete && !begun && !told && answer.id === null) throw new ShapeError("stream never gets ready");
  return begun || answer.id !== null ? answer : null;
}

class Changes {
  private path = "";
  private operation = "SET";

  constructor(private readonly answer: Answer) {}

  apply(change: JsonObject): void {
    this.path = maybeString(change["p"]) ?? this.path;
    this.operation = maybeString(change["o"]) ?? this.operation;
    const value = change["v"] ?? null;
    if (this.path === "") this.begin(asObject(value, "stream message"));
    else if (this.operation !== "BATCH") this.change(this.path, this.operation, value);
    else
      for (const each of asArray(value, "stream batch").map((part) => asObject(part, "stream batch")))
        this.change(`${this.path}/${asString(each["p"], "stream batch.p")}`, maybeString(each["o"]) ?? "SET", each["v"] ?? null);
  }

  private begin(value: JsonObject): void {
    if (value["response"] === undefined) return;
    const message = asObject(value["response"], "stream message");
    this.answer.id = number(message["message_id"]) ?? this.answer.id;
    this.answer.status = maybeString(message["status"]);
    this.answer.at = moment(message["inserted_at"]);
    this.answer.fragments = fragmentsOf(message, "stream message");
  }

  private change(path: string, operation: string, value: Json): void {
    const { fragments } = this.answer;
    const inside = /^response\/fragments\/(-?\d{1,6})\/content$/.exec(path);
    if (inside) {
      const fragment = fragments.at(Number(inside[1]));
      if (!fragment) throw new ShapeError("stream changes a fragment that is not there");
      fragment.text = grown(fragment.text, operation, value);
    } else if (path === "response/content") {
      const [only = { type: null, text: "" }] = fragments;
      this.answer.fragments = [{ ...only, text: grown(only.text, operation, value) }];
    } else if (path === "response/fragments") {
      const fresh = asArray(value, "stream fragments").map((part) => fragmentOf(part, "stream fragments"));
      this.answer.fragments = operation === "APPEND" ? [...fragments, ...fresh] : fresh;
    } else if (path === "response/status") {
      this.answer.status = maybeString(value);
    }
  }
}

function grown(old: string, operation: string, value: Json): string {
  if (operation !== "APPEND" && operation !== "SET") throw new ShapeError("stream changes text in an unknown way");
  return (operation === "APPEND" ? old : "") + asString(value, "stream text");
}

/** What a message consists of. */
export function fragmentsOf(message: JsonObject, where: string): Fragment[] {
  if (Array.isArray(message["fragments"])) return message["fragments"].map((part) => fragmentOf(part, `${where}.fragments`));
  const content = message["content"] ?? "";
  return [{ type: null, text: asString(content, `${where}.content`) }];
}

function fragmentOf(value: Json, where: string): Fragment {
  const fragment = asObject(value, where);
  return { type: asString(fragment["type"], `${where}.type`), text: maybeString(fragment["content"]) ?? "" };
}

export function textOf(fragments: readonly Fragment[], type: string): string {
  return joinBlocks(fragments.map((fragment) => ({ said: fragment.type === null || fragment.type === type, text: fragment.text })));
}

function number(value: Json | undefined): string | null {
  return typeof value === "number" ? String(value) : maybeString(value);
}
