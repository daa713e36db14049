/** Which site a content script speaks for: by the browser's word for its address, never by its own. */

import { api } from "../api";
import { SITES, siteOf } from "../sites";
import type { Site } from "../types";

export interface Where {
  /** The row; a generic one for a site that the user let in. */
  site: Site | null;
  /** What the site is called in the log: its host. */
  name: string;
  tab: number;
}

/** A site without a row: its pages have addresses, and the path is the conversation's ("/" alone is none yet). */
function generic(host: string): Site {
  return {
    id: host,
    name: host,
    hosts: [host],
    conversation: "^/([^?]+)",
    composer: [],
    send: [],
    experimental: true,
    evidence: { from: "structure", read: "" },
  };
}

/** Rows of software that people host themselves: the page tells whether it is one. */
export const HOSTED: readonly Site[] = SITES.filter((site) => site.recognise);

export function whereIs(host: string, tab: number): Where {
  const site = siteOf(host);
  return { site: site ?? generic(host), name: site?.hosts[0] ?? host, tab };
}

/** Null for a sender that is no content script of ours in the top frame of a web page. */
export function whereOf(sender: chrome.runtime.MessageSender): Where | null {
  if (sender.id !== api.runtime.id || sender.tab?.id === undefined || sender.frameId !== 0 || !sender.url) return null;
  const url = new URL(sender.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  return whereIs(url.hostname, sender.tab.id);
}

/** Whether a page of the extension itself is speaking. */
export function isOwnPage(sender: chrome.runtime.MessageSender): boolean {
  return sender.id === api.runtime.id && Boolean(sender.url?.startsWith(api.runtime.getURL("")));
}
