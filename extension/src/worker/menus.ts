/** The context menu: remember a selection, insert what is known, on any page that we may enter. */

import { api } from "../api";
import { showState } from "./badge";
import { enter, isInside } from "./grants";
import { noteInvited } from "./offered";
import { putMemory } from "./outbox";
import { noteError, ofSite, settings } from "./settings";
import { whereIs } from "./where";

export async function createMenus(): Promise<void> {
  await api.contextMenus.removeAll();
  api.contextMenus.create({ id: "remember", title: api.i18n.getMessage("menu_remember"), contexts: ["selection"] });
  api.contextMenus.create({ id: "insert", title: api.i18n.getMessage("menu_insert"), contexts: ["editable"] });
}

export async function onMenu(info: chrome.contextMenus.OnClickData, tab?: chrome.tabs.Tab): Promise<void> {
  const url = info.pageUrl ?? tab?.url;
  if (tab?.id === undefined || !url) return;
  if (info.menuItemId === "remember" && info.selectionText?.trim()) await rememberSelection(info.selectionText.trim(), url, tab.id);
  if (info.menuItemId === "insert") await invite(tab.id);
}

/** Offers in a tab on the user's own word, even where the site was never let in: nothing is captured there for it. */
export async function invite(tab: number): Promise<void> {
  if (!(await isInside(tab)) && !(await enter(tab))) return;
  await noteInvited(tab);
  await api.tabs.sendMessage(tab, { tell: "insert" }, { frameId: 0 });
}

/** What the user picks out becomes a memory written by hand: it may be anybody's words, so nothing is derived from it. */
async function rememberSelection(text: string, url: string, tab: number): Promise<void> {
  const where = whereIs(new URL(url).hostname, tab);
  const { profile } = ofSite(await settings(), where.name);
  try {
    await putMemory(text, { profile, site: where.name, conversation: "selections", title: null, url: null });
    await showState(tab, "remembered");
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    await noteError("error_full", error.name);
    await showState(tab, "full");
  }
}
