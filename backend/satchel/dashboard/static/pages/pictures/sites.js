// Where it came from: captures, memories and insertions by site.
import { get } from "../../api.js";
import { Loading, useLoad } from "../../ui.js";
import { max, scaleLinear } from "../../vendor/d3.js";
import { html } from "../../vendor/preact.js";
import { count, day, plural, register, t } from "../../words.js";
import { clip, Picture, Table, useWidth } from "./frame.js";

register({
  en: {
    "sites.title": "By site",
    "sites.says": "Where you talked, and what came of it.",
    "sites.none": "Nothing was captured yet.",
    "sites.site": "Site",
    "sites.conversations": "Conversations",
    "sites.turns": "Messages captured",
    "sites.memories": "Memories from there",
    "sites.inserted": "Memories inserted there",
    "sites.last": "Last",
    "sites.how-many": "How many",
    "sites.rest": (/** @type {number} */ n) => `${plural(n, "other site is", "other sites are")} in the table.`,
  },
  zh: {
    "sites.title": "按网站",
    "sites.says": "你在哪里交谈，又由此记住了多少。",
    "sites.none": "还没有捕获任何内容。",
    "sites.site": "网站",
    "sites.conversations": "对话",
    "sites.turns": "捕获的消息",
    "sites.memories": "来自那里的记忆",
    "sites.inserted": "插入到那里的记忆",
    "sites.last": "最近一次",
    "sites.how-many": "数量",
    "sites.rest": (/** @type {number} */ n) => `另有 ${count(n)} 个网站，见表格。`,
  },
});

const MOST = 10;
const BARS = ["turns", "memories", "inserted"];
const THICK = 13;
const ROW = 26 + BARS.length * (THICK + 2) + 10;

/** @param {any} props */
export function Sites({ profile }) {
  const found = useLoad((signal) => get("/v1/pictures/sites", { profile }, signal), [profile], ["memory", "forgotten", "job", "inserted"], 2_000);
  const [element, width] = useWidth();
  const sites = found.data?.sites ?? [];
  return html`<${Picture} title=${t("sites.title")} says=${t("sites.says")}>
    <div ref=${element}>
      ${!found.data ? html`<${Loading} of=${found} />`
        : !sites.length ? html`<p class="soft">${t("sites.none")}</p>`
          : width > 0 && html`<${Bars} sites=${sites.slice(0, MOST)} width=${width} />`}
    </div>
    ${sites.length > 0 && html`
      ${sites.length > MOST && html`<p class="soft small">${t("sites.rest", sites.length - MOST)}</p>`}
      <ul class="legend">${BARS.map((name) => html`<li><svg width="16" height="14" aria-hidden="true"><rect class=${`share ${name}`} x=".5" y=".5" width="15" height="13" /></svg>${t(`sites.${name}`)}</li>`)}</ul>
      <${Table}
        title=${t("sites.title")}
        head=${["site", "conversations", "turns", "memories", "inserted", "last"].map((name) => t(`sites.${name}`))}
        length=${sites.length}
        row=${(/** @type {number} */ at) => {
          const one = sites[at];
          return [one.site, count(one.conversations), count(one.turns), count(one.memories), count(one.inserted), one.last_at ? day(one.last_at) : "–"];
        }}
      />`}
  <//>`;
}

/** @param {any} props */
function Bars({ sites, width }) {
  const most = max(sites, (/** @type {any} */ one) => Math.max(...BARS.map((name) => one[name]))) || 1;
  const x = scaleLinear([0, most], [0, width - 64]).nice(4);
  const ticks = x.ticks(Math.max(2, Math.floor(width / 140))).filter(Number.isInteger);
  const floor = sites.length * ROW;
  return html`<svg class="chart" viewBox=${`0 0 ${width} ${floor + 44}`} role="group" aria-label=${t("sites.title")}>
    ${ticks.map((/** @type {number} */ tick) => html`<path class="rule" d=${`M${x(tick) + .5} 0V${floor}`} /><text x=${x(tick)} y=${floor + 17} text-anchor=${tick ? "middle" : "start"}>${count(tick)}</text>`)}
    ${sites.map((/** @type {any} */ one, /** @type {number} */ at) => html`<g key=${one.site} transform=${`translate(0 ${at * ROW})`}>
      <a href=${`#/conversations?site=${encodeURIComponent(one.site)}`}><text class="site" y="18">${clip(one.site, Math.max(12, Math.floor(width / 11)))}</text></a>
      ${BARS.map((name, row) => html`<g transform=${`translate(0 ${26 + row * (THICK + 2)})`} role="img" aria-label=${`${t(`sites.${name}`)}: ${count(one[name])}`}>
        <rect class=${`share ${name}`} x=".5" width=${Math.max(1, x(one[name]))} height=${THICK} />
        <text x=${Math.max(1, x(one[name])) + 7} y=${THICK - 2}>${count(one[name])}</text>
      </g>`)}
    </g>`)}
    <path class="axis" d=${`M0 ${floor + .5}H${width}`} />
    <text class="name" x=${width} y=${floor + 40} text-anchor="end">${t("sites.how-many")}</text>
  </svg>`;
}
