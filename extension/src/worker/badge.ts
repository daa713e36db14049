/** What the toolbar button says at a glance. Quiet while all is well. */

import { api } from "../api";

export type Sign = "ok" | "remembered" | "off" | "unreadable" | "unpaired" | "full";

const SIGNS: Record<Sign, { text: string; color: string; title: string }> = {
  ok: { text: "", color: "#2f6f5e", title: "badge_ok" },
  remembered: { text: "✓", color: "#2f6f5e", title: "badge_remembered" },
  off: { text: "❚❚", color: "#6b7280", title: "badge_off" },
  unreadable: { text: "!", color: "#b45309", title: "badge_unreadable" },
  unpaired: { text: "?", color: "#6b7280", title: "badge_unpaired" },
  full: { text: "!", color: "#b91c1c", title: "badge_full" },
};

/** For one tab, or for all where `tab` is undefined. */
export async function showState(tab: number | undefined, sign: Sign): Promise<void> {
  const { text, color, title } = SIGNS[sign];
  const where = tab === undefined ? {} : { tabId: tab };
  try {
    await Promise.all([
      api.action.setBadgeText({ ...where, text }),
      api.action.setBadgeBackgroundColor({ ...where, color }),
      api.action.setTitle({ ...where, title: api.i18n.getMessage(title) }),
    ]);
  } catch {
    // The tab was closed meanwhile.
  }
}
