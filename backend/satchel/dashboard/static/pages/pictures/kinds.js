// How the kinds of memory are told apart in a picture: a colour, and a hatching (of areas) or a shape (of points).
import { html } from "../../vendor/preact.js";
import { t } from "../../words.js";

export const KINDS = ["fact", "event", "explicit_preference", "implicit_preference", "instruction"];

/** The lines across an area of a kind, in a square of 6. @type {Record<string, string>} */
const LINES = {
  fact: "",
  event: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5",
  explicit_preference: "M0 1.5H6",
  implicit_preference: "M-1 -1L7 7M5 -1L7 1M-1 5L1 7",
  instruction: "M1.5 0V6M0 4.5H6",
};

/** A point of a kind around (x, y), as a path. @param {string} kind @param {number} x @param {number} y @param {number} r */
export function shape(kind, x, y, r) {
  switch (kind) {
    case "event":
      return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    case "explicit_preference":
      return `M${x} ${y - 1.3 * r}l${1.3 * r} ${2.3 * r}h${-2.6 * r}z`;
    case "implicit_preference":
      return `M${x} ${y + 1.3 * r}l${1.3 * r} ${-2.3 * r}h${-2.6 * r}z`;
    case "instruction":
      return `M${x} ${y - 1.4 * r}l${1.4 * r} ${1.4 * r}l${-1.4 * r} ${1.4 * r}l${-1.4 * r} ${-1.4 * r}z`;
    default:
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
}

export const fill = (/** @type {string} */ kind) => `url(#hatch-${kind})`;

/** What `fill` refers to; once in a page. */
export const Hatchings = () => html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs>
  ${KINDS.map((kind) => html`<pattern id=${`hatch-${kind}`} width="6" height="6" patternUnits="userSpaceOnUse">
    <rect class=${`area ${kind}`} width="6" height="6" />
    <path class="lines" d=${LINES[kind]} />
  </pattern>`)}
</defs></svg>`;

/** Which sign means which kind: hatchings with `areas`, else shapes. @param {any} props */
export const Legend = ({ areas = false }) => html`<ul class="legend">
  ${KINDS.map((kind) => html`<li>
    <svg width="16" height="14" aria-hidden="true">
      ${areas ? html`<rect class="bordered" x=".5" y=".5" width="15" height="13" fill=${fill(kind)} />`
        : html`<path class=${`area ${kind}`} d=${shape(kind, 8, 7, 4.5)} />`}
    </svg>
    ${t(`kind.${kind}`)}
  </li>`)}
</ul>`;
