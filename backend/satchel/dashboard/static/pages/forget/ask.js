// What is to be forgotten: a name, a site, a time, or everything.
import { begins } from "../../days.js";
import { get, useLoad } from "../../ui.js";
import { html } from "../../vendor/preact.js";
import { register, t } from "../../words.js";

register({
  en: {
    "ask.what": "What is to be forgotten",
    "ask.name": "A person or a word",
    "ask.name.label": "Name or word",
    "ask.name.why": "Each message and memory in which it stands as a word of its own, whatever else they say.",
    "ask.site": "A site",
    "ask.site.label": "Site",
    "ask.site.why": "All conversations of the site, and what was drawn from them.",
    "ask.span": "A time",
    "ask.span.since": "First day",
    "ask.span.until": "Last day",
    "ask.span.why": "What was said on these days, the first and the last included. Without one of them, all before or after the other.",
    "ask.everything": "Everything",
    "ask.everything.why": (/** @type {string | null} */ profile) =>
      `All conversations and all memories ${profile === null ? "of all profiles" : `of the profile “${profile}”`}. Settings and connected programs stay.`,
    "ask.one": "To forget one thing, look for it among the",
    "ask.one.memories": "memories",
    "ask.one.or": "or the",
    "ask.one.conversations": "conversations",
    "ask.profiles": "In all profiles, not in this one alone",
    "ask.go": "See what would go",
    "ask.safe": "Nothing happens yet.",
  },
  zh: {
    "ask.what": "要忘记什么",
    "ask.name": "某个人或某个词",
    "ask.name.label": "名字或词",
    "ask.name.why": "凡是其中单独出现这个词的消息和记忆，不论还说了什么。",
    "ask.site": "某个网站",
    "ask.site.label": "网站",
    "ask.site.why": "该网站的所有对话，以及由此得出的内容。",
    "ask.span": "某段时间",
    "ask.span.since": "第一天",
    "ask.span.until": "最后一天",
    "ask.span.why": "这些天里说过的话，包括首尾两天。只填一个，则为其之前或之后的全部。",
    "ask.everything": "全部",
    "ask.everything.why": (/** @type {string | null} */ profile) => `${profile === null ? "所有档案" : `档案“${profile}”`}中的所有对话和所有记忆。设置和已连接的程序会保留。`,
    "ask.one": "只想忘记某一项，请到这里查找：",
    "ask.one.memories": "记忆",
    "ask.one.or": "或",
    "ask.one.conversations": "对话",
    "ask.profiles": "不只是当前档案，而是所有档案",
    "ask.go": "查看会删除什么",
    "ask.safe": "现在还不会发生任何事。",
  },
});

const WAYS = ["name", "site", "span", "everything"];
export const NOTHING = { way: "name", name: "", site: "", since: "", until: "", all: false };

/** @typedef {typeof NOTHING} Asked */

/** Whether it names anything. @param {Asked} asked */
export const isNamed = ({ way, name, site, since, until }) =>
  ({ name: name.trim(), site, span: since || until, everything: "all" })[way] !== "";

/** As `POST /v1/forget` has it. @param {Asked} asked @param {string} profile */
export function bodyOf({ way, name, site, since, until, all }, profile) {
  const ways = {
    name: { name: name.trim() },
    site: { site },
    span: { since: begins(since) || undefined, until: begins(until, 1) || undefined },
    everything: { everything: true },
  };
  return { ...(all ? {} : { profile }), ...ways[/** @type {keyof typeof ways} */ (way)] };
}

/** @param {any} props */
export function Ask({ asked, change, profile, place, go }) {
  const profiles = useLoad((signal) => get("/v1/profiles", {}, signal), [], ["forgotten"]);
  const sites = useLoad(async (signal) => (await get("/v1/pictures/sites", { profile }, signal)).sites.map((/** @type {any} */ one) => one.site), [profile], ["forgotten"]);
  const set = (/** @type {any} */ changes) => change({ ...asked, ...changes });
  const several = (profiles.data?.profiles.length ?? 0) > 1;
  const field = (/** @type {string} */ name, /** @type {any} */ more) => html`<input autocomplete="off" dir="auto" value=${asked[name]}
    onInput=${(/** @type {any} */ event) => set({ [name]: event.target.value })} ...${more} />`;
  return html`<form class="card forgetting" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    isNamed(asked) && go();
  }}>
    <fieldset>
      <legend tabindex="-1" ref=${place}>${t("ask.what")}</legend>
      <div class="ways">${WAYS.map((way) => html`<label class="check"><input type="radio" name="way" value=${way} checked=${asked.way === way}
        onChange=${() => set({ way })} /> ${t(`ask.${way}`)}</label>`)}</div>
    </fieldset>
    ${asked.way === "name" && html`<label class="field"><span>${t("ask.name.label")}</span>${field("name", { maxlength: 200, spellcheck: false })}</label>`}
    ${asked.way === "site" && html`<label class="field"><span>${t("ask.site.label")}</span>
      ${sites.data
        ? html`<select value=${asked.site} onChange=${(/** @type {any} */ event) => set({ site: event.target.value })}>
            <option value="">–</option>${sites.data.map((/** @type {string} */ one) => html`<option value=${one}>${one}</option>`)}</select>`
        : field("site", { maxlength: 100, spellcheck: false })}</label>`}
    ${asked.way === "span" && html`<div class="bar">
      <label class="field"><span>${t("ask.span.since")}</span>${field("since", { type: "date", max: asked.until || undefined })}</label>
      <label class="field"><span>${t("ask.span.until")}</span>${field("until", { type: "date", min: asked.since || undefined })}</label>
    </div>`}
    <p class="small soft" dir="auto">${t(`ask.${asked.way}.why`, asked.all ? null : profile)}</p>
    ${several && html`<label class="check"><input type="checkbox" checked=${asked.all} onChange=${(/** @type {any} */ event) => set({ all: event.target.checked })} /> ${t("ask.profiles")}</label>`}
    <div class="bar"><button class="primary" disabled=${!isNamed(asked)}>${t("ask.go")}</button><span class="small soft">${t("ask.safe")}</span></div>
    <p class="small">${t("ask.one")} <a href="#/memories">${t("ask.one.memories")}</a> ${t("ask.one.or")} <a href="#/conversations">${t("ask.one.conversations")}</a>.</p>
  </form>`;
}
