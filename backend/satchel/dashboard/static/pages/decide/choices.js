// What can be decided of one thing that waits: which key, what it says, and how the daemon is told.
import { at, call } from "../../api.js";
import { register, t } from "../../words.js";

register({
  en: {
    "choice.this": "This holds",
    "choice.both": "Both hold",
    "choice.all": "All of them hold",
    "choice.keep": "That's right, keep it",
    "choice.drop": "Archive it",
    "choice.still": "It still holds",
    "told.this": "Decided: one holds, what contradicts it is kept as history.",
    "told.both": "Decided: all of them hold.",
    "told.keep": "Kept.",
    "told.drop": "Archived. It stays in the history.",
  },
  zh: {
    "choice.this": "以此为准",
    "choice.both": "两者都对",
    "choice.all": "全部都对",
    "choice.keep": "属实，保留",
    "choice.drop": "归档",
    "choice.still": "仍然有效",
    "told.this": "已决定：以其中一条为准，与之矛盾的留作历史。",
    "told.both": "已决定：都对。",
    "told.keep": "已保留。",
    "told.drop": "已归档，仍留在历史中。",
  },
});

/**
 * @typedef {{key: string, words: string, told: string, side: number | null, act: () => Promise<any[]>}} Choice
 *   `side`: the statement beside which it stands, null below all; `act` gives the memories as they are then
 */

/** @param {string} id @param {string} decision @param {any[]} [against] what is shown beside it: nobody decides about others */
const decide = async (id, decision, against) =>
  (await call("POST", at("/v1/decisions", id), { body: { decision, ...(against && { against: against.map((one) => one.id) }) } })).changed;

/** Sets a state by hand, where there is no decision of that name. @param {string} id @param {string} status */
const put = async (id, status) => [await call("PATCH", at("/v1/memories", id), { body: { status } })];

/** @param {{why: string, memory: any, against: any[], again?: boolean}} item @returns {Choice[]} */
export function choices({ why, memory, against, again }) {
  if (why === "conflict" && against.length) {
    const sides = [memory, ...against].map((one, side) => ({
      key: String(side + 1),
      words: t("choice.this"),
      told: t("told.this"),
      side,
      act: () => {
        if (side === 1 && against.length === 1) {
          return decide(memory.id, "other", against);
        }
        return decide(one.id, "this", side ? undefined : against); // what contradicts another one is not shown
      },
    }));
    const all = { key: String(sides.length + 1), words: t(against.length > 1 ? "choice.all" : "choice.both"), told: t("told.both"), side: null, act: () => decide(memory.id, "both", against) };
    return [...sides, all];
  }
  const alone = why === "conflict";
  return [
    {
      key: "1",
      words: t(why === "candidate" ? "choice.keep" : "choice.still"),
      told: t("told.keep"),
      side: null,
      act: () => (again ? put(memory.id, "active") : alone ? decide(memory.id, "this", []) : decide(memory.id, "keep")),
    },
    { key: "2", words: t("choice.drop"), told: t("told.drop"), side: null, act: () => (again || alone ? put(memory.id, "archived") : decide(memory.id, "drop")) },
  ];
}

/**
 * Takes a decision back: each memory that it changed is as it was.
 * @param {any} item what was decided @param {any[]} changed as the decision left them; of a conflict that ended with it, the others were in conflict too
 */
export async function takeBack(item, changed) {
  const before = new Map([item.memory, ...item.against].map((one) => [one.id, one.status]));
  for (const memory of changed) {
    await call("PATCH", at("/v1/memories", memory.id), {
      body: { status: before.get(memory.id) ?? "resolving", if_updated_at: memory.updated_at },
    });
  }
}
