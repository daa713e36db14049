// What a memory that waits for a decision was drawn from: the words, within what was said around them, where and when.
import { Passage } from "../../passages.js";
import { Loading, at, get, useLoad } from "../../ui.js";
import { html } from "../../vendor/preact.js";
import { moment, register, t } from "../../words.js";

register({
  en: {
    "said.own": "You wrote this yourself.",
    "said.untitled": "untitled",
    "said.then": "It said then",
    "said.now": "It says now",
    "said.more": (/** @type {number} */ n) => (n === 1 ? "and once more" : `and ${n} more times`),
    "said.by.user": "You said",
    "said.by.assistant": "The assistant said",
    "said.by.system": "The site said",
    "said.by.tool": "A document said",
  },
  zh: {
    "said.own": "这是你自己写的。",
    "said.untitled": "无标题",
    "said.then": "当时的原话",
    "said.now": "现在的内容",
    "said.more": (/** @type {number} */ n) => `另外还有 ${n} 处`,
    "said.by.user": "你说",
    "said.by.assistant": "助手说",
    "said.by.system": "网站说",
    "said.by.tool": "文档写道",
  },
});

const SHOWN = 2;

/** @param {any} source @param {any} turn */
const earlier = (source, turn) => turn.revisions.find((/** @type {any} */ one) => one.revision === source.revision)?.content ?? source.quote;

/** Where the words stand in a text; nowhere in one that does not have them. @param {any} source @param {string} text */
const place = (source, text) => ([...text].slice(source.start, source.end).join("") === source.quote ? [{ start: source.start, end: source.end }] : []);

/** @param {any} props */
function Source({ source, conversation }) {
  const turn = conversation?.messages.find((/** @type {any} */ one) => one.id === source.message_id);
  if (!turn) {
    return html`<blockquote><${Passage} text=${source.quote} most=${600} /></blockquote>`;
  }
  const edited = source.revision < turn.revision;
  const then = edited ? earlier(source, turn) : turn.content;
  return html`<div class="said-words">
    <p class="about">
      <span>${t(`said.by.${turn.role}`)}</span> <time datetime=${turn.time}>${moment(turn.time)}</time> <span class="site">${conversation.site}</span>
      <a dir="auto" href=${`#/conversations/${encodeURIComponent(conversation.id)}?turn=${encodeURIComponent(turn.id)}`}>${conversation.title || t("said.untitled")}</a>
    </p>
    ${edited && html`<p class="small">${t("said.then")}</p>`}
    <blockquote><${Passage} text=${then} spans=${place(source, then)} most=${0} folds=${false} /></blockquote>
    ${edited && html`<p class="small">${t("said.now")}</p><blockquote><${Passage} text=${turn.content} most=${600} /></blockquote>`}
  </div>`;
}

/** @param {any} props */
export function Said({ memory }) {
  const sources = memory.sources.slice(0, SHOWN);
  const load = async (/** @type {AbortSignal} */ signal) => {
    const ids = [...new Set(sources.map((/** @type {any} */ one) => one.conversation_id))];
    const found = await Promise.all(ids.map((id) => get(at("/v1/conversations", /** @type {string} */ (id)), {}, signal)));
    return new Map(found.map((one) => [one.id, one]));
  };
  const from = useLoad(load, [memory.id, memory.updated_at], ["forgotten"]);
  if (!memory.sources.length) {
    return html`<p class="small soft">${t("said.own")}</p>`;
  }
  if (!from.data && !from.problem) {
    return html`<${Loading} of=${from} lines=${2} />`;
  }
  // What cannot be fetched is shown as far as the memory itself holds it.
  return html`<div class="said">
    ${sources.map((/** @type {any} */ source) => html`<${Source} source=${source} conversation=${from.data?.get(source.conversation_id)} />`)}
    ${memory.sources.length > SHOWN && html`<p class="small soft">${t("said.more", memory.sources.length - SHOWN)}</p>`}
  </div>`;
}
