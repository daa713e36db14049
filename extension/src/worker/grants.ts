/** Sites that Satchel was not built for, let in one by one by the user; and our scripts in pages that are open already. */

import { api } from "../api";
import { siteOf } from "../sites";

const SCRIPT = "content.js";

/** Match pattern of one host. Firefox's take no port, and both browsers match every port without one. */
export function patternOf(host: string): string {
  return `*://${host}/*`;
}

/** Hosts that the user let in, beyond those of the manifest. */
async function granted(): Promise<string[]> {
  const { origins = [] } = await api.permissions.getAll();
  const hosts = origins.map((origin) => /^(?:\*|https?):\/\/([^/*]+)\/\*$/.exec(origin)?.[1]);
  return [...new Set(hosts.filter((host): host is string => host !== undefined && host !== "127.0.0.1" && !siteOf(host)))];
}

/** Whether we may be in a host's pages beyond a single click: by the manifest, or because the user let us in. */
export async function isLetIn(host: string): Promise<boolean> {
  if (siteOf(host) !== null) return true;
  const may = (scheme: string) => api.permissions.contains({ origins: [`${scheme}://${host}/*`] });
  return (await may("https")) || may("http");
}

/** Registers the content script for what was granted, and for nothing else. */
export async function register(): Promise<void> {
  const hosts = await granted();
  const known = await api.scripting.getRegisteredContentScripts({ ids: ["granted"] });
  if (known.length) await api.scripting.unregisterContentScripts({ ids: ["granted"] });
  if (!hosts.length) return;
  await api.scripting.registerContentScripts([
    { id: "granted", js: [SCRIPT], matches: hosts.map(patternOf), runAt: "document_start", persistAcrossSessions: true },
  ]);
}

/** Puts our content script into a page that is open. A page we may not enter is left alone. */
export async function enter(tab: number): Promise<boolean> {
  try {
    await api.scripting.executeScript({ target: { tabId: tab }, files: [SCRIPT] });
    return true;
  } catch {
    return false;
  }
}

/** After an installation or update: the pages that are open have an old script, or none. */
export async function enterOpenPages(): Promise<void> {
  const matches = api.runtime.getManifest().content_scripts?.flatMap((script) => script.matches ?? []) ?? [];
  const tabs = await api.tabs.query({ url: [...new Set([...matches, ...(await granted()).map(patternOf)])] });
  await Promise.all(tabs.map(async (tab) => tab.id !== undefined && (await enter(tab.id))));
}

/** Whether our script answers in a tab. */
export async function isInside(tab: number): Promise<boolean> {
  try {
    await api.tabs.sendMessage(tab, { tell: "place" }, { frameId: 0 });
    return true;
  } catch {
    return false;
  }
}
