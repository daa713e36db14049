/** Exchanges for the tests of the readers, and what every reader must bear. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Exchange, type Read, ShapeError } from "../../../extension/src/types";

export const AT = Date.UTC(2026, 10, 5, 9, 30);

export function exchange(method: string, url: string, request: unknown, response: string, more: Partial<Exchange> = {}): Exchange {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  return { method, url, status: 200, request: text, response, complete: true, at: AT, ...more };
}

/** What came of a response that broke off after `length` characters. */
export function cut(whole: Exchange, length: number): Exchange {
  return { ...whole, response: whole.response.slice(0, length), complete: false };
}

/** Whatever stands in the place of any value, a reader reads it or throws ShapeError; it never fails otherwise. */
export function bearsAnything(read: Read, good: readonly Exchange[]): void {
  test("oddities in place of any value never fail otherwise than with ShapeError", () => {
    for (const whole of good)
      for (const part of ["request", "response"] as const)
        for (const text of odd(whole[part]))
          for (const complete of [true, false]) survives(read, { ...whole, [part]: text, complete });
  });
  test("an answer cut off anywhere never gives an unfinished answer, nor fails while it is incomplete", () => {
    for (const whole of good) {
      const all = new Set(read(whole)?.turns.map((turn) => JSON.stringify([turn.id, turn.role, turn.content])));
      for (let length = 0; length < whole.response.length; length += 1)
        for (const turn of survives(read, cut(whole, length))?.turns ?? [])
          assert.ok(all.has(JSON.stringify([turn.id, turn.role, turn.content])), `${length}: ${JSON.stringify(turn)}`);
    }
  });
  test("no answer, an error's answer and an answer of another kind give nothing", () => {
    for (const whole of good) {
      for (const response of ["", "{}", "[]", "null", "<!doctype html>", "data: x\n\n"]) survives(read, { ...whole, response });
      assert.equal(read({ ...whole, status: 500 }), null);
      assert.equal(survives(read, { ...whole, response: "", complete: false })?.turns.some((turn) => turn.role === "assistant") ?? false, false);
    }
  });
}

function survives(read: Read, exchange: Exchange): ReturnType<Read> {
  try {
    return read(exchange);
  } catch (error) {
    assert.ok(error instanceof ShapeError, `${String(error)}\n${JSON.stringify(exchange)}`);
    assert.doesNotMatch(error.message, /ODD/, "the message names the place, never its content");
    return null;
  }
}

const ODDITIES = ["null", "true", "-1", '"ODD"', '"__proto__"', '"constructor"', "[]", "[null]", "{}", '{"__proto__":{"ODD":1}}', `${"[".repeat(2000)}${"]".repeat(2000)}`];

/** `text` with one JSON value of it replaced, for each value and oddity. */
function* odd(text: string): Generator<string> {
  for (const found of text.matchAll(/(?<=[:[,]\s?)(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null)(?=\s*[,}\]])/g))
    for (const oddity of ODDITIES) yield text.slice(0, found.index) + oddity + text.slice(found.index + found[0].length);
}
