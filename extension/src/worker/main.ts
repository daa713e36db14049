/** The service worker: registers its listeners at once, for it may be woken by any of them, and keeps no state of its own. */

import { api } from "../api";
import {
  failed,
  type Context,
  type DaemonState,
  type FromOwnPage,
  type FromPage,
  type Kept,
  type Overview,
  type PageState,
  type Place,
} from "../messages";
import { showState } from "./badge";
import { fromPage, fromWire, isClosed, isUnremembered, remember } from "./capture";
import { ask, forgetAnswers, inserted, NOTHING, tellPages, type Asking } from "./context";
import { call, DaemonError, daemonVersion, look, onState } from "./daemon";
import { database, today } from "./database";
import { enterOpenPages, isLetIn, register } from "./grants";
import { createMenus, invite, onMenu } from "./menus";
import { checkOffered, dropOffered, isInvited, noteOffered } from "./offered";
import { dropForgotten } from "./forgetting";
import { drain, lengths, onAlarm, retryRefused } from "./outbox";
import { begin, check, unpair } from "./pairing";
import { change, lastError, noteError, ofSite, settings, token } from "./settings";
import { noteReadable, noteUnreadable, troubles } from "./unreadable";
import { HOSTED, isOwnPage, whereIs, whereOf, type Where } from "./where";

api.runtime.onInstalled.addListener((details) => {
  void createMenus();
  void register();
  void enterOpenPages();
  void retryRefused();
  if (details.reason === "install") void api.tabs.create({ url: api.runtime.getURL("pair.html") });
});
api.runtime.onStartup.addListener(() => void drain());
api.alarms.onAlarm.addListener(onAlarm);
api.contextMenus.onClicked.addListener((info, tab) => void onMenu(info, tab));
api.permissions.onAdded.addListener(() => void register().then(enterOpenPages));
api.permissions.onRemoved.addListener(() => void register());
api.commands.onCommand.addListener((command, tab) => {
  if (command === "preview" && tab?.id !== undefined) void invite(tab.id).catch(() => undefined);
});
api.tabs.onRemoved.addListener(dropOffered);
// A content script has no business in storage; by default it could read the token there.
void api.storage.local.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
onState((state, before) => {
  void showSign(state);
  if (state === "ok") void drain().then(dropForgotten);
  // A worker that has just woken learns how things stand: that is no news to the pages.
  if (before !== null) void tellState();
});

async function showSign(state: DaemonState): Promise<void> {
  await showState(undefined, state !== "ok" ? "unpaired" : (await settings()).paused ? "off" : "ok");
}

api.runtime.onMessage.addListener((message: unknown, sender, respond) => {
  const answer = isOwnPage(sender)
    ? answerOwnPage(message as FromOwnPage)
    : answerPage(message as FromPage, whereOf(sender));
  answer.then(respond, (error: unknown) => {
    if (!(error instanceof DaemonError)) console.error("Satchel:", error);
    respond({ error: error instanceof Error ? error.message : String(error) });
  });
  return true;
});

async function answerPage(message: FromPage, where: Where | null): Promise<unknown> {
  if (!where) throw new Error("not a page of a site");
  switch (message.do) {
    case "hello":
      void drain().then(dropForgotten);
      return pageState(where, message.place);
    case "exchange":
      return note(where, await fromWire(where, message.place, message.exchange));
    case "turns":
      return note(where, await fromPage(where, message.place, message.turns));
    case "ask":
      return offer(where, message.place, { ...message, conversation: message.place.conversation });
    case "compose": {
      await checkOffered(where.tab, ...message.only);
      const asking = { ...message, conversation: message.place.conversation, automatic: false, fresh: true };
      return offer(where, message.place, asking);
    }
    case "readable":
      return noteReadable(where, "composer");
    case "inserted":
      await checkOffered(where.tab, message.injection, ...message.hits);
      await noteReadable(where, "insert");
      return inserted(message.injection, message.hits, message.conversation);
    case "correct":
      await checkOffered(where.tab, message.id);
      await call("PATCH", `/v1/memories/${encodeURIComponent(message.id)}`, { body: { text: message.text } });
      return changed();
    case "forget":
      await checkOffered(where.tab, message.id);
      await call("DELETE", `/v1/memories/${encodeURIComponent(message.id)}`);
      return changed();
    case "unreadable":
      return noteUnreadable(where, message.what, message.detail);
    case "wake":
      return undefined;
  }
}

async function offer(where: Where, place: Place, asking: Asking): Promise<Context> {
  const closed = await isClosed(where, place.conversation, place.temporary);
  if (closed && !(await isInvited(where.tab))) return NOTHING;
  const context = await ask(where, asking);
  await noteOffered(where.tab, context);
  return context;
}

async function changed(): Promise<Record<string, never>> {
  forgetAnswers();
  await tellPages({ tell: "changed" });
  return {};
}

async function note(where: Where, kept: Kept): Promise<Kept> {
  if (kept.full) await showState(where.tab, "full");
  return kept;
}

async function pageState(where: Where, place: Place): Promise<PageState> {
  const all = await settings();
  const here = ofSite(all, where.name);
  const known = await token();
  return {
    site: where.site,
    hosted: where.site?.composer.length ? [] : HOSTED,
    mode: here.mode ?? all.mode,
    paused: all.paused || here.paused || !(await isLetIn(where.name)),
    unremembered: place.conversation !== null && (await isUnremembered(where.name, place.conversation)),
    daemon: known === null ? "unpaired" : "ok",
    lostComposer: (await troubles())[where.name]?.composer !== undefined,
  };
}

const tellState = (): Promise<void> => tellPages({ tell: "state" });

async function answerOwnPage(message: FromOwnPage): Promise<unknown> {
  switch (message.do) {
    case "state":
      return overview(message.tab);
    case "set":
      await change((before) => ({ ...before, ...message.settings }));
      forgetAnswers();
      void look().then(showSign);
      void drain();
      return tellState();
    case "set-site":
      await change((before) => ({
        ...before,
        sites: { ...before.sites, [message.site]: { ...ofSite(before, message.site), ...message.settings } },
      }));
      forgetAnswers();
      return tellState();
    case "remember-conversation":
      await remember(message.site, message.conversation, message.remember);
      return tellState();
    case "pair":
      return begin(message.client);
    case "paired": {
      const state = await check();
      if (state === "paired") await look();
      return { state };
    }
    case "unpair":
      await unpair();
      await look();
      return tellState();
    case "drain":
      await retryRefused();
      return lengths();
  }
}

async function profiles(): Promise<string[]> {
  try {
    const { body } = await call<{ profiles: { name: string }[] }>("GET", "/v1/profiles");
    return body.profiles.map((profile) => profile.name);
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    return [];
  }
}

async function overview(tab?: number): Promise<Overview> {
  const daemon = await look();
  if (daemon === "ok") void dropForgotten();
  const { waiting, refused } = await lengths().catch(storeFailed);
  return {
    daemon,
    version: api.runtime.getManifest().version,
    daemonVersion: daemonVersion(),
    settings: await settings(),
    waiting,
    refused,
    lastError: await lastError(),
    profiles: [...new Set(["me", ...(daemon === "ok" ? await profiles() : [])])],
    here: tab === undefined ? null : await hereOf(tab),
  };
}

/** The popup must open when the store does not: it says what to do. */
async function storeFailed(error: unknown): Promise<{ waiting: number; refused: number }> {
  await noteError("error_store", String(error));
  return { waiting: 0, refused: 0 };
}

async function hereOf(id: number): Promise<Overview["here"]> {
  const tab = await api.tabs.get(id).catch(() => null);
  const answer: unknown = await api.tabs.sendMessage(id, { tell: "place" }, { frameId: 0 }).catch(() => null);
  // Only a page that we may enter tells us its address.
  const url = (answer as Place | null)?.url ?? tab?.url;
  if (!url?.startsWith("http")) return null;
  const where = whereIs(new URL(url).hostname, id);
  const place = answer === null || failed(answer) ? null : (answer as Place);
  const captured = await database().then((db) => db.get("captured", [today(), where.name]), () => undefined);
  return {
    site: place ? where.site : null,
    host: where.name,
    conversation: place?.conversation ?? null,
    temporary: place?.temporary ?? false,
    unremembered: place?.conversation != null && (await isUnremembered(where.name, place.conversation)),
    today: captured?.count ?? 0,
    unreadable: Object.keys((await troubles())[where.name] ?? {}).length > 0,
  };
}
