// A map of memories by meaning: what is alike lies together.
//
// 2,000 points are a path for each kind, drawn anew as the view moves: as many elements would not move smoothly.
import { get } from "../../api.js";
import { KindChip, Loading, useLoad } from "../../ui.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { count, plural, register, t } from "../../words.js";
import { clip, Picture, Table, useWidth } from "./frame.js";
import { KINDS, Legend, shape } from "./kinds.js";
import { magnify, nearest, towards, WHOLE, within } from "./view.js";

register({
  en: {
    "map.title": "Map by meaning",
    "map.says": "Each sign is a memory; what is alike lies together. The directions mean nothing by themselves.",
    "map.slow": "The map is being worked out. After a change this takes some seconds.",
    "map.none": "There is no memory to place yet. They appear here once they can be found by meaning.",
    "map.some": (/** @type {number} */ shown, /** @type {number} */ total) => `${count(shown)} of ${plural(total, "memory", "memories")} are on the map.`,
    "map.search": "Highlight memories containing",
    "map.found": (/** @type {number} */ n, /** @type {number} */ of) => `${count(n)} of ${count(of)} highlighted`,
    "map.how": "Ctrl with the wheel, pinch, + and − magnify; drag, or Shift with the arrow keys, moves. Arrow keys go from memory to memory; Enter or a click opens one.",
    "map.nearer": "Nearer",
    "map.farther": "Farther",
    "map.whole": "Whole map",
    "map.left": "Move left",
    "map.right": "Move right",
    "map.up": "Move up",
    "map.down": "Move down",
    "map.move": "Move the map",
    "map.groups": "Groups",
    "map.group": (/** @type {string} */ name, /** @type {number} */ size) => `${name} (${count(size)})`,
    "map.memory": "Memory",
    "map.kind": "Kind",
    "map.in": "Group",
  },
  zh: {
    "map.title": "按含义的地图",
    "map.says": "每个符号是一条记忆，含义相近的在一起。方向本身没有意义。",
    "map.slow": "正在计算地图。有变动之后需要几秒钟。",
    "map.none": "还没有可以放置的记忆。能按含义查找之后，它们会出现在这里。",
    "map.some": (/** @type {number} */ shown, /** @type {number} */ total) => `地图上显示 ${count(total)} 条记忆中的 ${count(shown)} 条。`,
    "map.search": "点亮包含这些字的记忆",
    "map.found": (/** @type {number} */ n, /** @type {number} */ of) => `点亮 ${count(of)} 条中的 ${count(n)} 条`,
    "map.how": "Ctrl 加滚轮、双指或 + 和 − 缩放；拖动或按住 Shift 加方向键移动。方向键在记忆之间移动；按回车或点击打开。",
    "map.nearer": "放大",
    "map.farther": "缩小",
    "map.whole": "整张地图",
    "map.left": "向左移动",
    "map.right": "向右移动",
    "map.up": "向上移动",
    "map.down": "向下移动",
    "map.move": "移动地图",
    "map.groups": "分组",
    "map.group": (/** @type {string} */ name, /** @type {number} */ size) => `${name}（${count(size)}）`,
    "map.memory": "记忆",
    "map.kind": "类别",
    "map.in": "分组",
  },
});

const MARGIN = 22;
const STEP = 1.5;
const REACH = 14;
const LONGEST = 260;

/** @param {any} props */
export function MemoryMap({ profile }) {
  const found = useLoad((signal) => get("/v1/pictures/map", { profile }, signal), [profile], ["forgotten"]);
  const [element, width] = useWidth();
  const map = found.data;
  const names = useMemo(() => new Map(map?.clusters.map((/** @type {any} */ one) => [one.id, one.name])), [map]);
  return html`<${Picture} title=${t("map.title")} says=${t("map.says")}>
    <div ref=${element}>
      ${!map ? html`${!found.problem && html`<p class="soft">${t("map.slow")}</p>`}<${Loading} of=${found} lines=${8} />`
        : !map.points.length ? html`<p class="soft">${t("map.none")}</p>`
          : width > 0 && html`<${Plane} map=${map} names=${names} width=${width} />`}
    </div>
    ${map?.points.length > 0 && html`
      ${map.shown < map.total && html`<p class="soft small">${t("map.some", map.shown, map.total)}</p>`}
      <${Table}
        title=${t("map.title")}
        head=${[t("map.memory"), t("map.kind"), t("map.in")]}
        numbers=${3}
        length=${map.points.length}
        row=${(/** @type {number} */ at) => {
          const one = map.points[at];
          return [html`<a href=${`#/memories/${encodeURIComponent(one.id)}`} dir="auto">${clip(one.text, LONGEST)}</a>`, t(`kind.${one.kind}`), html`<span dir="auto">${names.get(one.cluster) ?? ""}</span>`];
        }}
      />`}
  <//>`;
}

/** @param {any} props */
function Plane({ map, names, width }) {
  const height = Math.round(Math.max(320, Math.min(600, width * .64)));
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const view = useRef(WHOLE);
  const frame = useRef(0);
  const [chosen, setChosen] = useState(-1);
  const [words, setWords] = useState("");
  const [near, setNear] = useState(false);

  const points = useMemo(() => map.points.map((/** @type {any} */ one) => ({
    ...one, x: MARGIN + one.x * (width - 2 * MARGIN), y: MARGIN + one.y * (height - 2 * MARGIN),
  })), [map, width, height]);
  const lit = useMemo(() => {
    const asked = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return asked.length ? points.map((/** @type {any} */ one) => asked.every((word) => one.text.toLocaleLowerCase().includes(word))) : null;
  }, [points, words]);
  const one = points[chosen];

  const seen = useRef(/** @type {any} */ (null));
  seen.current = { points, lit, one, clusters: map.clusters, width, height };
  const draw = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      svg.current && paint(svg.current, view.current, seen.current);
    });
  };
  /** @param {import("./view.js").View} to */
  const look = (to) => {
    view.current = within(to, width, height);
    setNear(view.current.k > 1);
    draw();
  };
  useLayoutEffect(() => look(view.current), [points]);
  useLayoutEffect(draw, [lit, chosen]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useEffect(() => setChosen(-1), [map]);

  const open = (/** @type {number} */ at) => {
    if (points[at]) {
      location.hash = `#/memories/${encodeURIComponent(points[at].id)}`;
    }
  };
  const zoom = (/** @type {number} */ times, x = width / 2, y = height / 2) => look(magnify(view.current, times, x, y));
  const move = (/** @type {number} */ dx, /** @type {number} */ dy) => look({ ...view.current, x: view.current.x + dx, y: view.current.y + dy });
  /** A point as it lies in the picture now. @param {{x: number, y: number}} point */
  const place = (point) => ({ x: point.x * view.current.k + view.current.x, y: point.y * view.current.k + view.current.y });
  const choose = (/** @type {number} */ at) => {
    setChosen(at);
    const { x, y } = place(points[at]);
    if (x < MARGIN || y < MARGIN || x > width - MARGIN || y > height - MARGIN) {
      move(width / 2 - x, height / 2 - y);
    }
  };

  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const arrow = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] })[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (arrow && event.shiftKey) {
      move(arrow[0] * width / 6, arrow[1] * height / 6);
    } else if (arrow) {
      const offered = points.flatMap((/** @type {any} */ point, /** @type {number} */ at) => (at !== chosen && (!lit || lit[at]) ? [{ ...point, at }] : []));
      const middle = { x: (width / 2 - view.current.x) / view.current.k, y: (height / 2 - view.current.y) / view.current.k };
      const next = one ? towards(offered, one, event.key) : nearest(offered, middle.x, middle.y, Infinity);
      next >= 0 && choose(offered[next].at);
    } else if (event.key === "+" || event.key === "=") {
      zoom(STEP, ...(one ? [place(one).x, place(one).y] : []));
    } else if (event.key === "-" || event.key === "−") {
      zoom(1 / STEP);
    } else if (event.key === "0") {
      look(WHOLE);
    } else if (event.key === "Escape") {
      setChosen(-1);
    } else if (event.key === "Enter") {
      open(chosen);
    } else {
      return;
    }
    event.preventDefault();
  };

  const pointers = usePointers(svg, { width, view, look, zoom, points, chosen, choose: setChosen, open });
  const size = lit?.filter(Boolean).length;
  return html`
    <div class="row tools">
      <label class="field"><span>${t("map.search")}</span>
        <input type="search" maxlength="200" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></label>
      <p role="status" class="soft small">${lit && t("map.found", size ?? 0, points.length)}</p>
      <div class="bar" role="group" aria-label=${t("map.move")}>
        ${/** @type {[string, string, () => void][]} */ ([
          ["map.left", "←", () => move(width / 6, 0)], ["map.up", "↑", () => move(0, height / 6)],
          ["map.down", "↓", () => move(0, -height / 6)], ["map.right", "→", () => move(-width / 6, 0)],
        ]).map(([name, sign, act]) => html`<button aria-label=${t(name)} title=${t(name)} disabled=${!near} onClick=${act}>${sign}</button>`)}
        <button aria-label=${t("map.farther")} title=${t("map.farther")} disabled=${!near} onClick=${() => zoom(1 / STEP)}>−</button>
        <button aria-label=${t("map.nearer")} title=${t("map.nearer")} onClick=${() => zoom(STEP)}>+</button>
        <button disabled=${!near} onClick=${() => look(WHOLE)}>${t("map.whole")}</button>
      </div>
    </div>
    <div class="plane">
      <svg ref=${svg} class=${`chart map ${lit ? "searching" : ""} ${near ? "near" : ""}`} viewBox=${`0 0 ${width} ${height}`}
        role="application" tabindex="0" aria-label=${t("map.title")} aria-describedby="map-how" onKeyDown=${key} ...${pointers}>
        ${KINDS.map((kind) => html`<path class=${`points ${kind}`} />`)}
        ${KINDS.map((kind) => html`<path class=${`points lit ${kind}`} />`)}
        <path class="ring" />
        <g aria-hidden="true">${map.clusters.map((/** @type {any} */ cluster) => html`<text class="cluster" text-anchor="middle">${clip(cluster.name, 34)}</text>`)}</g>
      </svg>
      <div class=${`tip ${one ? "" : "none"}`} role="status">
        ${one && html`<p dir="auto">${clip(one.text, LONGEST)}</p>
          <p class="about"><${KindChip} kind=${one.kind} /> <span dir="auto">${names.get(one.cluster)}</span></p>`}
      </div>
    </div>
    <${Legend} />
    <p class="soft small" id="map-how">${t("map.how")}</p>
    <div class="bar groups" role="group" aria-label=${t("map.groups")}>
      ${map.clusters.map((/** @type {any} */ cluster) => html`<button class="small" dir="auto" onClick=${() => {
        const k = 4;
        look({ k, x: width / 2 - k * (MARGIN + cluster.x * (width - 2 * MARGIN)), y: height / 2 - k * (MARGIN + cluster.y * (height - 2 * MARGIN)) });
      }}>${t("map.group", clip(cluster.name, 60), cluster.size)}</button>`)}
    </div>`;
}

/** Draws the points, the names and the ring as they lie in a view. @param {SVGSVGElement} svg @param {import("./view.js").View} view @param {any} seen */
function paint(svg, view, { points, lit, one, clusters, width, height }) {
  const r = 2.6 + 1.2 * Math.log2(view.k);
  const none = () => /** @type {Record<string, string[]>} */ (Object.fromEntries(KINDS.map((kind) => [kind, []])));
  const [plain, bright] = [none(), none()];
  points.forEach((/** @type {any} */ point, /** @type {number} */ at) => {
    const [x, y] = [Math.round(10 * (point.x * view.k + view.x)) / 10, Math.round(10 * (point.y * view.k + view.y)) / 10];
    if (x > -20 && y > -20 && x < width + 20 && y < height + 20) {
      lit?.[at] ? bright[point.kind]?.push(shape(point.kind, x, y, r + 2)) : plain[point.kind]?.push(shape(point.kind, x, y, r));
    }
  });
  const paths = svg.querySelectorAll("path");
  KINDS.forEach((kind, at) => {
    paths[at].setAttribute("d", plain[kind].join(""));
    paths[at + KINDS.length].setAttribute("d", bright[kind].join(""));
  });
  paths[2 * KINDS.length].setAttribute("d", one ? shape("fact", one.x * view.k + view.x, one.y * view.k + view.y, r + 5) : "");
  name(svg, view, clusters, width, height);
  if (one) {
    beside(/** @type {HTMLElement} */ (svg.nextElementSibling), one.x * view.k + view.x, one.y * view.k + view.y, width, height);
  }
}

/** Puts what a memory says below its point or, in the lower half, above it. @param {HTMLElement} tip @param {number} x @param {number} y @param {number} width @param {number} height */
function beside(tip, x, y, width, height) {
  const wide = Math.min(320, width - 16);
  tip.style.width = `${wide}px`;
  tip.style.left = `${Math.max(8, Math.min(width - wide - 8, x - wide / 2))}px`;
  tip.style.top = y < height / 2 ? `${y + 18}px` : "auto";
  tip.style.bottom = y < height / 2 ? "auto" : `${height - y + 18}px`;
}

/** Puts the clusters' names to their places, the largest first; one that would cover another stays away until one looks nearer.
 * @param {SVGSVGElement} svg @param {import("./view.js").View} view @param {any[]} clusters @param {number} width @param {number} height */
function name(svg, view, clusters, width, height) {
  const texts = svg.querySelectorAll("text");
  /** @type {{x: number, y: number, half: number}[]} */
  const taken = [];
  const order = clusters.map((_, at) => at).sort((a, b) => clusters[b].size - clusters[a].size);
  for (const at of order) {
    const text = texts[at];
    const half = text.getComputedTextLength() / 2 + 4;
    const middle = (MARGIN + clusters[at].x * (width - 2 * MARGIN)) * view.k + view.x;
    const y = (MARGIN + clusters[at].y * (height - 2 * MARGIN)) * view.k + view.y;
    const outside = middle < 0 || middle > width || y < 0 || y > height;
    const x = Math.max(half, Math.min(width - half, middle));
    const hides = outside || taken.some((other) => Math.abs(other.y - y) < 19 && Math.abs(other.x - x) < other.half + half);
    text.setAttribute("visibility", hides ? "hidden" : "visible");
    text.setAttribute("x", x.toFixed(1));
    text.setAttribute("y", Math.max(14, y).toFixed(1));
    hides || taken.push({ x, y, half });
  }
}

/** Wheel, drag, pinch, hovering and clicking. @param {any} svg @param {any} plane */
function usePointers(svg, plane) {
  const latest = useRef(plane);
  latest.current = plane;
  const down = useRef(/** @type {Map<number, {x: number, y: number}>} */ (new Map()));
  const moved = useRef(false);

  /** The place of an event in the picture. @param {any} event */
  const where = (event) => {
    const box = svg.current.getBoundingClientRect();
    const scale = latest.current.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  };
  useEffect(() => {
    const wheel = (/** @type {WheelEvent} */ event) => {
      const { view, zoom } = latest.current;
      const isMeant = event.ctrlKey || event.metaKey || document.activeElement === svg.current; // a pinch comes with ctrlKey
      if (!event.ctrlKey && view.current.k === 1 && (!isMeant || event.deltaY > 0)) {
        return; // the whole of it is seen: the page goes on
      }
      event.preventDefault();
      const { x, y } = where(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      zoom(2 ** (-Math.max(-120, Math.min(120, event.deltaY * lines)) / 240), x, y);
    };
    svg.current.addEventListener("wheel", wheel, { passive: false });
    return () => svg.current?.removeEventListener("wheel", wheel);
  }, []);

  /** The memory at a place of the picture, or -1. @param {{x: number, y: number}} at @param {number} reach */
  const under = (at, reach) => {
    const { view, points } = latest.current;
    const { k, x, y } = view.current;
    return nearest(points, (at.x - x) / k, (at.y - y) / k, reach / k);
  };
  return {
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      down.current.set(event.pointerId, where(event));
      moved.current = down.current.size > 1;
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      const { look, view, choose } = latest.current;
      const now = where(event);
      event.buttons || down.current.delete(event.pointerId); // let go outside
      const before = down.current.get(event.pointerId);
      if (!before) {
        event.pointerType === "mouse" && choose(under(now, REACH));
        return;
      }
      const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
      if (!moved.current && Math.hypot(now.x - before.x, now.y - before.y) < 5) {
        return;
      }
      moved.current = true;
      svg.current.setPointerCapture(event.pointerId);
      down.current.set(event.pointerId, now);
      if (other) {
        const times = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
        look(magnify(view.current, times, (now.x + other.x) / 2, (now.y + other.y) / 2));
      } else {
        look({ ...view.current, x: view.current.x + now.x - before.x, y: view.current.y + now.y - before.y });
      }
    },
    onPointerUp: (/** @type {PointerEvent} */ event) => {
      const { open, choose } = latest.current;
      if (down.current.delete(event.pointerId) && !moved.current && event.button === 0) {
        const touch = event.pointerType !== "mouse";
        const found = under(where(event), touch ? 2 * REACH : REACH);
        touch && found !== latest.current.chosen ? choose(found) : open(found);
      }
    },
    onPointerCancel: (/** @type {PointerEvent} */ event) => void down.current.delete(event.pointerId),
    onPointerLeave: (/** @type {PointerEvent} */ event) => {
      if (event.pointerType === "mouse" && document.activeElement !== svg.current) {
        latest.current.choose(-1);
      }
    },
  };
}
