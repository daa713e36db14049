// Words as they were said: what memories rest on marked, masked secrets recognisable, and of a long text what matters.
import { html, useMemo, useState } from "./vendor/preact.js";
import { count, register, t } from "./words.js";

register({
  en: {
    "passage.masked": "a secret that Satchel did not keep",
    "passage.all": (/** @type {number} */ n) => `Show all ${count(n)} characters`,
    "passage.less": "Show less",
  },
  zh: {
    "passage.masked": "Satchel 没有保存的机密",
    "passage.all": (/** @type {number} */ n) => `显示全部 ${count(n)} 个字符`,
    "passage.less": "收起",
  },
});

const MASKED = /(\[[A-Za-z0-9 -]{1,60} masked by Satchel\])/;
const AROUND = 160;
/** Of a text that is longer than what is to be seen, so much is seen around what is marked. */

/** @typedef {{start: number, end: number, of?: string}} Span `of`: the memory that rests on it; both ends count code points */

/** The same places counted as JavaScript counts. @param {string} text @param {Span[]} spans @returns {Span[]} */
function inUnits(text, spans) {
  if (!/[\ud800-\udbff]/.test(text)) {
    return spans.map((span) => ({ ...span, end: Math.min(span.end, text.length) }));
  }
  const wanted = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  /** @type {Map<number, number>} */
  const found = new Map();
  let at = 0;
  let points = 0;
  for (const point of wanted) {
    while (points < point && at < text.length) {
      at += /** @type {number} */ (text.codePointAt(at)) > 0xffff ? 2 : 1;
      points += 1;
    }
    found.set(point, at);
  }
  return spans.map((span) => ({ ...span, start: found.get(span.start) ?? 0, end: found.get(span.end) ?? 0 }));
}

/** Not between the halves of a character. @param {string} text @param {number} at */
const whole = (text, at) => (/[\udc00-\udfff]/.test(text[at] ?? "") ? at + 1 : at);

/**
 * Which parts of a text are seen: its beginning, and what stands around each span.
 * @param {string} text @param {Span[]} spans @param {number} most @returns {[number, number][]}
 */
function windows(text, spans, most) {
  if (text.length <= most + 2 * AROUND) {
    return [[0, text.length]];
  }
  const around = spans.map(({ start, end }) => /** @type {[number, number]} */ ([start - AROUND, Math.min(end, start + 4000) + AROUND]));
  const wanted = [/** @type {[number, number]} */ ([0, spans.length ? most : Math.max(most, 2 * AROUND)]), ...around].filter(([, to]) => to > 0);
  /** @type {[number, number][]} */
  const seen = [];
  for (const [from, to] of wanted.sort((a, b) => a[0] - b[0])) {
    const last = seen.at(-1);
    if (last && from <= last[1]) {
      last[1] = Math.max(last[1], to);
    } else {
      seen.push([Math.max(from, 0), to]);
    }
  }
  return seen.map(([from, to]) => [whole(text, from), whole(text, Math.min(to, text.length))]);
}

/** A piece of text, in which masked secrets look like what they are. @param {string} piece */
const plain = (piece) =>
  MASKED.test(piece)
    ? piece.split(MASKED).map((part, at) => (at % 2 ? html`<span class="masked" title=${t("passage.masked")}>${part}</span>` : part))
    : piece;

/** @param {string} text @param {Span[]} spans in units @param {number} from @param {number} to @param {any} how */
function pieces(text, spans, from, to, { lit, point, link }) {
  const near = spans.filter((span) => span.start < to && span.end > from);
  const ends = near.flatMap(({ start, end }) => [start, end]).filter((at) => at > from && at < to);
  const cuts = [...new Set([from, ...ends, to])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, at) => {
    const start = cuts[at];
    const over = near.filter((span) => span.start <= start && span.end >= end);
    const said = plain(text.slice(start, end));
    if (!over.length) {
      return said;
    }
    const of = over[0].of;
    if (!link || !of) {
      return html`<mark>${said}</mark>`;
    }
    const shining = over.some((span) => span.of === lit);
    return html`<mark class=${shining ? "lit" : ""}><a href=${link(of)}
      onMouseEnter=${() => point(of)} onMouseLeave=${() => point("")} onFocus=${() => point(of)} onBlur=${() => point("")}>${said}</a></mark>`;
  });
}

/**
 * Words as they were said. `most`: of a longer text its beginning is seen, and what stands around the spans, until all
 * of it is asked for; where `folds` is false, it cannot be. With `link`, the address of a memory, what is marked leads
 * to it; `point` is told which is pointed at, and `lit` shines.
 * @param {any} props
 */
export function Passage({ text, spans = [], most = 4000, folds = true, lit = "", point = () => {}, link = null }) {
  const [all, setAll] = useState(false);
  const places = useMemo(() => inUnits(text, spans), [text, spans]);
  const seen = useMemo(() => windows(text, places, all ? text.length : most), [text, places, all, most]);
  const short = seen.length === 1 && seen[0][0] === 0 && seen[0][1] >= text.length;
  return html`<div class="verbatim" dir="auto">
      ${seen.map(([from, to], at) => [from > 0 || at > 0 ? "… " : "", pieces(text, places, from, to, { lit, point, link }), to < text.length ? " …" : ""])}
    </div>
    ${folds && !short && html`<p><button class="link small" onClick=${() => setAll(true)}>${t("passage.all", text.length)}</button></p>`}
    ${folds && all && text.length > most && html`<p><button class="link small" onClick=${() => setAll(false)}>${t("passage.less")}</button></p>`}`;
}
