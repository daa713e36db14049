// The list: of however many memories only those in view are in the page, each row as high as the others.
import { day, KindChip, StatusChip } from "../../ui.js";
import { html, useEffect, useLayoutEffect, useReducer, useRef } from "../../vendor/preact.js";
import { t } from "../../words.js";

export const ROW = 72;
const BESIDE = 8;
/** While somebody scrolls far, what flies past is not asked for. */
const REST_MS = 60;

/** @typedef {import("./rows.js").Row} Row */

/**
 * @param {{
 *   rows: import("./rows.js").Rows, view: {first: number, last: number}, active: {index: number, id: string | null},
 *   selected: Set<string>, openId: string | undefined, link: (id: string) => string, lead: (index: number) => void,
 *   toggle: (index: number, through: boolean) => void, keys: (event: KeyboardEvent) => void, grid: {current: any},
 * }} props `view` is told which rows are in view
 */
export function List({ rows, view, active, selected, openId, link, lead, toggle, keys, grid }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [, redraw] = useReducer((/** @type {number} */ n) => n + 1, 0);
  /** What stood in view when it was last drawn: [index, id]. */
  const seen = useRef(/** @type {[number, string][]} */ ([]));
  const held = useRef(false);

  const place = useRef(0);

  const look = () => {
    if (box.current && box.current.clientHeight === 0) {
      return; // a memory is shown instead of the list
    }
    const top = box.current?.scrollTop ?? 0;
    const height = box.current?.clientHeight ?? 600;
    place.current = top;
    view.first = Math.max(0, Math.min(Math.floor(top / ROW), rows.total - 1));
    view.last = Math.max(view.first, Math.min(rows.total - 1, Math.ceil((top + height) / ROW) - 1));
  };

  useLayoutEffect(() => {
    const shift = rows.total ? shiftOf(seen.current, rows) : 0;
    if (shift && box.current && box.current.scrollTop > 0) {
      box.current.scrollTop += shift * ROW; // what was read stays where it was read
    }
    look();
    redraw(0);
  }, [rows.version]);

  // Another question: its list begins at its beginning.
  const before = useRef(rows);
  useLayoutEffect(() => {
    if (before.current !== rows) {
      before.current = rows;
      seen.current = [];
      box.current?.scrollTo(0, 0);
      look();
      redraw(0);
    }
  }, [rows]);

  useEffect(() => {
    const scroller = /** @type {HTMLElement} */ (box.current);
    let frame = 0;
    const asked = { first: -1, last: -1 };
    const onScroll = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        look();
        if (Math.abs(view.first - asked.first) >= BESIDE / 2 || Math.abs(view.last - asked.last) >= BESIDE / 2) {
          Object.assign(asked, view);
          redraw(0);
        }
      });
    };
    scroller.addEventListener("scroll", onScroll, { passive: true });
    const sized = new ResizeObserver(() => {
      if (scroller.clientHeight && !scroller.scrollTop && place.current) {
        scroller.scrollTop = place.current; // not every browser keeps it of what was hidden
      }
      onScroll();
    });
    sized.observe(scroller);
    return () => {
      scroller.removeEventListener("scroll", onScroll);
      sized.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [rows]);

  const first = Math.max(0, view.first - BESIDE);
  const last = Math.min(rows.total - 1, view.last + BESIDE);

  // The first rows at once; later ones when the scrolling rests.
  useEffect(() => {
    if (rows.total) {
      const wait = setTimeout(() => rows.want(first, last), REST_MS);
      return () => clearTimeout(wait);
    }
    return undefined;
  });

  useLayoutEffect(() => {
    seen.current = [];
    for (let index = view.first; index <= Math.min(view.last, rows.total - 1); index += 1) {
      const row = rows.row(index);
      row && seen.current.push([index, row.id]);
    }
    // The row that had the focus stands elsewhere now: the focus goes with it.
    const now = document.activeElement;
    if (held.current && (now === document.body || (now?.closest(".rows") === box.current && now?.getAttribute("role") === "row"))) {
      const row = box.current?.querySelector(`[aria-rowindex="${active.index + 1}"]`);
      row !== now && /** @type {HTMLElement | undefined} */ (row)?.focus({ preventScroll: true });
    }
  });

  grid.current = {
    /** Scrolls as far as is needed for a row to be seen, and gives it the focus. @param {number} index */
    show(index) {
      const scroller = box.current;
      if (!scroller) {
        return;
      }
      if (index * ROW < scroller.scrollTop) {
        scroller.scrollTop = index * ROW;
      } else if ((index + 1) * ROW > scroller.scrollTop + scroller.clientHeight) {
        scroller.scrollTop = (index + 1) * ROW - scroller.clientHeight;
      }
      held.current = true;
      look();
      redraw(0);
      /** @type {HTMLElement | null} */ (scroller.querySelector(`[aria-rowindex="${index + 1}"]`))?.focus({ preventScroll: true });
    },
    /** How many rows are seen at once. */
    height: () => Math.max(1, Math.floor((box.current?.clientHeight ?? ROW) / ROW)),
  };

  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => first + step);
  if (active.index < rows.total && (active.index < first || active.index > last)) {
    shown.push(active.index); // the focus is never on a row that is not there
  }

  // A row that looks as before is not drawn again: while one scrolls that is most of them.
  const line = (/** @type {number} */ index) => {
    const row = rows.row(index);
    const props = {
      index,
      row,
      current: index === active.index,
      chosen: row !== undefined && selected.has(row.id),
      open: row !== undefined && row.id === openId,
      href: row && link(row.id),
      lead,
      toggle,
    };
    const known = drawn.current.get(index);
    const same = known && Object.entries(props).every(([name, value]) => known.props[name] === value);
    const now = same ? known : { props, node: html`<${Line} key=${index} ...${props} />` };
    fresh.set(index, now);
    return now.node;
  };
  /** @type {Map<number, {props: any, node: any}>} */
  const fresh = new Map();
  const drawn = useRef(fresh);
  useLayoutEffect(() => {
    drawn.current = fresh;
  });

  return html`<div
    class="rows"
    ref=${box}
    role="grid"
    aria-label=${t("memories.list")}
    aria-rowcount=${rows.total}
    aria-multiselectable="true"
    aria-busy=${shown.some((index) => !rows.row(index))}
    onKeyDown=${keys}
    onFocusIn=${() => void (held.current = true)}
    onFocusOut=${(/** @type {FocusEvent} */ event) => {
      const left = /** @type {Element} */ (event.target);
      setTimeout(() => {
        // Unless the row itself went away, or the window lost the focus.
        if (left.isConnected && !box.current?.contains(document.activeElement)) {
          held.current = false;
        }
      });
    }}
  >
    <div class="height" role="presentation" style=${{ height: `${rows.total * ROW}px` }}>
      ${shown.map(line)}
    </div>
  </div>`;
}

/** By how many rows most of what was in view has moved. @param {[number, string][]} seen @param {import("./rows.js").Rows} rows */
function shiftOf(seen, rows) {
  const shifts = seen
    .filter(([index, id]) => rows.row(index)?.id !== id)
    .map(([index, id]) => [index, rows.indexOf(id)])
    .filter(([, now]) => now >= 0)
    .map(([index, now]) => now - index)
    .sort((one, other) => one - other);
  return shifts.length > seen.length / 2 ? shifts[Math.floor(shifts.length / 2)] : 0;
}

/** @param {any} props */
function Line({ index, row, current, chosen, open, href, lead, toggle }) {
  const place = { transform: `translateY(${index * ROW}px)` };
  if (!row) {
    return html`<div class="line blank" role="row" aria-rowindex=${index + 1} tabindex=${current ? 0 : -1} style=${place} onFocus=${() => lead(index)}>
      <span role="gridcell" aria-label=${t("memories.row.wait")}><i></i><i></i></span>
    </div>`;
  }
  const said = `memory-${index}`;
  return html`<div
    class=${`line${open ? " open" : ""}${chosen ? " chosen" : ""}`}
    role="row"
    aria-rowindex=${index + 1}
    aria-selected=${chosen}
    aria-labelledby=${said}
    tabindex=${current ? 0 : -1}
    style=${place}
    onFocus=${() => lead(index)}
    onMouseDown=${(/** @type {MouseEvent} */ event) => {
      event.shiftKey && event.preventDefault(); // a range of rows is meant, not of letters
      lead(index);
    }}
  >
    <span role="gridcell" class="pick">
      <input
        type="checkbox"
        tabindex="-1"
        aria-label=${t("memories.select", row.text.slice(0, 100))}
        checked=${chosen}
        onClick=${(/** @type {MouseEvent} */ event) => {
          const ticked = /** @type {HTMLInputElement} */ (event.currentTarget);
          toggle(index, event.shiftKey);
          setTimeout(() => {
            // The browser ticks it in any case; where nothing changed, no drawing would set it right.
            ticked.checked = ticked.closest("[role=row]")?.getAttribute("aria-selected") === "true";
          });
        }}
      />
    </span>
    <span role="gridcell" class="what">
      <a class="says" id=${said} href=${href} tabindex="-1" dir="auto" onClick=${(/** @type {MouseEvent} */ event) => {
        if (event.shiftKey) {
          event.preventDefault();
          toggle(index, true);
        }
      }}>${row.text.slice(0, 400)}</a>
      <span class="about">
        <${KindChip} kind=${row.kind} /> <${StatusChip} status=${row.status} />
        ${row.pinned && html`<span class="chip">${t("pinned")}</span>`}
        ${row.reasons
          ? html`<b>${t("memories.score", row.score)}</b> <${Reasons} reasons=${row.reasons} />`
          : html`<time datetime=${row.event_time ?? row.valid_from ?? row.time}>${day(row.event_time ?? row.valid_from ?? row.time)}</time>
              ${row.observations > 1 && html`<span>${t("times", row.observations)}</span>`}`}
      </span>
    </span>
  </div>`;
}

/** What speaks for a hit and against it, the weightiest first; not what all begin with. @param {any} props */
function Reasons({ reasons }) {
  return html`<span class="reasons">${reasons
    .filter((/** @type {any} */ { sign }) => sign !== "to begin with")
    .map((/** @type {any} */ reason) => {
      const key = `memories.sign.${reason.sign.match(/\w+/g).join("-")}`;
      const known = t(key);
      return `${known === key ? reason.sign : known} ${reason.log_odds < 0 ? "−" : "+"}${Math.abs(reason.log_odds).toFixed(1)}`;
    })
    .join(" · ")}</span>`;
}
