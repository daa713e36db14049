/** Pairing: finds the daemon, shows a code, and waits until the person confirms the same code on the daemon's side. */

import { text } from "../api";
import { el } from "../dom";
import type { DaemonState, Overview } from "../messages";
import { ask, command, draw, START_COMMAND, stateLine } from "./page";

const LOOK_MS = 2_000;

function clientName(): string {
  const { userAgent } = navigator;
  const name = userAgent.includes("Firefox/") ? "Firefox" : userAgent.includes("Edg/") ? "Edge" : "Chrome";
  return `Satchel in ${name}`;
}

const again = (run: () => Promise<void>) => setTimeout(() => void run(), LOOK_MS);

function portField(port: number): HTMLElement {
  const field = el("input", {
    type: "number",
    min: "1",
    max: "65535",
    id: "port",
    change: () => {
      const wanted = Number(field.value);
      if (Number.isInteger(wanted) && wanted > 0 && wanted < 65536)
        void ask({ do: "set", settings: { port: wanted } }).then(() => location.reload());
    },
  });
  field.value = String(port);
  return el("div", { class: "row soft" }, el("label", { for: "port" }, text("port")), field);
}

function head(state: DaemonState): HTMLElement {
  return el("div", { class: "head" }, el("h1", {}, text("pair_title")), stateLine(state, false));
}

async function look(): Promise<void> {
  const overview = await ask<Overview>({ do: "state" });
  const { daemon, settings } = overview;
  if (daemon === "ok") {
    draw(
      head("ok"),
      el("p", {}, text("pair_done")),
      el("p", { class: "soft" }, text("pair_done_hint")),
      el("button", { class: "primary", click: () => window.close() }, text("close")),
    );
  } else if (daemon === "unreachable") {
    draw(
      head(daemon),
      el("p", {}, text("intro")),
      el("section", { class: "card warn" }, el("strong", {}, text("state_unreachable")), el("p", {}, text("remedy_unreachable")), command(START_COMMAND)),
      el("p", { class: "soft" }, text("pair_waits")),
      portField(settings.port),
    );
    again(look);
  } else if (daemon === "outdated") {
    draw(head(daemon), el("section", { class: "card warn" }, el("strong", {}, text("state_outdated")), el("p", {}, text("remedy_outdated", overview.daemonVersion ?? ""))));
  } else
    draw(
      head(daemon),
      el("p", {}, text("intro")),
      el("p", {}, text("pair_explain")),
      el("button", { class: "primary", click: () => void pair() }, text("pair_begin")),
      portField(settings.port),
    );
}

async function pair(): Promise<void> {
  let asked: { code: string; until: number };
  try {
    asked = await ask({ do: "pair", client: clientName() });
  } catch (error) {
    draw(head("unpaired"), el("section", { class: "card warn" }, el("strong", {}, text("pair_failed")), el("p", {}, error instanceof Error ? error.message : "")), el("button", { class: "primary", click: () => void pair() }, text("try_again")));
    return;
  }
  draw(
    head("unpaired"),
    el("p", {}, text("pair_compare")),
    el("div", { class: "big", "data-code": "" }, asked.code),
    command(`${START_COMMAND} pair ${asked.code}`),
    el("p", { class: "soft", role: "status" }, text("pair_waiting")),
  );
  const wait = async (): Promise<void> => {
    const { state } = await ask<{ state: "waiting" | "paired" | "gone" }>({ do: "paired" }).catch(() => ({ state: "waiting" as const }));
    if (state === "waiting") again(wait);
    else if (state === "paired") await look();
    else
      draw(
        head("unpaired"),
        el("section", { class: "card warn" }, el("strong", {}, text("pair_gone")), el("p", {}, text("pair_gone_hint"))),
        el("button", { class: "primary", click: () => void pair() }, text("try_again")),
      );
  };
  again(wait);
}

void look();
