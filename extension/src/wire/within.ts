/** Stepping into a part of untrusted JSON that need not be there. */

import { asObject, type Json, type JsonObject } from "./shape";

/** The object there, or null where there is none. */
export function within(value: Json | undefined, what: string): JsonObject | null {
  return value === undefined || value === null ? null : asObject(value, what);
}
