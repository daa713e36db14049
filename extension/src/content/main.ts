/** The content script: one for a page, at its start. It reads the site's row, listens, and keeps out of the way. */

import { api, text } from "../api";
import { conversationOf, onMove, placeOf } from "./place";
import { failed, type PageState, type Place, type ToPage } from "../messages";
import type { Site } from "../types";
import { Capture } from "./capture";
import { listen, type Heard } from "./channel";
import { composerAt, composerIn, isSendControl, writesElsewhere } from "./composer";
import { readText } from "./editor";
import { Injector } from "./inject";
import { Overlay } from "./overlay";
import { gone, retire, tell } from "./worker";

/** How soon after Enter a composer is empty that has sent. */
const SENT_MS = 600;
const RUNNING = Symbol.for("satchel.content");

async function start(): Promise<void> {
  // Heard before we know our site: a page may speak to its server at once.
  const early: Heard[] = [];
  let hear: (what: Heard) => void = (what) => early.push(what);
  listen((what) => hear(what), gone);
  const nowhere: Place = { conversation: null, title: "", url: location.href, temporary: false };
  // Listening at once, too: the worker may speak to a script that it has only just put here.
  let page: Page | null = null;
  const asked: ToPage[] = [];
  api.runtime.onMessage.addListener((message: ToPage, _sender, respond: (answer: unknown) => void) => {
    if (message.tell === "place") respond(page?.place() ?? nowhere);
    else if (page) page.told(message);
    else asked.push(message);
  });
  const state = await tell<PageState>({ do: "hello", place: nowhere });
  if (failed(state) || !state.site) return;
  page = run({ ...state.site }, state.hosted, (heard) => {
    hear = heard;
    for (const what of early.splice(0)) heard(what);
  });
  for (const message of asked.splice(0)) page.told(message);
}

/** How the worker reaches a page that runs. */
interface Page {
  place: () => Place;
  told: (message: ToPage) => void;
}

function run(site: Site, hosted: readonly Site[], onHeard: (heard: (what: Heard) => void) => void): Page {
  const place = () => placeOf(site);
  const overlay = new Overlay(gone, () => injector.escape());
  const injector: Injector = new Injector(site, overlay, place);
  let warned = false;
  let lost = false;
  const unreadable = (what: "wire" | "composer" | "turns", detail: string) => {
    // The worker has counted what the wire told wrong already.
    if (what !== "wire") void tell({ do: "unreadable", what, detail });
    if (warned) return;
    warned = true;
    injector.warn(text("unreadable"), what === "composer" ? text("unreadable_composer") : text("unreadable_turns"));
  };
  const capture = new Capture(site, place, unreadable, () => injector.warn(text("store_full"), ""));

  const refresh = async () => {
    const state = await tell<PageState>({ do: "hello", place: place() });
    if (failed(state)) return;
    const open = state.daemon !== "unpaired" && !state.paused;
    capture.on = open && !state.unremembered;
    capture.listening = state.daemon !== "unpaired";
    // Automatic sending needs a send control that is known: elsewhere Enter may mean anything.
    const mode = state.mode === "auto" && !site.send.length ? "suggest" : state.mode;
    injector.mode = open ? mode : "off";
    lost = state.lostComposer;
    if (injector.mode === "off") injector.rest();
    void capture.flush();
  };
  const ready = refresh().then(() => onHeard((what) => capture.heard(what)));
  whenParsed(() => void ready.then(() => capture.opened()));

  const last = { conversation: conversationOf(site, location.pathname + location.search) };
  onMove(() => {
    const { conversation } = place();
    if (conversation === last.conversation) return;
    last.conversation = conversation;
    injector.moved();
    void refresh().then(() => capture.opened());
  }, gone);

  const capturing = { capture: true, signal: gone } as const;
  const sending = (event: Event, target: EventTarget | null) => {
    const field = composerAt(site, target) ?? composerIn(site);
    if (!field) return;
    const words = readText(field).trim();
    if (injector.sending(field, event.isTrusted)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (words) setTimeout(() => isSent(field, words) && void capture.sent(words, field), SENT_MS);
  };
  /** Enter may be a choice in a menu, and a site may not take a prompt while it answers: what was sent is gone. */
  const isSent = (field: HTMLElement, words: string) => !field.isConnected || !readText(field).includes(words);
  /** A site that the user let in may be software that we know, under an address of its own. */
  const adopt = () => {
    const known = site.composer.length ? undefined : hosted.find((row) => document.querySelector(row.recognise ?? "none"));
    if (!known) return;
    const { id: _id, name: _name, hosts: _hosts, evidence: _evidence, ...markup } = known;
    Object.assign(site, markup);
  };
  const typing = (event: Event) => {
    if (overlay.owns(event.target)) return;
    if (hosted.length) adopt();
    const field = composerAt(site, event.target);
    if (field && lost) {
      lost = false;
      void tell({ do: "readable" });
    }
    if (field) injector.typed(field, event.isTrusted);
    else if (!warned && writesElsewhere(site, event.target, place().conversation !== null)) unreadable("composer", site.composer.join(", "));
  };
  // Lexical takes what is inserted at once (dictation, an input method) before the browser does, and no `input` follows.
  for (const name of ["input", "beforeinput"]) window.addEventListener(name, typing, { ...capturing, passive: true });
  window.addEventListener(
    "keydown",
    (event) => {
      if (overlay.owns(event.target)) return;
      const field = composerAt(site, event.target);
      if (!field) return;
      // A script of the page must not be able to press our keys: it could read out what goes in.
      if (event.isTrusted && injector.key(event, field)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) sending(event, event.target);
    },
    capturing,
  );
  window.addEventListener(
    "click",
    (event) => {
      if (overlay.owns(event.target)) return;
      const field = composerIn(site);
      if (field && isSendControl(site, field, event.target)) sending(event, field);
    },
    capturing,
  );

  return {
    place,
    told: (message) => {
      if (message.tell === "state") void refresh();
      else if (message.tell === "changed") injector.changed();
      else if (message.tell === "insert") {
        const field = composerIn(site) ?? composerAt(site, document.activeElement);
        if (field) void injector.invite(field);
      }
    },
  };
}

function whenParsed(then: () => void): void {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", then, { once: true, signal: gone });
  else then();
}

const world = globalThis as unknown as Record<symbol, { alive: () => boolean } | undefined>;
if (!world[RUNNING]?.alive()) {
  // The script of an earlier version of the extension is an orphan in this page, and takes its leave.
  document.dispatchEvent(new CustomEvent("satchel:retire"));
  document.addEventListener("satchel:retire", () => void (api.runtime?.id || retire()), { signal: gone });
  world[RUNNING] = { alive: () => !gone.aborted && Boolean(api.runtime?.id) };
  void start();
}
