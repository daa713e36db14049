// Where the rows of the list come from: pages of all memories, or what recall found. Either tells `changed` when it has more.
import { call, get } from "../../api.js";
import { listed, recallable, recalled } from "./address.js";

/** @typedef {{profile: string, filters: import("./address.js").Filters, q: string, explain: boolean}} Asked */
/** @typedef {{id: string, kind: string, text: string, status: string, pinned?: boolean, observations?: number, [field: string]: any}} Row */

export const PAGE = 100;
const KEPT = 40;
/** As many hits as recall gives at most. */
export const HITS = 100;
/** As many as can be selected at once. */
export const MOST = 5000;

/** @param {Asked} asked @param {(rows: Rows) => void} changed */
export const rowsOf = (asked, changed) => (asked.q.trim() && recallable(asked.filters) ? new Found(asked, changed) : new Pages(asked, changed));

/** @typedef {Found | Pages} Rows */

/** What both have in common: a refreshing that may be overtaken by the next. */
class Refreshed {
  /** @type {boolean} */
  ready = false;
  /** @type {any} */
  problem = null;
  /** Counts how often all was loaded anew. */
  version = 0;
  /** @type {AbortController | null} */
  refreshing = null;
  over = new AbortController();

  /** @param {(rows: Rows) => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** There is something to show. */
  came() {
    this.ready = true;
    this.problem = null;
  }

  /**
   * Asks anew, and shows what came once all is there.
   * @param {(signal: AbortSignal) => Promise<any>} ask @param {(answer: any) => void} keep
   */
  async anew(ask, keep) {
    this.refreshing?.abort();
    const controller = new AbortController();
    this.refreshing = controller;
    try {
      const answer = await ask(controller.signal);
      if (controller.signal.aborted) {
        return;
      }
      keep(answer);
      this.came();
      this.version += 1;
    } catch (problem) {
      if (controller.signal.aborted) {
        return;
      }
      this.problem = problem;
    }
    this.changed(/** @type {any} */ (this));
  }
}

/** All memories, a page at a time as they come into view. */
class Pages extends Refreshed {
  /** @param {Asked} asked @param {(rows: Rows) => void} changed */
  constructor(asked, changed) {
    super(changed);
    this.asked = asked;
    this.ranked = false;
    this.total = 0;
    /** @type {Map<number, Row[]>} by number, from 0 */
    this.pages = new Map();
    /** @type {Map<number, AbortController>} */
    this.coming = new Map();
  }

  /** @param {number} page @param {AbortSignal} signal @param {number} [size] */
  fetch(page, signal, size = PAGE) {
    const { profile, filters, q } = this.asked;
    return get("/v1/memories", { profile, ...listed(filters), q: q.trim(), page: page + 1, size }, signal);
  }

  start() {
    this.want(0, 0);
  }

  stop() {
    this.over.abort();
    this.refreshing?.abort();
    for (const controller of this.coming.values()) {
      controller.abort();
    }
    this.coming.clear();
  }

  /** @param {number} index @returns {Row | undefined} */
  row(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Where a memory stands, if it is among what is loaded. @param {string} id */
  indexOf(id) {
    for (const [page, rows] of this.pages) {
      const found = rows.findIndex((row) => row.id === id);
      if (found >= 0) {
        return page * PAGE + found;
      }
    }
    return -1;
  }

  /** Loads what is missing of these rows; what is under way for others is given up. @param {number} first @param {number} last */
  want(first, last) {
    if (this.over.signal.aborted || this.problem) {
      return; // after a failure it is for the person, or the connection that is back, to try again
    }
    const from = Math.floor(first / PAGE);
    const to = Math.floor(last / PAGE);
    for (const [page, controller] of this.coming) {
      if (page < from || page > to) {
        controller.abort();
        this.coming.delete(page);
      }
    }
    for (let page = from; page <= to; page += 1) {
      if (!this.pages.has(page) && !this.coming.has(page)) {
        void this.load(page);
      }
    }
  }

  /** @param {number} page */
  async load(page) {
    const controller = new AbortController();
    this.coming.set(page, controller);
    try {
      const { items, total } = await this.fetch(page, controller.signal);
      if (controller.signal.aborted) {
        return;
      }
      const moved = this.ready && total !== this.total;
      this.keep(page, items);
      this.total = total;
      this.came();
      if (moved) {
        // What is loaded of other pages may stand elsewhere by now.
        for (const other of [...this.pages.keys()]) {
          other === page || this.pages.delete(other);
        }
      }
    } catch (problem) {
      if (controller.signal.aborted) {
        return;
      }
      this.problem = problem;
    }
    this.coming.delete(page);
    this.changed(this);
  }

  /** @param {number} page @param {Row[]} rows */
  keep(page, rows) {
    this.pages.delete(page);
    this.pages.set(page, rows);
    for (const oldest of this.pages.keys()) {
      if (this.pages.size <= KEPT) {
        break;
      }
      this.pages.delete(oldest);
    }
  }

  /** Lets go of all that is loaded: something was forgotten, and may be among it. */
  drop() {
    this.pages.clear();
    this.version += 1;
    this.changed(this);
  }

  /** Loads these rows anew. @param {number} first @param {number} last */
  refresh(first, last) {
    const from = Math.max(0, Math.floor(first / PAGE) - (first % PAGE < 20 ? 1 : 0));
    const to = Math.floor(last / PAGE) + (last % PAGE > PAGE - 20 ? 1 : 0);
    const numbers = Array.from({ length: to - from + 1 }, (_, step) => from + step);
    return this.anew(
      (signal) => Promise.all(numbers.map((page) => this.fetch(page, signal))),
      (answers) => {
        this.pages.clear();
        numbers.forEach((page, step) => answers[step].items.length && this.keep(page, answers[step].items));
        this.total = answers[answers.length - 1].total;
      },
    );
  }

  /** Shows a memory as it is now, where it stands. @param {Row} memory */
  replace(memory) {
    const index = this.indexOf(memory.id);
    const rows = this.pages.get(Math.floor(index / PAGE));
    if (index >= 0 && rows) {
      rows[index % PAGE] = { ...rows[index % PAGE], ...memory };
      this.changed(this);
    }
  }

  /** The rows from one to another, loaded where they are not. @param {number} first @param {number} last */
  async between(first, last) {
    /** @type {Row[]} */
    const found = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) {
      const rows = this.pages.get(page) ?? (await this.fetch(page, this.over.signal)).items;
      found.push(...rows.slice(Math.max(0, first - page * PAGE), last - page * PAGE + 1));
    }
    return found.slice(0, MOST);
  }

  async all() {
    /** @type {Row[]} */
    const found = [];
    for (let page = 0; found.length < Math.min(this.total, MOST); page += 1) {
      const { items } = await this.fetch(page, this.over.signal, 1000);
      if (!items.length) {
        break;
      }
      found.push(...items);
    }
    return found.slice(0, MOST);
  }
}

/** What recall finds, best first. */
class Found extends Refreshed {
  /** @param {Asked} asked @param {(rows: Rows) => void} changed */
  constructor(asked, changed) {
    super(changed);
    this.asked = asked;
    this.ranked = true;
    /** @type {Row[]} */
    this.hits = [];
  }

  get total() {
    return this.hits.length;
  }

  start() {
    return this.refresh();
  }

  stop() {
    this.over.abort();
    this.refreshing?.abort();
  }

  /** @param {number} index @returns {Row | undefined} */
  row(index) {
    return this.hits[index];
  }

  /** @param {string} id */
  indexOf(id) {
    return this.hits.findIndex((hit) => hit.id === id);
  }

  /** All of it is there. @param {number} _first @param {number} _last */
  want(_first, _last) {}

  /** Lets go of all that is loaded: something was forgotten, and may be among it. */
  drop() {
    this.hits = [];
    this.changed(this);
  }

  /** @param {number} [_first] @param {number} [_last] */
  refresh(_first, _last) {
    const { profile, filters, q, explain } = this.asked;
    const body = { profile, query: q.trim(), limit: HITS, ...recalled(filters), ...(explain && { explain }) };
    return this.anew(
      (signal) => call("POST", "/v1/recall", { body, signal }),
      ({ hits }) => {
        this.hits = hits;
      },
    );
  }

  /** @param {Row} memory */
  replace(memory) {
    const index = this.indexOf(memory.id);
    if (index >= 0) {
      this.hits[index] = { ...this.hits[index], ...memory };
      this.changed(this);
    }
  }

  /** @param {number} first @param {number} last */
  async between(first, last) {
    return this.hits.slice(first, last + 1);
  }

  async all() {
    return [...this.hits];
  }
}
