/**
 * The messages of a Connect stream of JSON (connectrpc.com), which was read as text.
 *
 * Each message has five bytes before it: flags (0, or 2 for the last one) and a big-endian length, whose first byte is
 * always 0 here. Read as UTF-8 those bytes are anything, "{" among them, so the messages are told apart by what JSON
 * cannot hold: a NUL.
 */

import { ShapeError } from "../types";
import type { Json, JsonObject } from "./shape";

const LONGEST_REST_OF_A_HEADER = 3;

/** Throws ShapeError for what is no JSON object; a message that was cut off is left out where `complete` is false. */
export function* connectMessages(stream: string, complete: boolean): Generator<JsonObject> {
  const parts = stream.split(/[\u0000\u0002]\u0000/);
  for (const [index, part] of parts.entries()) {
    if (!part.includes("{")) continue;
    const message = messageIn(part);
    if (message) yield message;
    else if (complete || index < parts.length - 1) throw new ShapeError("a message of the stream is no JSON object");
  }
}

function messageIn(part: string): JsonObject | null {
  for (let at = part.indexOf("{"); at >= 0 && at <= LONGEST_REST_OF_A_HEADER; at = part.indexOf("{", at + 1)) {
    try {
      const value = JSON.parse(part.slice(at)) as Json;
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch {
      // That "{" was a byte of the length.
    }
  }
  return null;
}
