/** Finding an exchange by structure, on a site without a row: what the user sent stands somewhere, and the answer after it. */

import type { Turn } from "../types";
import type { Field } from "./editor";

/** Letters and digits alone: how a site sets a text off differs. */
function letters(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}

/** The smallest element outside the composer that says just what was sent, the last of them if there are several. */
function saying(sent: string, composer: Field): HTMLElement | null {
  const wanted = letters(sent);
  if (!wanted) return null;
  let found: HTMLElement | null = null;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT, (node) => {
    if (node === composer || ["SCRIPT", "STYLE", "NAV", "NOSCRIPT", "TEXTAREA"].includes((node as Element).tagName))
      return NodeFilter.FILTER_REJECT;
    return (node.textContent?.length ?? 0) < sent.length ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  });
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if ((node.textContent?.length ?? 0) <= 2 * sent.length + 200 && letters(node.textContent ?? "") === wanted)
      found = node as HTMLElement;
  return found;
}

/** What was sent (at a moment, in ms) and what was answered. null where the page does not show both: nothing is guessed. */
export function exchangeAfter(sent: string, composer: Field, at: number): Turn[] | null {
  const asked = saying(sent, composer);
  if (!asked) return null;
  for (let up: HTMLElement | null = asked; up && up !== document.body; up = up.parentElement) {
    for (let next = up.nextElementSibling; next; next = next.nextElementSibling) {
      if (!(next instanceof HTMLElement) || next.contains(composer) || next === composer) continue;
      const answer = next.innerText.trim();
      if (!answer) continue;
      // Read once for each time something was sent: that moment tells it from the same words before.
      const sentAt = new Date(at).toISOString();
      return [
        { id: `sent:${at}:user`, role: "user", content: sent, sentAt },
        { id: `sent:${at}:assistant`, role: "assistant", content: answer, sentAt: null },
      ];
    }
    if (up.parentElement?.contains(composer)) return null;
  }
  return null;
}
