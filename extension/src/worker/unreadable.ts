/** A site that changed: counted, shown on the toolbar and in the page, never guessed around. */

import { api } from "../api";
import type { Unreadable } from "../messages";
import { showState } from "./badge";
import { noteError, noteMended } from "./settings";
import type { Where } from "./where";

/** By site: what could not be read, how often, and where it broke. */
export type Trouble = Partial<Record<Unreadable, { count: number; detail: string; at: number }>>;

const KEY = "unreadable";

export async function troubles(): Promise<Record<string, Trouble>> {
  return ((await api.storage.local.get(KEY)) as { [KEY]?: Record<string, Trouble> })[KEY] ?? {};
}

let writing: Promise<unknown> = Promise.resolve();

function change(edit: (all: Record<string, Trouble>) => boolean): Promise<void> {
  const done = writing.then(async () => {
    const all = await troubles();
    if (edit(all)) await api.storage.local.set({ [KEY]: all });
  });
  writing = done.catch(() => undefined);
  return done;
}

export async function noteUnreadable(where: Where, what: Unreadable, detail: string): Promise<void> {
  await change((all) => {
    const trouble = (all[where.name] ??= {});
    trouble[what] = { count: (trouble[what]?.count ?? 0) + 1, detail: detail.slice(0, 200), at: Date.now() };
    return true;
  });
  await noteError("error_unreadable", `${where.name}: ${what}: ${detail.slice(0, 200)}`);
  await showState(where.tab, "unreadable");
}

/** It reads again: the site's warning goes away by itself. */
export async function noteReadable(where: Where, what: Unreadable): Promise<void> {
  let mended = false;
  await change((all) => {
    if (!all[where.name]?.[what]) return false;
    delete all[where.name]?.[what];
    mended = !Object.keys(all[where.name] ?? {}).length;
    return true;
  });
  if (!mended) return;
  await noteMended("error_unreadable");
  await showState(where.tab, "ok");
}
