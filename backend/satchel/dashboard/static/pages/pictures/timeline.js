// What was learned when, by kind, and how much was captured.
import { get } from "../../api.js";
import { dayOf } from "../../days.js";
import { Loading, useLoad } from "../../ui.js";
import { max, scaleLinear, scaleTime, sum } from "../../vendor/d3.js";
import { html, useMemo, useState } from "../../vendor/preact.js";
import { count, locale, plural, register, t } from "../../words.js";
import { Picture, Table, useWidth } from "./frame.js";
import { fill, KINDS, Legend } from "./kinds.js";

register({
  en: {
    "timeline.title": "Learned over time",
    "timeline.says": "How many memories came from what you said, by date.",
    "timeline.by": "A bar for each",
    "timeline.by.day": "Day",
    "timeline.by.week": "Week",
    "timeline.by.month": "Month",
    "timeline.learned": "Memories learned",
    "timeline.captured": "Messages captured",
    "timeline.when": "When",
    "timeline.all": "All",
    "timeline.none": "Nothing was captured yet.",
    "timeline.how": "Arrow keys or the pointer go through the bars; Enter or a click opens their memories.",
    "timeline.at": (/** @type {string} */ when, /** @type {number} */ n, /** @type {string} */ kinds, /** @type {number} */ captured) =>
      `${when}: ${plural(n, "memory", "memories")}${kinds && ` (${kinds})`}, ${plural(captured, "message", "messages")} captured`,
  },
  zh: {
    "timeline.title": "随时间学到的内容",
    "timeline.says": "什么时候说的话，产生了多少条记忆。",
    "timeline.by": "每条柱代表",
    "timeline.by.day": "一天",
    "timeline.by.week": "一周",
    "timeline.by.month": "一个月",
    "timeline.learned": "学到的记忆",
    "timeline.captured": "捕获的消息",
    "timeline.when": "时间",
    "timeline.all": "合计",
    "timeline.none": "还没有捕获任何内容。",
    "timeline.how": "用方向键或指针浏览各柱；按回车或点击可打开其中的记忆。",
    "timeline.at": (/** @type {string} */ when, /** @type {number} */ n, /** @type {string} */ kinds, /** @type {number} */ captured) =>
      `${when}：${count(n)} 条记忆${kinds && `（${kinds}）`}，捕获 ${count(captured)} 条消息`,
  },
});

const TALL = 200;
const STRIP = 44;
const WIDEST = 60;
const LEFT = 46;
const TOP = 24;
const BETWEEN = 36;
const HEIGHT = TOP + TALL + BETWEEN + STRIP + 40;
const FLOOR = TOP + TALL;
const GROUND = FLOOR + BETWEEN + STRIP;

/** "2026-11-03" as midnight here. @param {string} text */
const midnight = (text) => new Date(`${text.slice(0, 10)}T00:00:00`);

/** Where the next bar begins. @param {Date} start @param {string} by */
function next(start, by) {
  const [year, month, day] = [start.getFullYear(), start.getMonth(), start.getDate()];
  return by === "month" ? new Date(year, month + 1, 1) : new Date(year, month, day + (by === "week" ? 7 : 1));
}

/** The stretch of time of a bar, for a person. @param {any} bar @param {string} by */
function stretch(bar, by) {
  if (by === "month") {
    return new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric" }).format(bar.from);
  }
  const format = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric" });
  return by === "day" ? format.format(bar.from) : format.formatRange(bar.from, new Date(bar.until.getTime() - 1));
}

const kindsOf = (/** @type {any} */ bar) =>
  KINDS.filter((kind) => bar.learned[kind]).map((kind) => `${t(`kind.${kind}`)} ${count(bar.learned[kind])}`).join(", ");

/** @param {any} props */
export function Timeline({ profile }) {
  const [by, setBy] = useState(/** @type {string | null} */ (null)); // null: as narrow as it stays legible
  const found = useLoad((signal) => get("/v1/pictures/timeline", { profile, by }, signal), [profile, by], ["memory", "forgotten", "job"], 2_000);
  const [element, width] = useWidth();
  const shown = found.data?.by ?? "week";
  const told = (found.data?.bars ?? []).map((/** @type {any} */ bar) => {
    const from = midnight(bar.start);
    return { ...bar, from, until: next(from, shown), total: sum(Object.values(bar.learned)) };
  });
  const bars = told.some((/** @type {any} */ bar) => bar.total || bar.captured) ? told : [];
  const tools = html`<div class="bar" role="group" aria-label=${t("timeline.by")}>
    ${["day", "week", "month"].map((one) => html`<button aria-pressed=${one === (by ?? found.data?.by)} onClick=${() => setBy(one)}>${t(`timeline.by.${one}`)}</button>`)}
  </div>`;
  return html`<${Picture} title=${t("timeline.title")} says=${t("timeline.says")} tools=${tools}>
    <div ref=${element}>
      ${!found.data ? html`<${Loading} of=${found} />`
        : !bars.length ? html`<p class="soft">${t("timeline.none")}</p>`
          : width > 0 && html`<${Bars} bars=${bars} by=${shown} width=${width} />`}
    </div>
    ${bars.length > 0 && html`<${Legend} areas />
      <${Table}
        title=${t("timeline.title")}
        head=${[t(`timeline.by.${shown}`), ...KINDS.map((kind) => t(`kind.${kind}`)), t("timeline.all"), t("timeline.captured")]}
        length=${bars.length}
        row=${(/** @type {number} */ at) => {
          const bar = bars[bars.length - 1 - at];
          return [stretch(bar, shown), ...KINDS.map((kind) => count(bar.learned[kind] ?? 0)), count(bar.total), count(bar.captured)];
        }}
      />`}
  <//>`;
}

/** @param {any} props */
function Bars({ bars, by, width }) {
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const x = scaleTime([bars[0].from, bars.at(-1).until], [LEFT, width - 2]);
  const y = scaleLinear([0, max(bars, (/** @type {any} */ bar) => bar.total) || 1], [FLOOR, TOP]).nice(4);
  const strip = scaleLinear([0, max(bars, (/** @type {any} */ bar) => bar.captured) || 1], [0, STRIP]);
  const drawn = useMemo(
    () => bars.map((/** @type {any} */ bar) => html`<${Bar} key=${bar.start} bar=${bar} x=${x(bar.from)} wide=${barWidth(x(bar.until) - x(bar.from))} y=${y} strip=${strip} />`),
    [bars, width],
  );
  const ticks = x.ticks(Math.max(2, Math.floor(width / 64))).filter((/** @type {Date} */ tick) => tick.getHours() === 0);
  const steps = y.ticks(4).filter(Number.isInteger);
  const last = bars.length - 1;
  const chosen = at === null ? null : bars[Math.min(at, last)];
  const says = (/** @type {any} */ bar) => t("timeline.at", stretch(bar, by), bar.total, kindsOf(bar), bar.captured);
  const open = (/** @type {any} */ bar) => {
    location.hash = `#/memories?since=${dayOf(bar.from)}&until=${dayOf(bar.until.getTime() - 1)}`; // both days included
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const now = at ?? last;
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageUp: now + 10, PageDown: now - 10, Home: 0, End: last };
    if (event.key in to) {
      event.preventDefault();
      setAt(Math.max(0, Math.min(last, to[event.key])));
    } else if (event.key === "Enter" && chosen) {
      open(chosen);
    }
  };
  /** @param {any} event */
  const under = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const moment = x.invert(((event.clientX - box.left) * width) / box.width);
    const found = bars.findIndex((/** @type {any} */ bar) => bar.from <= moment && moment < bar.until);
    return found < 0 ? null : found;
  };
  return html`<svg
      class="chart"
      viewBox=${`0 0 ${width} ${HEIGHT}`}
      role="slider"
      tabindex="0"
      aria-label=${t("timeline.title")}
      aria-valuemin="0"
      aria-valuemax=${last}
      aria-valuenow=${Math.min(at ?? last, last)}
      aria-valuetext=${says(chosen ?? bars[last])}
      onKeyDown=${key}
      onFocus=${() => setAt((now) => now ?? last)}
      onPointerMove=${(/** @type {any} */ event) => event.pointerType === "mouse" && setAt(under(event))}
      onPointerLeave=${(/** @type {any} */ event) => event.pointerType !== "mouse" || event.currentTarget === document.activeElement || setAt(null)}
      onClick=${(/** @type {any} */ event) => {
        const found = under(event);
        if (event.pointerType === "touch" && found !== at) {
          setAt(found); // a finger cannot hover: it reads first, and opens with the second touch
        } else if (found !== null) {
          open(bars[found]);
        }
      }}
    >
      ${steps.map((/** @type {number} */ step) => html`<path class="rule" d=${`M${LEFT} ${y(step)}H${width}`} /><text x=${LEFT - 8} y=${y(step) + 4} text-anchor="end">${count(step)}</text>`)}
      ${ticks.map((/** @type {Date} */ tick) => html`<path class="axis" d=${`M${x(tick)} ${GROUND}v5`} /><text x=${x(tick)} y=${GROUND + 19} text-anchor=${x(tick) > width - 20 ? "end" : "middle"}>${tickName(tick)}</text>`)}
      <text class="name" x="0" y="12">${t("timeline.learned")}</text>
      <text class="name" x="0" y=${FLOOR + 24}>${t("timeline.captured")}</text>
      <text class="name" x=${width} y=${HEIGHT - 4} text-anchor="end">${t("timeline.when")}</text>
      <text x=${LEFT - 8} y=${GROUND - STRIP + 8} text-anchor="end">${count(strip.domain()[1])}</text>
      ${chosen && html`<rect class="under" x=${x(chosen.from)} y=${TOP} width=${x(chosen.until) - x(chosen.from)} height=${GROUND - TOP} />`}
      ${drawn}
      <path class="axis" d=${`M${LEFT} ${FLOOR + .5}H${width}M${LEFT} ${GROUND + .5}H${width}`} />
    </svg>
    <p class="reading" aria-hidden="true">${chosen ? says(chosen) : html`<span class="soft">${t("timeline.how")}</span>`}</p>`;
}

/** A gap between bars where there is room for one. @param {number} wide */
const barWidth = (wide) => Math.max(1, Math.min(WIDEST, wide - (wide > 5 ? 1.5 : 0)));

/** @param {any} props */
function Bar({ bar, x, wide, y, strip }) {
  let below = 0;
  return html`<g>
    ${KINDS.filter((kind) => bar.learned[kind]).map((kind) => {
      const [bottom, top] = [y(below), y(below += bar.learned[kind])];
      return html`<rect class="bordered" fill=${fill(kind)} x=${x} y=${top} width=${wide} height=${bottom - top} />`;
    })}
    ${bar.captured > 0 && html`<rect class="grey" x=${x} y=${GROUND - strip(bar.captured)} width=${wide} height=${strip(bar.captured)} />`}
  </g>`;
}

/** "Mar", or "2026" where a year begins; a day within a month. @param {Date} tick */
function tickName(tick) {
  const options = tick.getDate() !== 1 ? { day: "numeric", month: "short" } : tick.getMonth() ? { month: "short" } : { year: "numeric" };
  return new Intl.DateTimeFormat(locale(), /** @type {any} */ (options)).format(tick);
}
