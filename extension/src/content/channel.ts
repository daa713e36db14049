/**
 * The way from the page's world (`tap.ts`). Its name is agreed on before a script of the page runs. A page that was open
 * before the extension came can learn it: what comes over it is untrusted, and filed under the page's own site.
 */

import type { Exchange } from "../types";

const LONGEST = 30_000_000;

/** From the tap: an exchange began (its answer may take minutes), or ended. */
export type Heard = { begun: string } | Exchange;

function isExchange(value: unknown): value is Exchange {
  if (typeof value !== "object" || value === null) return false;
  const one = value as Record<string, unknown>;
  return (
    ["method", "url", "request", "response"].every((name) => typeof one[name] === "string") &&
    ["status", "at"].every((name) => Number.isFinite(one[name])) &&
    typeof one["complete"] === "boolean" &&
    new URL(one["url"] as string, location.href).hostname === location.hostname
  );
}

export function listen(heard: (what: Heard) => void, signal: AbortSignal): void {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const name = `satchel:${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  document.addEventListener(
    name,
    (event) => {
      const detail: unknown = (event as CustomEvent<unknown>).detail;
      if (typeof detail !== "string" || detail.length > LONGEST) return;
      try {
        const what: unknown = JSON.parse(detail);
        if (typeof what === "object" && what !== null && "begun" in what) heard({ begun: String(what.begun) });
        else if (isExchange(what)) heard(what);
      } catch {
        // Not from our tap.
      }
    },
    { signal },
  );
  // Whichever of the two scripts comes first, the other answers it. Once they agree nobody is told the name again.
  const agreed = new AbortController();
  const hello = () => document.dispatchEvent(new CustomEvent("satchel:hello", { detail: name }));
  document.addEventListener("satchel:ready", hello, { signal: AbortSignal.any([signal, agreed.signal]), once: true });
  document.addEventListener("satchel:agreed", () => agreed.abort(), { signal, once: true });
  hello();
}
