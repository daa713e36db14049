/** Looking into untrusted JSON: each step says what it expects, and fails by name. */

import { ShapeError } from "../types";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** The JSON of `text`. Throws ShapeError naming `what`. */
export function parse(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ShapeError(`${what} is not JSON`);
  }
}

export function asObject(value: Json | undefined, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeError(`${what} is no object`);
  return value;
}

export function asArray(value: Json | undefined, what: string): Json[] {
  if (!Array.isArray(value)) throw new ShapeError(`${what} is no list`);
  return value;
}

export function asString(value: Json | undefined, what: string): string {
  if (typeof value !== "string") throw new ShapeError(`${what} is no text`);
  return value;
}

/** A text, or null where there is none. */
export function maybeString(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** ISO 8601 of seconds or milliseconds since the epoch, or of an ISO text; null for anything else. */
export function moment(value: Json | undefined): string | null {
  const number = typeof value === "number" ? (value < 1e11 ? value * 1000 : value) : typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isFinite(number) && number > 0 && number < 8.64e15 ? new Date(number).toISOString() : null;
}

/** The events of a server-sent stream: each with its name ("message" where it has none) and its data. */
export function* sseEvents(stream: string): Generator<{ event: string; data: string }> {
  for (const block of stream.split(/\r\n\r\n|\n\n|\r\r/)) {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split(/\r\n|\n|\r/)) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
    if (data.length) yield { event, data: data.join("\n") };
  }
}
