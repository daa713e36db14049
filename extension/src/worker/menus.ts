/** The context menu: remember a selection, insert what is known, on any page that we may enter. */

import { api } from "../api";
import { enter, isInside } from "./grants";
import { put } from "./outbox";
import { ofSite, settings } from "./settings";
import { sha256 } from "./ledger";
import { whereIs } from "./where";

export async function createMenus(): Promise<void> {
  await api.contextMenus.removeAll();
  api.contextMenus.create({ id: "remember", title: api.i18n.getMessage("menu_remember"), contexts: ["selection"] });
  api.contextMenus.create({ id: "insert", title: api.i18n.getMessage("menu_insert"), contexts: ["editable"] });
}

export async function onMenu(info: chrome.contextMenus.OnClickData, tab?: chrome.tabs.Tab): Promise<void> {
  const url = info.pageUrl ?? tab?.url;
  if (tab?.id === undefined || !url) return;
  if (info.menuItemId === "remember" && info.selectionText?.trim()) await rememberSelection(info.selectionText, url, tab);
  // The click lets us into this one page, even where the site was never granted.
  if (info.menuItemId === "insert" && ((await isInside(tab.id)) || (await enter(tab.id))))
    await api.tabs.sendMessage(tab.id, { tell: "insert" }, { frameId: 0 });
}

/** A selection is one turn of the user's, in the page's own conversation of selections. */
async function rememberSelection(text: string, url: string, tab: chrome.tabs.Tab): Promise<void> {
  const where = whereIs(new URL(url).hostname, tab.id ?? -1);
  const { profile } = ofSite(await settings(), where.name);
  const page = url.replace(/[?#].*$/, "");
  const conversation = `selections:${(await sha256(page)).slice(0, 32)}`;
  await put(
    [{ id: null, role: "user", content: text, sentAt: new Date().toISOString() }],
    { profile, site: where.name, conversation, title: tab.title ?? null, url: page },
    "page",
  );
}
