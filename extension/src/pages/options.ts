/** Options: what may be captured and inserted, where. Everything here is read by something. */

import { api, text } from "../api";
import { el } from "../dom";
import { KINDS, MODES, type Mode, type Overview, type SiteSettings } from "../messages";
import { SITES } from "../sites";
import { ask, choice, draw, errorCard, nameField, remedy, row, stateLine, toggle } from "./page";

const DEFAULTS: SiteSettings = { mode: null, paused: false, profile: "me", kinds: [...KINDS], notFrom: [] };

interface Listed {
  host: string;
  name: string;
  experimental: boolean;
}

function sitesOf(overview: Overview): Listed[] {
  const built = SITES.flatMap((site) => {
    const [host] = site.hosts;
    return host ? [{ host, name: site.name, experimental: site.experimental ?? false }] : [];
  });
  const other = Object.keys(overview.settings.sites).filter((host) => !built.some((site) => site.host === host));
  return [...built, ...other.map((host) => ({ host, name: host, experimental: true }))];
}

function checks(legend: string, all: readonly (readonly [string, string])[], on: readonly string[], changed: (on: string[]) => void): HTMLElement {
  return el(
    "fieldset",
    {},
    el("legend", {}, legend),
    el(
      "div",
      { class: "checks" },
      ...all.map(([name, label]) =>
        el("label", {}, toggle(on.includes(name), (yes) => changed(yes ? [...on, name] : on.filter((one) => one !== name))), el("span", {}, label)),
      ),
    ),
  );
}

const opened = new Set<string>();

function site(one: Listed, overview: Overview, sites: readonly Listed[], refresh: () => void): HTMLElement {
  const own: SiteSettings = { ...DEFAULTS, ...overview.settings.sites[one.host] };
  const set = (settings: Partial<SiteSettings>) => void ask({ do: "set-site", site: one.host, settings }).then(refresh);
  const mode = own.mode ?? overview.settings.mode;
  const modes = MODES.map((name) => [name, text(`mode_${name}`)] as const);
  const sentence = own.paused ? text("state_paused") : `${text(`mode_${mode}`)}${own.profile === "me" ? "" : ` · ${own.profile}`}`;
  const others = sites.filter((other) => other.host !== one.host).map((other) => [other.host, other.name] as const);
  return el(
    "details",
    {
      class: "site",
      ...(opened.has(one.host) ? { open: true } : {}),
      toggle: (event) => {
        if ((event.target as HTMLDetailsElement).open) opened.add(one.host);
        else opened.delete(one.host);
      },
    },
    el("summary", {}, el("span", { class: "who" }, one.name + (one.experimental ? ` (${text("experimental")})` : "")), el("span", { class: "soft" }, sentence)),
    el(
      "div",
      { class: "inside" },
      row(text("pause_here"), toggle(own.paused, (paused) => set({ paused }))),
      row(text("mode"), choice(own.mode ?? "", [["", text("mode_default", text(`mode_${overview.settings.mode}`))], ...modes], (value) => set({ mode: value === "" ? null : (value as Mode) }))),
      row(text("profile"), nameField(own.profile, overview.profiles, (profile) => set({ profile }))),
      checks(text("kinds_here"), KINDS.map((kind) => [kind, text(`kind_${kind}`)] as const), own.kinds, (kinds) => set({ kinds: kinds as SiteSettings["kinds"] })),
      checks(text("not_from"), others, own.notFrom, (notFrom) => set({ notFrom })),
    ),
  );
}

async function show(): Promise<void> {
  const overview = await ask<Overview>({ do: "state" });
  const refresh = () => void show();
  const { settings, waiting, refused } = overview;
  const sites = sitesOf(overview);
  const commands = await api.commands.getAll();
  const port = el("input", { type: "number", min: "1", max: "65535", change: () => void ask({ do: "set", settings: { port: port.checkValidity() ? Number(port.value) || settings.port : settings.port } }).then(refresh) });
  port.value = String(settings.port);
  draw(
    el("div", { class: "head" }, el("h1", {}, text("options_title")), stateLine(overview.daemon, settings.paused)),
    remedy(overview.daemon, overview.daemonVersion),
    errorCard(overview.lastError),
    el(
      "section",
      { class: "card" },
      el("h2", {}, text("everywhere")),
      row(text("mode"), choice(settings.mode, MODES.map((mode) => [mode, text(`mode_${mode}`)] as const), (mode) => void ask({ do: "set", settings: { mode: mode as Mode } }).then(refresh))),
      el("p", { class: "soft" }, text(`mode_${settings.mode}_hint`)),
      row(text("pause_all"), toggle(settings.paused, (paused) => void ask({ do: "set", settings: { paused } }).then(refresh))),
    ),
    el("section", { class: "card" }, el("h2", {}, text("sites")), el("p", { class: "soft" }, text("sites_hint")), el("div", {}, ...sites.map((one) => site(one, overview, sites, refresh)))),
    el(
      "section",
      { class: "card" },
      el("h2", {}, text("outbox")),
      row(text("waiting_long", waiting, refused), el("button", { click: () => void ask({ do: "drain" }).then(refresh) }, text("send_now"))),
    ),
    el(
      "section",
      { class: "card" },
      el("h2", {}, text("shortcuts")),
      ...commands
        .filter((one) => one.name === "preview")
        .map((one) => el("div", { class: "row" }, el("span", {}, text("command_preview")), el("kbd", {}, one.shortcut || text("no_shortcut")))),
      el("div", { class: "row" }, el("span", {}, text("insert_key")), el("kbd", {}, "Tab")),
      el("p", { class: "soft" }, text("shortcuts_hint")),
    ),
    el(
      "section",
      { class: "card" },
      el("h2", {}, text("daemon")),
      row(text("port"), port),
      overview.daemon === "ok"
        ? el("div", { class: "row" }, el("span", {}, text("unpair_hint")), el("button", { class: "danger", click: () => void ask({ do: "unpair" }).then(refresh) }, text("unpair")))
        : null,
      el("p", { class: "soft" }, text("versions", overview.version, overview.daemonVersion ?? "–")),
    ),
  );
}

void show();
