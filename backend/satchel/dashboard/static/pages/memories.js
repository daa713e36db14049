// All memories: searched as one types, looked through, opened, changed, forgotten.
import { call } from "../api.js";
import { listen } from "../live.js";
import { at, attempt, Empty, ForgetDialog, get, Heading, Loading, say, sentence } from "../ui.js";
import { html, useEffect, useMemo, useReducer, useRef, useState } from "../vendor/preact.js";
import { t } from "../words.js";
import { addressOf, filtersOf, recallable } from "./memories/address.js";
import { Detail } from "./memories/detail.js";
import { beginEdit, drafts } from "./memories/edit.js";
import { Filters } from "./memories/filters.js";
import { KeysDialog, useKeys } from "./memories/keys.js";
import { List } from "./memories/list.js";
import { HITS, MOST, rowsOf } from "./memories/rows.js";
import { Several } from "./memories/several.js";
import "./memories/words.js";
import { Write } from "./memories/write.js";

const DEBOUNCE_MS = 120;
const SOON_MS = 500;

/** @typedef {import("./memories/rows.js").Row} Row */
/** @typedef {import("./memories/rows.js").Rows} Rows */

/**
 * The rows of what is asked. Until they are there those of before stay; what comes late of an older question is dropped.
 * @param {import("./memories/rows.js").Asked} asked @param {{first: number, last: number}} view
 */
function useRows(asked, view) {
  const [, redraw] = useReducer((/** @type {number} */ n, /** @type {void} */ _) => n + 1, 0);
  const shown = useRef(/** @type {Rows | null} */ (null));
  const coming = useRef(/** @type {Rows | null} */ (null));
  const key = JSON.stringify(asked);
  useEffect(() => {
    const rows = rowsOf(asked, (/** @type {Rows} */ told) => {
      if (told === coming.current) {
        if (told.ready) {
          shown.current = told;
        }
        redraw();
      }
    });
    coming.current = rows;
    rows.start();
    let soon = 0;
    const stop = listen(({ name, profile }) => {
      if (name === "again" || ((name === "memory" || name === "forgotten") && (!profile || profile === asked.profile))) {
        if (name === "forgotten") {
          rows.drop();
          kept.q = "";
        }
        soon ||= setTimeout(() => {
          soon = 0;
          void rows.refresh(view.first, view.last);
        }, SOON_MS);
      }
    });
    return () => {
      stop();
      clearTimeout(soon);
      rows.stop();
    };
  }, [key]);
  const problem = coming.current?.problem ?? null;
  return {
    rows: shown.current,
    problem,
    retry: () => {
      if (coming.current) {
        coming.current.problem = null;
        void coming.current.refresh(view.first, view.last);
        redraw();
      }
    },
  };
}

/** What was looked for last. Not in the address: the browser's history would keep a word that is forgotten later. */
const kept = { q: "" };

/** @param {any} props */
export default function Memories({ profile, rest, query }) {
  const id = /** @type {string | undefined} */ (rest[0]);
  const filters = filtersOf(query);
  const filterCount = Object.keys(filters).length;
  if (query.q) {
    kept.q = query.q; // a link asks for it, and the next address says it no more
  }
  const given = kept.q;
  const [typed, setTyped] = useState(given);
  const [q, setQ] = useState(given);
  const [explain, setExplain] = useState(false);
  const [filtering, setFiltering] = useState(filterCount > 0 && !id);
  const [selected, setSelected] = useState(/** @type {Map<string, Row>} */ (new Map()));
  const [dialog, setDialog] = useState(/** @type {null | "keys" | "write" | "forget" | "several"} */ (null));
  const [anew, setAnew] = useState(/** @type {any} */ (null));
  const [active, setActive] = useState({ index: 0, id: /** @type {string | null} */ (null) });
  const view = useRef({ first: 0, last: 14 }).current;
  const range = useRef({ anchor: 0, on: true });
  const grid = useRef(/** @type {any} */ (null));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const acts = useRef(/** @type {import("./memories/detail.js").Acts | null} */ (null));
  const came = useRef(id);
  const { rows, problem, retry } = useRows({ profile, filters, q, explain }, view);
  const link = (/** @type {string | undefined} */ to) => addressOf(to, filters);

  // The search follows what is typed, and what a link or the way back sets.
  const wrote = useRef(given);
  useEffect(() => {
    if (given !== wrote.current) {
      wrote.current = given;
      setTyped(given);
      setQ(given);
    }
  }, [given]);
  const wait = useRef(0);
  const type = (/** @type {string} */ text) => {
    setTyped(text);
    clearTimeout(wait.current);
    wait.current = setTimeout(() => {
      setQ(text);
      wrote.current = text.trim();
      kept.q = text.trim();
    }, DEBOUNCE_MS);
  };
  useEffect(() => () => clearTimeout(wait.current), []);
  useEffect(() => {
    filterCount > 0 && !id && setFiltering(true); // beside a memory the list needs the room
  }, [filterCount]);

  // The row that the keys go by stays the same memory while others come and go around it.
  const at0 = rows?.row(active.index)?.id ?? null;
  useEffect(() => {
    if (!rows) {
      return;
    }
    const moved = active.id && at0 !== active.id ? rows.indexOf(active.id) : -1;
    if (moved >= view.first && moved <= view.last) {
      setActive({ index: moved, id: active.id });
    } else if (active.index >= rows.total && rows.total > 0) {
      setActive({ index: rows.total - 1, id: null });
    } else if (at0 !== active.id) {
      setActive({ index: active.index, id: at0 });
    }
  }, [rows, rows?.version, at0]);
  const lead = (/** @type {number} */ index) => index !== active.index && setActive({ index, id: rows?.row(index)?.id ?? null });

  const go = (/** @type {number} */ index, /** @type {boolean} */ extend = false) => {
    if (!rows?.total) {
      return;
    }
    const to = Math.max(0, Math.min(rows.total - 1, index));
    const from = active.index;
    setActive({ index: to, id: rows.row(to)?.id ?? null });
    setTimeout(() => grid.current?.show(to));
    if (extend) {
      void selectRange(from, to, true);
    }
  };
  const select = (/** @type {Row[]} */ found, /** @type {boolean} */ on) =>
    setSelected((before) => {
      const now = new Map(before);
      for (const row of found) {
        on ? now.set(row.id, row) : now.delete(row.id);
      }
      if (now.size > MOST) {
        say(t("memories.selected.most", MOST));
        return new Map([...now].slice(0, MOST));
      }
      return now;
    });
  const selectRange = async (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ on) => {
    const found = await attempt(async () => rows?.between(Math.min(from, to), Math.max(from, to)));
    found && select(found, on);
  };
  const toggle = (/** @type {number} */ index, /** @type {boolean} */ through) => {
    const row = rows?.row(index);
    if (!row) {
      return;
    }
    setActive({ index, id: row.id });
    if (through) {
      void selectRange(range.current.anchor, index, range.current.on);
    } else {
      range.current = { anchor: index, on: !selected.has(row.id) };
      select([row], range.current.on);
    }
  };
  const selectAll = async () => {
    const found = await attempt(async () => rows?.all());
    if (found) {
      select(found, true);
      rows && !rows.ranked && rows.total > MOST && say(t("memories.selected.most", MOST));
    }
  };

  const focused = () => rows?.row(active.index);
  const open = () => {
    const row = focused();
    if (row) {
      location.hash = link(row.id);
    }
  };
  const pin = async () => {
    const row = focused();
    if (!row) {
      return;
    }
    const now = await attempt(async () => {
      const known = row.pinned === undefined ? await get(at("/v1/memories", row.id)) : row;
      return call("PATCH", at("/v1/memories", row.id), { body: { pinned: !known.pinned } });
    });
    now && rows?.replace(now);
  };
  const close = () => {
    if (id) {
      location.hash = link(undefined);
    } else if (selected.size) {
      setSelected(new Map());
    }
  };
  // A memory that was open is closed: the focus goes back to its row.
  const before = useRef(id);
  useEffect(() => {
    if (before.current && !id && document.activeElement === document.body) {
      setTimeout(() => grid.current?.show(active.index));
    }
    before.current = id;
  }, [id]);
  const inList = () => !!document.activeElement?.closest(".rows");

  useKeys({
    "/": () => search.current?.focus(),
    "?": () => setDialog("keys"),
    n: () => setDialog("write"),
    j: () => go(active.index + (inList() ? 1 : 0)),
    k: () => go(active.index - (inList() ? 1 : 0)),
    x: () => toggle(active.index, false),
    e: () => {
      if (id && acts.current && !inList()) {
        acts.current.edit();
      } else if (id && id === active.id) {
        acts.current?.edit();
      } else {
        void (async () => {
          const row = focused();
          const memory = row && (await attempt(() => get(at("/v1/memories", row.id))));
          if (memory) {
            beginEdit(memory);
            location.hash = link(memory.id);
          }
        })();
      }
    },
    p: () => (id && acts.current && !inList() ? acts.current.pin() : void pin()),
    Delete: () => {
      if (id && acts.current && !inList()) {
        acts.current.forget();
      } else if (selected.size) {
        setDialog("several");
      } else if (focused()) {
        setDialog("forget");
      }
    },
    Escape: close,
  });

  const keys = (/** @type {KeyboardEvent} */ event) => {
    const height = grid.current?.height() ?? 1;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowDown: () => go(active.index + 1, event.shiftKey),
      ArrowUp: () => go(active.index - 1, event.shiftKey),
      PageDown: () => go(active.index + height, event.shiftKey),
      PageUp: () => go(active.index - height, event.shiftKey),
      Home: () => go(0),
      End: () => go((rows?.total ?? 1) - 1),
      Enter: open,
      " ": () => toggle(active.index, event.shiftKey),
    };
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      void selectAll();
    } else if (event.key === " " && /** @type {Element} */ (event.target).matches("input")) {
      // The box itself takes it.
    } else if (moves[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      moves[event.key]();
    }
  };

  const forgotten = (/** @type {string} */ gone) => {
    drafts.delete(gone);
    setSelected((before) => new Map([...before].filter(([one]) => one !== gone)));
    setDialog(null);
    if (id === gone) {
      location.hash = link(undefined);
    }
    retry();
  };
  const total = rows?.total ?? 0;
  const searched = q.trim() !== "";
  const heading = useMemo(() => t("memories.title"), []);
  return html`
    <${Heading} aside=${html`<button onClick=${() => setDialog("keys")}>${t("memories.keys")}</button><button class="primary" onClick=${() => setDialog("write")}>${t("memories.write")}</button>`}>${heading}<//>
    <div class=${`desk${id ? " opened" : ""}`}>
      <section class="pick-from" aria-label=${t("memories.list")}>
        <div class="bar finding">
          <input ref=${search} type="search" aria-label=${t("memories.search")} placeholder=${t("memories.search.hint")} dir="auto" maxlength="1000" value=${typed}
            onInput=${(/** @type {any} */ event) => (event.isComposing ? setTyped(event.target.value) : type(event.target.value))}
            onCompositionEnd=${(/** @type {any} */ event) => type(event.target.value)}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
              if (event.key === "ArrowDown" && !event.isComposing && event.keyCode !== 229) {
                event.preventDefault();
                go(0);
              }
            }} />
          <button aria-expanded=${filtering} aria-controls="filters" onClick=${() => setFiltering(!filtering)}>${filterCount ? t("memories.filters.set", filterCount) : t("memories.filters")}</button>
        </div>
        ${filtering && html`<${Filters} profile=${profile} filters=${filters} choose=${(/** @type {any} */ chosen) => void (location.hash = addressOf(id, chosen))} />`}
        ${problem && rows && html`<div class="card warn" role="alert"><p>${sentence(problem)} <button onClick=${retry}>${t("retry")}</button></p></div>`}
        <${Several} selected=${selected} select=${setSelected} forget=${dialog === "several"} setForget=${(/** @type {boolean} */ to) => setDialog(to ? "several" : null)} changed=${retry} />
        ${rows &&
        html`<div class="row small soft">
          <span role="status">${rows.ranked ? (total === HITS ? t("memories.best", total) : t("memories.found", total)) : searched ? t("memories.found", total) : t("memories", total)}</span>
          ${searched && recallable(filters) && html`<label class="check"><input type="checkbox" checked=${explain} onChange=${(/** @type {any} */ event) => setExplain(event.target.checked)} /> ${t("memories.why")}</label>`}
          ${searched && !recallable(filters) && html`<span>${t("memories.by-words")}</span>`}
        </div>`}
        ${rows
          ? total
            ? html`<${List} rows=${rows} view=${view} active=${active} selected=${selected} openId=${id} link=${link} lead=${lead} toggle=${toggle} keys=${keys} grid=${grid} />`
            : searched || filterCount
              ? html`<${Empty} title=${t("memories.none.filtered")}><p>${t("memories.none.filtered.how")}</p><p><a href="#/memories">${t("memories.none.clear")}</a></p><//>`
              : html`<${Empty} title=${t("memories.none")}><p>${t("memories.none.how")}</p><p><button class="primary" onClick=${() => setDialog("write")}>${t("memories.write")}</button></p><//>`
          : html`<${Loading} of=${{ problem, reload: retry }} lines=${8} />`}
      </section>
      ${id &&
      html`<section class="opened-one" aria-label=${t("nav.memories")}>
        <${Detail} key=${id} id=${id} back=${link(undefined)} focus=${came.current !== id} acts=${acts} forgotten=${forgotten}
          changed=${(/** @type {any} */ memory) => rows?.replace(memory)}
          anew=${(/** @type {any} */ typedThere) => {
            setAnew({ from: id, typed: typedThere });
            setDialog("write");
          }} />
      </section>`}
    </div>
    ${dialog === "keys" && html`<${KeysDialog} close=${() => setDialog(null)} />`}
    ${dialog === "write" &&
    html`<${Write} profile=${profile} begin=${anew?.typed} close=${() => {
      setDialog(null);
      setAnew(null);
    }} written=${(/** @type {any} */ memory) => {
      anew && drafts.delete(anew.from);
      setDialog(null);
      setAnew(null);
      location.hash = link(memory.id);
    }} />`}
    ${dialog === "forget" && focused() && html`<${ForgetOne} row=${focused()} close=${() => setDialog(null)} done=${forgotten} />`}
  `;
}

/** @param {any} props */
function ForgetOne({ row, close, done }) {
  const [messages, setMessages] = useState(false);
  const [{ id, text }] = useState(row); // whatever comes and goes in the list meanwhile
  return html`<${ForgetDialog} what=${{ memory: id, ...(messages && { messages }) }} close=${close} done=${() => done(id)}>
    <p class="verbatim" dir="auto">${text.slice(0, 400)}</p>
    <label class="check"><input type="checkbox" checked=${messages} onChange=${(/** @type {any} */ event) => setMessages(event.target.checked)} /> ${t("memories.forget.messages")}</label>
  <//>`;
}

