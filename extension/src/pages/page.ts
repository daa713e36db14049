/** What the extension's own pages share. */

import { api, text } from "../api";
import { el } from "../dom";
import { failed, type DaemonState, type FromOwnPage, type LastError } from "../messages";

export const START_COMMAND = "./scripts/run";

/** The worker's answer. Throws Error with its sentence where it failed. */
export async function ask<T>(message: FromOwnPage): Promise<T> {
  const answer: unknown = await api.runtime.sendMessage(message);
  if (failed(answer)) throw new Error(answer.error);
  return answer as T;
}

export function draw(...content: (Node | null)[]): void {
  document.documentElement.lang = api.i18n.getUILanguage();
  document.getElementById("main")?.replaceChildren(...content.filter((one) => one !== null));
}

export function stateLine(state: DaemonState, paused: boolean): HTMLElement {
  const [name, look] = paused && state === "ok" ? ["state_paused", ""] : [`state_${state}`, state === "ok" ? "ok" : "bad"];
  return el("span", { class: `state ${look}`, role: "status" }, text(name));
}

/** A command to copy. */
export function command(line: string): HTMLElement {
  const button = el("button", {
    click: () => {
      void navigator.clipboard.writeText(line).then(() => {
        button.textContent = text("copied");
      });
    },
  }, text("copy"));
  return el("div", { class: "command" }, el("code", {}, line), button);
}

/** What to do about a daemon that is not there, not paired, or another version. null: all is well. */
export function remedy(state: DaemonState, version: string | null): HTMLElement | null {
  if (state === "ok") return null;
  const open = () => void api.tabs.create({ url: api.runtime.getURL("pair.html") });
  return el(
    "section",
    { class: "card warn" },
    el("strong", {}, text(`state_${state}`)),
    el("p", {}, text(`remedy_${state}`, version ?? "")),
    state === "unreachable" ? command(START_COMMAND) : null,
    state === "unpaired" ? el("button", { class: "primary", click: open }, text("pair")) : null,
  );
}

export function errorCard(error: LastError | null): HTMLElement | null {
  if (!error) return null;
  const when = new Intl.DateTimeFormat(api.i18n.getUILanguage(), { timeStyle: "short", dateStyle: "short" }).format(error.at);
  return el(
    "section",
    { class: "card warn", "data-error": error.name },
    el("strong", {}, text(error.name)),
    el("p", {}, text(`${error.name}_remedy`)),
    el("p", { class: "soft" }, `${when} · ${error.detail}`),
  );
}

export function row(label: string, control: HTMLElement): HTMLElement {
  control.id ||= `c${Math.random().toString(36).slice(2)}`;
  return el("div", { class: "row" }, el("label", { for: control.id }, label), control);
}

export function choice(value: string, options: readonly (readonly [string, string])[], changed: (value: string) => void): HTMLSelectElement {
  return el(
    "select",
    { change: (event) => changed((event.target as HTMLSelectElement).value) },
    ...options.map(([name, label]) => el("option", { value: name, ...(name === value ? { selected: true } : {}) }, label)),
  );
}

export function toggle(on: boolean, changed: (on: boolean) => void): HTMLInputElement {
  return el("input", {
    type: "checkbox",
    ...(on ? { checked: true } : {}),
    change: (event) => changed((event.target as HTMLInputElement).checked),
  });
}

/** A text with a list of what is usual. */
export function nameField(value: string, known: readonly string[], changed: (value: string) => void): HTMLElement {
  const field = el("input", {
    type: "text",
    maxlength: "100",
    list: "profiles",
    change: (event) => changed((event.target as HTMLInputElement).value.trim() || "me"),
  });
  field.value = value;
  if (!document.getElementById("profiles"))
    document.body.append(el("datalist", { id: "profiles" }, ...known.map((name) => el("option", { value: name }))));
  return field;
}
