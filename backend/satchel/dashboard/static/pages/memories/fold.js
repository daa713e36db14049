// A long turn, folded around the words that count.

const AROUND = 240;
/** Below this a turn is shown whole. */
const SHORT = 900;

/** @typedef {{start: number, end: number}} Span of Unicode code points */

/**
 * The pieces of a text to show, each with its own spans; `before` and `after` say whether something is left out there.
 * @param {string} text @param {Span[]} spans
 * @returns {{text: string, spans: Span[], before: boolean, after: boolean}[]} one piece, nothing left out, where it is short
 */
export function folded(text, spans) {
  const points = [...text];
  if (points.length <= SHORT || !spans.length) {
    return [{ text, spans, before: false, after: false }];
  }
  /** @type {Span[]} */
  const windows = [];
  for (const { start, end } of [...spans].sort((one, other) => one.start - other.start)) {
    const from = Math.max(0, start - AROUND);
    const to = Math.min(points.length, end + AROUND);
    const last = windows.at(-1);
    if (last && from <= last.end) {
      last.end = Math.max(last.end, to);
    } else {
      windows.push({ start: from, end: to });
    }
  }
  return windows.map(({ start: from, end: to }, at) => ({
    text: points.slice(from, to).join(""),
    spans: spans
      .filter(({ start, end }) => start < to && end > from)
      .map(({ start, end }) => ({ start: Math.max(start, from) - from, end: Math.min(end, to) - from })),
    before: at === 0 && from > 0,
    after: to < points.length,
  }));
}
