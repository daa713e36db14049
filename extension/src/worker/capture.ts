/** From what a page showed to the outbox: who may be captured, and whether we can still read the site. */

import { api } from "../api";
import { READERS } from "../wire/readers";
import { ShapeError, type Exchange, type Reading, type Turn } from "../types";
import type { Kept, Place } from "../messages";
import { database } from "./database";
import type { Origin } from "./ledger";
import { put } from "./outbox";
import { noteError, noteMended, ofSite, settings, token } from "./settings";
import { noteReadable, noteUnreadable } from "./unreadable";
import type { Where } from "./where";

const NOTHING: Kept = { kept: 0, readable: true };

/** Whether nothing of this conversation may be kept. */
export async function isClosed(where: Where, place: Place): Promise<boolean> {
  const all = await settings();
  // Before the first pairing nobody has said yes to anything.
  if ((await token()) === null) return true;
  if (all.paused || ofSite(all, where.name).paused || place.temporary) return true;
  if (place.conversation === null) return false;
  return (await isUnremembered(where.name, place.conversation)) || isTemporary(where.name, place.conversation);
}

export async function isUnremembered(site: string, conversation: string): Promise<boolean> {
  return (await (await database()).get("unremembered", [site, conversation])) !== undefined;
}

/** Marks a conversation as one not to be remembered, or takes the mark away. */
export async function remember(site: string, conversation: string, yes: boolean): Promise<void> {
  const db = await database();
  if (yes) await db.delete("unremembered", [site, conversation]);
  else await db.put("unremembered", { site, conversation });
}

/** An exchange on the wire. Untrusted: what does not fit is told and counted, and nothing of it is kept. */
export async function fromWire(where: Where, place: Place, exchange: Exchange): Promise<Kept> {
  if (await isClosed(where, place)) return NOTHING;
  const read = where.site?.format === undefined ? undefined : READERS[where.site.format];
  if (!read) return NOTHING;
  let reading: Reading | null;
  try {
    reading = read(exchange);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    // A page may send nonsense once; an answer the user stopped has half a shape.
    if (!exchange.complete || exchange.status >= 400) return NOTHING;
    await noteUnreadable(where, "wire", error.message);
    return { kept: 0, readable: false };
  }
  if (!reading) return NOTHING;
  const conversation = reading.conversation ?? place.conversation;
  if (reading.temporary && conversation !== null) await noteTemporary(where.name, conversation);
  if (reading.temporary || conversation === null || !reading.turns.length) return NOTHING;
  if (await isTemporary(where.name, conversation)) return NOTHING;
  if (conversation !== place.conversation && (await isUnremembered(where.name, conversation))) return NOTHING;
  const kept = await keep(where, { ...place, conversation, title: reading.title ?? place.title }, reading.turns, "wire");
  if (!kept.full) await noteReadable(where, "wire");
  return reading.elsewhere ? { ...kept, elsewhere: true } : kept;
}

/** Temporary chats of this browser session: a site may say so with the first prompt alone. */
const TEMPORARY = "temporary";

async function temporaries(): Promise<string[]> {
  return ((await api.storage.session.get(TEMPORARY)) as { [TEMPORARY]?: string[] })[TEMPORARY] ?? [];
}

async function isTemporary(site: string, conversation: string): Promise<boolean> {
  return (await temporaries()).includes(`${site} ${conversation}`);
}

async function noteTemporary(site: string, conversation: string): Promise<void> {
  const known = await temporaries();
  const name = `${site} ${conversation}`;
  if (!known.includes(name)) await api.storage.session.set({ [TEMPORARY]: [...known.slice(-500), name] });
}

/** Turns read from the rendered page. */
export async function fromPage(where: Where, place: Place, turns: Turn[]): Promise<Kept> {
  if (place.conversation === null || (await isClosed(where, place))) return NOTHING;
  return keep(where, { ...place, conversation: place.conversation }, turns, "page");
}

async function keep(
  where: Where,
  place: Place & { conversation: string },
  turns: readonly Turn[],
  origin: Origin,
): Promise<Kept> {
  const { profile } = ofSite(await settings(), where.name);
  try {
    const kept = await put(
      turns,
      { profile, site: where.name, conversation: place.conversation, title: place.title || null, url: place.url || null },
      origin,
    );
    await noteMended("error_full", "error_store");
    if (origin === "page") await noteReadable(where, "turns");
    return { kept, readable: true };
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    await noteError(error.name === "QuotaExceededError" ? "error_full" : "error_store", error.name);
    return { kept: 0, readable: true, full: true };
  }
}
