// What a forgetting would take and what would stay, before anything happens.
import { call } from "../../api.js";
import { Loading, StatusChip, useLoad } from "../../ui.js";
import { html, useState } from "../../vendor/preact.js";
import { count, day, plural, register, t } from "../../words.js";
import { bodyOf } from "./ask.js";

register({
  en: {
    "plan.name": (/** @type {string} */ name) => `Forget “${name}”?`,
    "plan.site": (/** @type {string} */ site) => `Forget everything from ${site}?`,
    "plan.span": (/** @type {string} */ days) => `Forget what was said ${days}?`,
    "plan.everything": "Forget everything?",
    "plan.whose": (/** @type {string} */ profile) => `In the profile “${profile}”.`,
    "plan.whose.all": "In all profiles.",
    "plan.between": (/** @type {string} */ since, /** @type {string} */ until) => `from ${since} to ${until}`,
    "plan.after": (/** @type {string} */ since) => `from ${since} on`,
    "plan.before": (/** @type {string} */ until) => `until ${until}`,
    "plan.conversations": "conversations",
    "plan.messages": "messages",
    "plan.memories": "memories",
    "plan.history": "earlier versions",
    "plan.injections": "records of what was inserted",
    "plan.goes": "This goes",
    "plan.conversation": "Conversations",
    "plan.memory": "Memories",
    "plan.turn": "Messages",
    "plan.first": (/** @type {number} */ shown, /** @type {number} */ of) => `the first ${count(shown)} of ${count(of)}`,
    "plan.stays": (/** @type {number} */ n) => `${plural(n, "memory stays", "memories stay")}, without the words that go`,
    "plan.why.named": "matches directly",
    "plan.why.derived": "rests on nothing else",
    "plan.why.other words": "rests on other words too",
    "plan.why.yours": "you wrote it",
    "plan.backups": "Satchel's own backups are made anew without it.",
    "plan.set-aside": (/** @type {number} */ n) => `${plural(n, "older copy of the store goes", "older copies of the store go")} too.`,
    "plan.nothing": "There is nothing of it here",
    "plan.nothing.why": "No message and no memory would go. Look at how it is written, or ask differently.",
    "plan.type": (/** @type {string} */ word) => `Type “${word}” to go on`,
    "plan.word": "forget",
    "plan.back": "Back",
  },
  zh: {
    "plan.name": (/** @type {string} */ name) => `忘记“${name}”？`,
    "plan.site": (/** @type {string} */ site) => `忘记来自 ${site} 的一切？`,
    "plan.span": (/** @type {string} */ days) => `忘记${days}说过的话？`,
    "plan.everything": "忘记一切？",
    "plan.whose": (/** @type {string} */ profile) => `在档案“${profile}”中。`,
    "plan.whose.all": "在所有档案中。",
    "plan.between": (/** @type {string} */ since, /** @type {string} */ until) => `从${since}到${until}`,
    "plan.after": (/** @type {string} */ since) => `自${since}起`,
    "plan.before": (/** @type {string} */ until) => `到${until}为止`,
    "plan.conversations": "个对话",
    "plan.messages": "条消息",
    "plan.memories": "条记忆",
    "plan.history": "个旧版本",
    "plan.injections": "条插入记录",
    "plan.goes": "将删除",
    "plan.conversation": "对话",
    "plan.memory": "记忆",
    "plan.turn": "消息",
    "plan.first": (/** @type {number} */ shown, /** @type {number} */ of) => `共 ${count(of)} 项，显示前 ${count(shown)} 项`,
    "plan.stays": (/** @type {number} */ n) => `${count(n)} 条记忆会保留，但不再包含被忘记的话`,
    "plan.why.named": "正是所指",
    "plan.why.derived": "没有其他依据",
    "plan.why.other words": "另有依据",
    "plan.why.yours": "由你写下",
    "plan.backups": "Satchel 自己的备份会重新制作，不再包含这些内容。",
    "plan.set-aside": (/** @type {number} */ n) => `另有 ${count(n)} 份旧的数据副本也会删除。`,
    "plan.nothing": "这里没有相关内容",
    "plan.nothing.why": "不会删除任何消息或记忆。请检查写法，或换一种方式。",
    "plan.type": (/** @type {string} */ word) => `输入“${word}”以继续`,
    "plan.word": "忘记",
    "plan.back": "返回",
  },
});

const COUNTED = ["conversations", "messages", "memories", "history", "injections"];
const TYPES = [["memory", "memories"], ["conversation", "conversations"], ["turn", "messages"]];

/** @param {any} asked */
function title({ way, name, site, since, until }) {
  const on = (/** @type {string} */ date) => day(`${date}T12:00`);
  const days = since && until ? t("plan.between", on(since), on(until)) : since ? t("plan.after", on(since)) : until ? t("plan.before", on(until)) : "";
  return t(`plan.${way}`, ...{ name: [name.trim()], site: [site], span: [days] }[/** @type {string} */ (way)] ?? []);
}

/** @param {any} props */
export function Plan({ asked, profile, place, problem, act, back }) {
  const found = useLoad((signal) => call("POST", "/v1/forget", { body: { ...bodyOf(asked, profile), preview: true }, signal }), [], ["forgotten", "memory", "job"]);
  const [typed, setTyped] = useState("");
  const plan = found.data;
  const nothing = plan && COUNTED.every((name) => plan.counts[name] === 0);
  const certain = asked.way !== "everything" || typed.trim().toLowerCase() === t("plan.word");
  return html`<form class="card forgetting" aria-labelledby="plan" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    plan && !nothing && certain && act();
  }}>
    <h2 id="plan" class="verbatim" dir="auto" tabindex="-1" ref=${place}>${nothing ? t("plan.nothing") : title(asked)}</h2>
    <p dir="auto">${asked.all ? t("plan.whose.all") : t("plan.whose", profile)}</p>
    ${problem && html`<p class="bad" role="alert">${problem}</p>`}
    ${!plan || found.problem ? html`<${Loading} of=${found} lines=${4} />` : nothing ? html`<p>${t("plan.nothing.why")}</p>` : html`<${What} plan=${plan} />`}
    ${plan && !nothing && asked.way === "everything" && html`<label class="field"><span>${t("plan.type", t("plan.word"))}</span>
      <input autocomplete="off" spellcheck=${false} value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></label>`}
    <p class="buttons">
      <button type="button" onClick=${back}>${t("plan.back")}</button>
      ${!nothing && html`<button class="danger" disabled=${!plan || !certain}>${t("forget.for-good")}</button>`}
    </p>
  </form>`;
}

/** @param {any} props */
function What({ plan }) {
  const { counts, goes, stays, staying } = plan;
  return html`
    <h3>${t("plan.goes")}</h3>
    <div class="numbers">${COUNTED.filter((name) => counts[name] > 0).map((name) => html`<div><b>${count(counts[name])}</b><span>${t(`plan.${name}`)}</span></div>`)}</div>
    ${TYPES.map(([type, counted]) => html`<${Items} type=${type} of=${counts[counted]} items=${goes.filter((/** @type {any} */ one) => one.type === type)} />`)}
    ${staying > 0 && html`<h3>${t("plan.stays", staying)}</h3><${List} items=${stays} />`}
    <p class="small soft">${t("plan.backups")} ${plan.set_aside > 0 ? t("plan.set-aside", plan.set_aside) : ""} ${t("forget.no-undo")}</p>`;
}

/** @param {any} props */
function Items({ type, of, items }) {
  if (!items.length) {
    return null;
  }
  const shown = items.length < of ? ` (${t("plan.first", items.length, of)})` : ` (${count(items.length)})`;
  return html`<details open=${type === "memory"}><summary>${t(`plan.${type}`)}${shown}</summary><${List} items=${items} /></details>`;
}

/** @param {any} props */
const List = ({ items }) => html`<ul class="going" tabindex="0">${items.map((/** @type {any} */ item) => html`<li>
  <span dir="auto">${item.text}</span>
  ${item.why && html` <span class="small soft">${t(`plan.why.${item.why}`)}</span>`} ${item.status && html`<${StatusChip} status=${item.status} />`}
</li>`)}</ul>`;
