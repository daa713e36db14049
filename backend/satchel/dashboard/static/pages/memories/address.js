// What is asked of the list, as it stands in the address: `#/memories/ID?kind=fact&since=2026-01-01`.
import { begins, dayOf } from "../../days.js";

export const KINDS = ["fact", "event", "explicit_preference", "implicit_preference", "instruction"];
export const STATUSES = ["candidate", "active", "resolving", "superseded", "archived"];
export const SAYERS = ["user", "assistant", "document"];
export const ORDERS = ["latest", "oldest", "observed"];
const NAMES = ["kind", "site", "status", "said_by", "pinned", "since", "until", "tag", "order"];

/** @typedef {Record<string, string>} Filters those of NAMES that are set */

/** The filters that an address sets; what is no filter, or no value of it, is left out. @param {Record<string, string>} query @returns {Filters} */
export function filtersOf(query) {
  /** @type {Record<string, string[]>} */
  const allowed = { kind: KINDS, status: STATUSES, said_by: SAYERS, order: ORDERS.slice(1), pinned: ["true", "false"] };
  const isSet = (/** @type {string} */ name) => (name in allowed ? allowed[name].includes(query[name]) : !!query[name]);
  const isMoment = (/** @type {string} */ name) => !["since", "until"].includes(name) || !Number.isNaN(Date.parse(query[name]));
  return Object.fromEntries(NAMES.filter((name) => isSet(name) && isMoment(name)).map((name) => [name, query[name]]));
}

/** @param {string | undefined} id @param {Filters} filters */
export function addressOf(id, filters) {
  const query = new URLSearchParams(filters).toString();
  return `#/memories${id ? `/${encodeURIComponent(id)}` : ""}${query ? `?${query}` : ""}`;
}

const isDay = (/** @type {string | undefined} */ value) => /^\d{4}-\d\d-\d\d$/.test(value ?? "");

/** The moment that a day begins here, or `days` later; a moment is left as it is. @param {string | undefined} value @param {number} [days] */
const momentOf = (value, days = 0) => (value && isDay(value) ? begins(value, days) : value);

/** A day for `<input type="date">`. @param {string | undefined} value a day, or a moment */
export const shownDay = (value) => (!value || isDay(value) ? (value ?? "") : dayOf(value));

/** The query of `GET /v1/memories`. @param {Filters} filters */
export const listed = (filters) => ({ ...filters, since: momentOf(filters.since), until: momentOf(filters.until, 1) });

/** Whether recall can tell these apart: it looks only at what holds, knows nothing of pins, and has an order of its own. @param {Filters} filters */
export const recallable = (filters) => !filters.status && !filters.pinned && !filters.tag && !filters.order;

/** The body of `POST /v1/recall`. @param {Filters} filters */
export const recalled = (filters) => ({
  kinds: filters.kind ? [filters.kind] : KINDS,
  filter: {
    ...(filters.site && { site: filters.site }),
    ...(filters.said_by && { said_by: filters.said_by }),
    ...(filters.since && { since: momentOf(filters.since) }),
    ...(filters.until && { until: momentOf(filters.until, 1) }),
  },
});
