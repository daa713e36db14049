/**
 * ChatGPT's streamed answer: either whole messages again and again, or the delta encoding "v1", in which messages are
 * put into numbered slots (`c`) and then changed (`p`ath, `o`peration, `v`alue); path and slot stay in force.
 */

import { ShapeError } from "../types";
import { jsonEvents } from "./json-events";
import { asArray, asObject, asString, type Json, type JsonObject, maybeString } from "./shape";

const TEXT = "/message/content/parts/0";
const PART = /^\/message\/content\/parts\/(\d{1,3})$/;
/** Fields of a message that decide whether it is a turn. */
const FIELD = /^\/message\/(status|recipient|channel|weight|create_time)$/;

/** The messages of a stream, as they stand at its end. */
export class Drafts {
  conversation: string | null = null;
  title: string | null = null;
  /** The answer comes over a web socket. */
  handedOff = false;
  private readonly byId = new Map<string, JsonObject>();
  private readonly slots = new Map<number, JsonObject>();
  private explained = false;
  private slot = 0;
  private path = "";

  readStream(stream: string, complete: boolean): void {
    this.explained = stream.trim() === "";
    for (const { value } of jsonEvents(stream, complete)) {
      if (typeof value === "string") continue; // the name of the encoding
      const event = asObject(value, "stream event");
      this.event(event);
      this.handedOff ||= event["type"] === "stream_handoff";
      this.explained ||= this.handedOff || (event["error"] ?? null) !== null || event["detail"] !== undefined;
    }
  }

  /** Throws ShapeError where there is no message and nothing that says why. */
  mustHoldMessages(): void {
    if (!this.explained && this.byId.size === 0) throw new ShapeError("stream holds no message");
  }

  messages(): JsonObject[] {
    return [...this.byId.values()];
  }

  private event(event: JsonObject): void {
    this.conversation ??= maybeString(event["conversation_id"]);
    if (typeof event["type"] === "string") {
      if (event["type"] === "title_generation") this.title = maybeString(event["title"]);
    } else if (event["message"] !== undefined) {
      this.put(event);
    } else if ("v" in event) {
      if (typeof event["c"] === "number") this.slot = event["c"];
      this.change(event);
    }
  }

  /** A whole message, new or again. */
  private put(holder: JsonObject): void {
    this.conversation ??= maybeString(holder["conversation_id"]);
    if (holder["message"] === null) return; // with an error beside it
    const message = asObject(holder["message"], "stream.message");
    this.byId.set(asString(message["id"], "stream.message.id"), message);
    this.slots.set(this.slot, message);
  }

  private change(event: JsonObject): void {
    const value = event["v"] as Json;
    if (Array.isArray(value) && (event["o"] ?? "patch") === "patch" && !event["p"]) {
      for (const each of value) this.operate(asObject(each, "stream patch"), "append");
    } else if (typeof value === "object" && value !== null && !Array.isArray(value) && "message" in value && !event["p"]) {
      this.path = "";
      this.put(value);
    } else {
      this.operate(event, "append");
    }
  }

  private operate(change: JsonObject, otherwise: string): void {
    const path = maybeString(change["p"]) ?? (this.path || TEXT);
    this.path = path;
    const message = this.slots.get(this.slot);
    if (!message) return; // a stream that was taken up again in the middle
    const operation = maybeString(change["o"]) ?? otherwise;
    const part = PART.exec(path);
    const field = FIELD.exec(path);
    if (part) this.write(message, Number(part[1]), operation, change["v"] ?? null);
    else if (field?.[1]) message[field[1]] = change["v"] ?? null;
    else if (path === "/message/metadata") this.note(message, change["v"] ?? null);
    else if (path === "/message/content") message["content"] = asObject(change["v"], "stream content");
  }

  private write(message: JsonObject, index: number, operation: string, value: Json): void {
    const content = asObject(message["content"], "stream.message.content");
    const parts = asArray(content["parts"], "stream.message.content.parts");
    const old = parts[index] ?? "";
    if (operation === "append" && typeof old === "string") parts[index] = old + asString(value, "stream text");
    else if (operation === "replace" || operation === "add") parts[index] = value;
    else throw new ShapeError("stream changes text in an unknown way");
  }

  private note(message: JsonObject, value: Json): void {
    const hidden = "is_visually_hidden_from_conversation";
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, hidden)) return;
    message["metadata"] = { [hidden]: value[hidden] ?? null };
  }
}
