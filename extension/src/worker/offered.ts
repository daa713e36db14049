/**
 * What a tab was offered, and whether the user called Satchel there: a content script may correct, forget or report only
 * what it was shown. Its page's process may have been taken over.
 */

import { api } from "../api";
import type { Context } from "../messages";

const MOST = 400;

interface Offered {
  ids: string[];
  invited: boolean;
}

const key = (tab: number) => `offered:${tab}`;

async function of(tab: number): Promise<Offered> {
  const found = ((await api.storage.session.get(key(tab))) as Record<string, Offered | undefined>)[key(tab)];
  return found ?? { ids: [], invited: false };
}

export async function noteOffered(tab: number, { hits, injection_id }: Context): Promise<void> {
  if (!hits.length) return;
  const before = await of(tab);
  const ids = new Set([...before.ids, ...hits.map((hit) => hit.id), injection_id]);
  await api.storage.session.set({ [key(tab)]: { ...before, ids: [...ids].slice(-MOST) } });
}

/** Throws where one of `ids` (of memories, turns or injections) was never offered to the tab. */
export async function checkOffered(tab: number, ...ids: string[]): Promise<void> {
  const { ids: known } = await of(tab);
  if (ids.some((id) => !known.includes(id))) throw new Error("not offered here");
}

export async function noteInvited(tab: number): Promise<void> {
  await api.storage.session.set({ [key(tab)]: { ...(await of(tab)), invited: true } });
}

export async function isInvited(tab: number): Promise<boolean> {
  return (await of(tab)).invited;
}

export function dropOffered(tab: number): void {
  void api.storage.session.remove(key(tab));
}
