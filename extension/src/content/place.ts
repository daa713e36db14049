/** Where the page is: the conversation of its address, and whether it is one that leaves no traces. */

import type { Place } from "../messages";
import type { Site } from "../types";

export function conversationOf(site: Site, address: string): string | null {
  const found = new RegExp(site.conversation).exec(address);
  return found?.slice(1).find((group) => group) ?? null;
}

export function placeOf(site: Site): Place {
  const address = location.pathname + location.search;
  const { url, selector } = site.temporary ?? {};
  const temporary =
    (url !== undefined && new RegExp(url).test(address)) ||
    (selector !== undefined && document.querySelector(selector) !== null);
  return {
    conversation: conversationOf(site, address),
    title: document.title.slice(0, 500),
    url: location.origin + location.pathname,
    temporary,
  };
}

/** Calls `moved` whenever the page's address has changed, also where no page was loaded. */
export function onMove(moved: () => void, signal: AbortSignal): void {
  let last = location.href;
  const look = () => {
    if (location.href === last) return;
    last = location.href;
    moved();
  };
  const { navigation } = window as { navigation?: EventTarget };
  navigation?.addEventListener("currententrychange", look, { signal });
  window.addEventListener("popstate", look, { signal });
}
