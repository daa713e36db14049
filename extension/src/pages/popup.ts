/** The popup: how things stand, and what can be changed for the page at hand. */

import { api, text } from "../api";
import { el } from "../dom";
import { MODES, type Mode, type Overview, type SiteSettings } from "../messages";
import { ask, choice, draw, errorCard, nameField, remedy, row, stateLine, toggle } from "./page";

/** Tests open the popup as a page, and name the tab it is about. */
const named = new URLSearchParams(location.search).get("tab");

async function tabId(): Promise<number | undefined> {
  if (named) return Number(named);
  const [tab] = await api.tabs.query({ active: true, currentWindow: true });
  return tab?.id;
}

function here(overview: Overview, refresh: () => void): HTMLElement | null {
  const { here } = overview;
  if (!here) return el("p", { class: "soft" }, text("no_page"));
  if (!here.site)
    return el(
      "section",
      { class: "card" },
      el("p", {}, text("not_built_for", here.host)),
      el("button", { class: "primary", click: () => void letIn(here.host, refresh) }, text("use_here")),
      el("p", { class: "soft" }, text("use_here_hint")),
    );
  const own: Partial<SiteSettings> = overview.settings.sites[here.host] ?? {};
  const set = (settings: Partial<SiteSettings>) => void ask({ do: "set-site", site: here.host, settings }).then(refresh);
  const modes = MODES.map((mode) => [mode, text(`mode_${mode}`)] as const);
  const conversation = here.conversation;
  return el(
    "section",
    { class: "card" },
    el("div", { class: "head" }, el("h2", {}, here.site.name), here.site.experimental ? el("span", { class: "soft" }, text("experimental")) : null),
    here.unreadable ? el("p", { class: "soft" }, text("unreadable_here")) : null,
    el(
      "div",
      { class: "numbers" },
      el("span", {}, el("b", { "data-today": "" }, String(here.today)), el("span", { class: "soft" }, text("captured_today"))),
      el("span", {}, el("b", { "data-waiting": "" }, String(overview.waiting)), el("span", { class: "soft" }, text("waiting"))),
    ),
    here.temporary ? el("p", { class: "soft" }, text("temporary")) : null,
    row(text("pause_here"), toggle(own.paused ?? false, (paused) => set({ paused }))),
    conversation === null
      ? null
      : row(
          text("dont_remember"),
          toggle(here.unremembered, (off) =>
            void ask({ do: "remember-conversation", site: here.host, conversation, remember: !off }).then(refresh),
          ),
        ),
    row(
      text("mode"),
      choice(own.mode ?? "", [["", text("mode_default", text(`mode_${overview.settings.mode}`))], ...modes], (mode) =>
        set({ mode: mode === "" ? null : (mode as Mode) }),
      ),
    ),
    row(text("profile"), nameField(own.profile ?? "me", overview.profiles, (profile) => set({ profile }))),
  );
}

async function letIn(host: string, refresh: () => void): Promise<void> {
  // Asked for in the click itself: browsers show the question only then.
  if (await api.permissions.request({ origins: [`*://${host}/*`] })) setTimeout(refresh, 500);
}

async function show(): Promise<void> {
  const tab = await tabId();
  const overview = await ask<Overview>(tab === undefined ? { do: "state" } : { do: "state", tab });
  const refresh = () => void show();
  const { paused } = overview.settings;
  draw(
    el("div", { class: "head" }, el("div", { class: "name" }, el("h1", {}, "Satchel")), stateLine(overview.daemon, paused)),
    remedy(overview.daemon, overview.daemonVersion),
    here(overview, refresh),
    errorCard(overview.lastError),
    el(
      "div",
      { class: "foot" },
      el(
        "button",
        { class: "link", click: () => void ask({ do: "set", settings: { paused: !paused } }).then(refresh) },
        text(paused ? "resume_all" : "pause_all"),
      ),
      el("button", { class: "link", click: () => void api.runtime.openOptionsPage() }, text("options")),
    ),
  );
}

void show();
