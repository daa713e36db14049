/** The envelope in which Google's pages send and receive: lists in JSON, in which further JSON stands as text. */

import { asArray, type Json, maybeString, parse } from "./shape";

/** What a request asks: the list in its form field `f.req`. */
export function rpcArguments(request: string): Json[] {
  const field = new URLSearchParams(request).get("f.req") ?? "";
  const value = parse(field, "f.req");
  return asArray(typeof value === "string" ? parse(value, "f.req") : value, "f.req");
}

export interface RpcAnswer {
  /** The name of the call; null in the stream of an answer. */
  rpc: string | null;
  /** null: there was an error. */
  body: Json;
}

/**
 * The answers of a response: chunks of a length and a list each, which holds no line break. Throws ShapeError for a
 * chunk that is no JSON, except where the response is not `complete`: then the last one may have been cut.
 */
export function* rpcAnswers(response: string, complete: boolean): Generator<RpcAnswer> {
  const chunks = response.split("\n").filter((line) => line.startsWith("["));
  for (const [index, chunk] of chunks.entries()) {
    let entries: Json[];
    try {
      entries = asArray(parse(chunk, "response chunk"), "response chunk");
    } catch (error) {
      if (!complete && index === chunks.length - 1) return;
      throw error;
    }
    for (const entry of entries) {
      if (!Array.isArray(entry) || entry[0] !== "wrb.fr") continue;
      const text = maybeString(entry[2]);
      yield { rpc: maybeString(entry[1]), body: text === null ? null : parse(text, "response body") };
    }
  }
}
