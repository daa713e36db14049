/** What the user chose, and the token: in extension storage, which no page can reach. */

import { api } from "../api";
import { KINDS, type LastError, type Settings, type SiteSettings } from "../messages";

export const DEFAULT_PORT = 8765;

const DEFAULTS: Settings = { port: DEFAULT_PORT, mode: "suggest", paused: false, sites: {} };
const SITE_DEFAULTS: SiteSettings = { mode: null, paused: false, profile: "me", kinds: [...KINDS], notFrom: [] };

/** What was read from storage, until it changes there: an answer to a keystroke would read it five times. */
const known = new Map<string, unknown>();
api.storage.local.onChanged.addListener((changes) => {
  for (const key of Object.keys(changes)) known.delete(key);
});

async function read<T>(key: string, otherwise: T): Promise<T> {
  if (!known.has(key)) known.set(key, ((await api.storage.local.get(key)) as Record<string, unknown>)[key]);
  return (known.get(key) as T | undefined) ?? otherwise;
}

async function write(values: Record<string, unknown>): Promise<void> {
  // Before the browser says that it changed: who reads next must not see what was.
  for (const [key, value] of Object.entries(values)) known.set(key, value);
  await api.storage.local.set(values);
}

export async function settings(): Promise<Settings> {
  return { ...DEFAULTS, ...(await read<Partial<Settings>>("settings", {})) };
}

/** The settings of one site, defaults filled in. */
export function ofSite(all: Settings, site: string): SiteSettings {
  return { ...SITE_DEFAULTS, ...all.sites[site] };
}

let writing: Promise<unknown> = Promise.resolve();

/** Changes settings, one change after the other: two pages may be open. */
export function change(edit: (before: Settings) => Settings): Promise<Settings> {
  const done = writing.then(async () => {
    const after = edit(await settings());
    await write({ settings: after });
    return after;
  });
  writing = done.catch(() => undefined);
  return done;
}

export const token = (): Promise<string | null> => read<string | null>("token", null);

export async function setToken(value: string | null): Promise<void> {
  if (value !== null) await write({ token: value });
  else await api.storage.local.remove("token").then(() => known.delete("token"));
}

export const lastError = (): Promise<LastError | null> => read<LastError | null>("lastError", null);

/** Notes what went wrong last, for the popup. */
export async function noteError(name: string, detail = ""): Promise<void> {
  await write({ lastError: { name, detail, at: Date.now() } });
}

/** What went wrong last is mended, if it was one of these; whether it was. */
export async function noteMended(...names: string[]): Promise<boolean> {
  const last = await lastError();
  if (!last || !names.includes(last.name)) return false;
  await write({ lastError: null });
  return true;
}
