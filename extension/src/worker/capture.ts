/** From what a page showed to the outbox: who may be captured, and whether we can still read the site. */

import { READERS } from "../wire/readers";
import { ShapeError, type Exchange, type Reading, type Turn } from "../types";
import type { Kept, Place } from "../messages";
import { showState } from "./badge";
import { database } from "./database";
import { isLetIn } from "./grants";
import type { Origin } from "./ledger";
import { put } from "./outbox";
import { noteError, noteMended, ofSite, settings, token } from "./settings";
import { noteReadable, noteUnreadable } from "./unreadable";
import type { Where } from "./where";

const NOTHING: Kept = { kept: 0, readable: true };

/** Whether nothing of this conversation may be kept, or offered. */
export async function isClosed(where: Where, conversation: string | null, temporary = false): Promise<boolean> {
  // Before the first pairing nobody has said yes to anything.
  if (temporary || (await token()) === null || !(await isLetIn(where.name))) return true;
  const all = await settings();
  if (all.paused || ofSite(all, where.name).paused) return true;
  return conversation !== null && isUnremembered(where.name, conversation);
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
  const read = where.site?.format === undefined ? undefined : READERS[where.site.format];
  if (!read) return NOTHING;
  let reading: Reading | null;
  try {
    reading = read(exchange);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    // A page may send nonsense once; an answer the user stopped has half a shape.
    if (!exchange.complete || exchange.status >= 400 || (await isClosed(where, place.conversation, place.temporary))) return NOTHING;
    await noteUnreadable(where, "wire", error.message);
    return { kept: 0, readable: false };
  }
  if (!reading) return NOTHING;
  const conversation = reading.conversation ?? place.conversation;
  if (conversation === null) return NOTHING;
  // Some sites say so with the first prompt alone: it is noted whether or not anything may be kept just now.
  if (reading.temporary) await remember(where.name, conversation, false);
  // An answer may end when the page shows another conversation already: then the page's words are not about it.
  const here = conversation === place.conversation || place.conversation === null;
  const about = { title: reading.title ?? (here ? place.title : ""), url: here ? place.url : "" };
  if (!reading.turns.length || (await isClosed(where, conversation, here && place.temporary))) return NOTHING;
  const kept = await keep(where, { ...place, ...about, conversation }, reading.turns, "wire");
  if (!kept.full) await noteReadable(where, "wire");
  return reading.elsewhere ? { ...kept, elsewhere: true } : kept;
}

/** Turns read from the rendered page. */
export async function fromPage(where: Where, place: Place, turns: Turn[]): Promise<Kept> {
  const { conversation } = place;
  if (conversation === null || (await isClosed(where, conversation, place.temporary))) return NOTHING;
  return keep(where, { ...place, conversation }, turns.filter(isTurn), "page");
}

function isTurn({ id, role, content }: Turn): boolean {
  return (id === null || typeof id === "string") && (role === "user" || role === "assistant") && typeof content === "string";
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
    if (await noteMended("error_full", "error_store")) await showState(where.tab, "ok");
    if (origin === "page") await noteReadable(where, "turns");
    return { kept, readable: true };
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    await noteError(error.name === "QuotaExceededError" ? "error_full" : "error_store", error.name);
    return { kept: 0, readable: true, full: true };
  }
}
