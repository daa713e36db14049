// The conversations by day, latest first, a page at a time.
import { begins, dayOf } from "../../days.js";
import { listen } from "../../live.js";
import { Empty, Heading, Loading, get, useLoad } from "../../ui.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { count, day, locale, plural, register, t } from "../../words.js";

register({
  en: {
    "conversations.title": "Conversations",
    "conversations.total": (/** @type {number} */ n) => plural(n, "conversation", "conversations"),
    "conversations.words": "Words in the title",
    "conversations.site": "Site",
    "conversations.every": "All sites",
    "conversations.since": "From",
    "conversations.until": "To",
    "conversations.clear": "Show all",
    "conversations.untitled": "Untitled",
    "conversations.turns": (/** @type {number} */ n) => plural(n, "message", "messages"),
    "conversations.none": "No conversations yet",
    "conversations.none.why": "When you chat on a site that the browser extension knows, what is said is kept here, on this computer alone.",
    "conversations.none.do": "See what may write here",
    "conversations.nothing": "No conversation is like that",
    "conversations.nothing.why": "Words are looked for in titles only.",
    "conversations.pages": "Pages of conversations",
    "conversations.newer": "Newer",
    "conversations.older": "Older",
    "conversations.range": (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ of) => `${count(from)} to ${count(to)} of ${count(of)}`,
  },
  zh: {
    "conversations.title": "对话",
    "conversations.total": (/** @type {number} */ n) => `${count(n)} 个对话`,
    "conversations.words": "标题中的词",
    "conversations.site": "网站",
    "conversations.every": "所有网站",
    "conversations.since": "从",
    "conversations.until": "到",
    "conversations.clear": "显示全部",
    "conversations.untitled": "无标题",
    "conversations.turns": (/** @type {number} */ n) => `${count(n)} 条消息`,
    "conversations.none": "还没有对话",
    "conversations.none.why": "当你在浏览器扩展支持的网站上聊天时，内容会保存在这里，只存于这台电脑。",
    "conversations.none.do": "查看哪些程序可以写入",
    "conversations.nothing": "没有符合条件的对话",
    "conversations.nothing.why": "只在标题中查找词语。",
    "conversations.pages": "对话分页",
    "conversations.newer": "较新",
    "conversations.older": "较早",
    "conversations.range": (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ of) => `第 ${count(from)}–${count(to)} 个，共 ${count(of)} 个`,
  },
});

const SIZE = 100;
const TYPING_MS = 250;
const ALL = { q: "", site: "", since: "", until: "", page: 1 };

// What was looked for, for the way back from a conversation. Not in the address: the browser would keep what was typed
// in its history, and it may be a name that is forgotten later.
let kept = { profile: "", opened: "", ...ALL };
listen(({ name }) => {
  if (name === "forgotten") {
    kept = { ...kept, q: "" };
  }
});

/** The sites that anything was said on. @param {string} profile @param {AbortSignal} signal */
const sitesOf = async (profile, signal) => (await get("/v1/pictures/sites", { profile }, signal)).sites.filter((/** @type {any} */ one) => one.conversations).map((/** @type {any} */ one) => one.site);

/** Conversations that follow each other, by the day on which something last came of them. @param {any[]} items */
function byDay(items) {
  /** @type {{day: string, items: any[]}[]} */
  const days = [];
  for (const item of items) {
    const on = dayOf(item.updated_at);
    if (days.at(-1)?.day !== on) {
      days.push({ day: on, items: [] });
    }
    days.at(-1)?.items.push(item);
  }
  return days;
}

/** "today", "3 November": with the weekday where it is not near. @param {string} moment */
const heading = (moment) => `${day(moment)}${Math.abs(Date.now() - Date.parse(moment)) < 2 * 86_400_000 ? "" : `, ${new Intl.DateTimeFormat(locale(), { weekday: "long" }).format(new Date(moment))}`}`;
const clock = (/** @type {string} */ moment) => new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(new Date(moment));

/** @param {{profile: string, named: string}} props `named`: the site that a link asks for, or "" */
export function List({ profile, named }) {
  const isKept = kept.profile === profile && (!named || kept.site === named);
  const [asked, setAsked] = useState(() => (isKept ? kept : { ...ALL, profile, opened: "", site: named }));
  const [typed, setTyped] = useState(asked.q); // with what an input method has not finished yet
  const [words, setWords] = useState(asked.q);
  const { q, site, since, until, page } = asked;
  const list = useLoad(
    (signal) => get("/v1/conversations", { profile, q, site, since: begins(since), until: begins(until, 1), page, size: SIZE }, signal),
    [profile, q, site, since, until, page],
    ["job", "memory", "forgotten"],
  );
  const sites = useLoad((signal) => sitesOf(profile, signal), [profile], ["forgotten"]);
  const top = useRef(/** @type {HTMLElement | null} */ (null));
  const change = (/** @type {any} */ changes) => setAsked((before) => ({ ...before, page: 1, ...changes }));
  const type = (/** @type {string} */ text, finished = true) => {
    setTyped(text);
    finished && setWords(text);
  };
  kept = { ...asked, profile };

  useEffect(() => {
    if (words === asked.q) {
      return undefined;
    }
    const soon = setTimeout(() => change({ q: words }), TYPING_MS);
    return () => clearTimeout(soon);
  }, [words]);

  useEffect(() => listen(({ name }) => {
    if (name === "forgotten") {
      type("");
      change({ q: "" });
    }
  }), []);

  const back = useRef(asked.opened);
  useEffect(() => {
    if (list.data && back.current) {
      const link = document.getElementById(`conversation-${back.current}`);
      link?.scrollIntoView({ block: "center" });
      link?.focus();
      back.current = "";
    }
  }, [list.data]);

  const turned = useRef(false);
  const turn = (/** @type {number} */ to) => {
    turned.current = true;
    change({ page: to });
  };
  useEffect(() => {
    if (turned.current) {
      turned.current = false;
      top.current?.scrollIntoView({ block: "start" });
      top.current?.focus({ preventScroll: true });
    }
  }, [list.data]);

  const { items = [], total = 0 } = list.data ?? {};
  const here = [...(sites.data ?? []), ...items.map((/** @type {any} */ one) => one.site), ...(site ? [site] : [])];
  const narrowed = q || site || since || until;
  const last = Math.max(1, Math.ceil(total / SIZE));

  useEffect(() => {
    if (list.data && page > last) {
      change({ page: last });
    }
  }, [list.data]);

  return html`
    <${Heading} aside=${list.data && html`<span class="soft" role="status">${t("conversations.total", total)}</span>`}>${t("conversations.title")}<//>
    <form class="bar filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label class="field words"><span>${t("conversations.words")}</span>
        <input type="search" autocomplete="off" maxlength="1000" dir="auto" value=${typed}
          onInput=${(/** @type {any} */ event) => type(event.target.value, !event.isComposing)} onCompositionEnd=${(/** @type {any} */ event) => type(event.target.value)} /></label>
      <label class="field"><span>${t("conversations.site")}</span>
        <select value=${site} onChange=${(/** @type {any} */ event) => change({ site: event.target.value })}>
          <option value="">${t("conversations.every")}</option>
          ${[...new Set(here)].map((one) => html`<option value=${one}>${one}</option>`)}
        </select></label>
      <label class="field"><span>${t("conversations.since")}</span>
        <input type="date" autocomplete="off" max=${until || undefined} value=${since} onChange=${(/** @type {any} */ event) => change({ since: event.target.value })} /></label>
      <label class="field"><span>${t("conversations.until")}</span>
        <input type="date" autocomplete="off" min=${since || undefined} value=${until} onChange=${(/** @type {any} */ event) => change({ until: event.target.value })} /></label>
      ${narrowed && html`<button type="button" onClick=${() => { type(""); change(ALL); }}>${t("conversations.clear")}</button>`}
    </form>
    ${list.problem && html`<${Loading} of=${list} />`}
    ${!list.data
      ? !list.problem && html`<${Loading} of=${list} lines=${8} />`
      : total === 0
        ? html`<${Nothing} narrowed=${narrowed} />`
        : html`<div class="conversations" tabindex="-1" ref=${top}>
            ${byDay(items).map((one) => html`<section key=${one.day} aria-label=${heading(one.items[0].updated_at)}>
              <h2>${heading(one.items[0].updated_at)}</h2>
              <ul>${one.items.map((/** @type {any} */ item) => html`<${Row} key=${item.id} item=${item} />`)}</ul>
            </section>`)}
          </div>`}
    ${list.data && last > 1 && html`<div role="navigation" class="bar pager" aria-label=${t("conversations.pages")}>
      <button disabled=${page <= 1} onClick=${() => turn(page - 1)}>${t("conversations.newer")}</button>
      <span class="soft">${t("conversations.range", (page - 1) * SIZE + 1, (page - 1) * SIZE + items.length, total)}</span>
      <button disabled=${page >= last} onClick=${() => turn(page + 1)}>${t("conversations.older")}</button>
    </div>`}
  `;
}

/** @param {any} props */
const Row = ({ item }) => html`<li>
  <a id=${`conversation-${item.id}`} href=${`#/conversations/${encodeURIComponent(item.id)}`} onClick=${() => { kept.opened = item.id; }}>
    <span class="title" dir="auto">${item.title || t("conversations.untitled")}</span></a>
  <p class="about">
    <time datetime=${item.updated_at}>${clock(item.updated_at)}</time>
    <span class="site">${item.site}</span>
    <span>${t("conversations.turns", item.message_count)}</span>
    ${item.memories > 0 && html`<span>${t("memories", item.memories)}</span>`}
  </p>
</li>`;

/** @param {any} props */
const Nothing = ({ narrowed }) =>
  narrowed
    ? html`<${Empty} title=${t("conversations.nothing")}><p>${t("conversations.nothing.why")}</p><//>`
    : html`<${Empty} title=${t("conversations.none")}><p>${t("conversations.none.why")}</p><p><a href="#/clients">${t("conversations.none.do")}</a></p><//>`;
