// A turn, with the words marked that memories rest on, and those memories beside it: each lights up the other.
import { Passage } from "../../passages.js";
import { KindChip, StatusChip } from "../../ui.js";
import { html, useMemo, useState } from "../../vendor/preact.js";
import { moment, plural, register, t } from "../../words.js";

register({
  en: {
    "turn.user": "You",
    "turn.assistant": "Assistant",
    "turn.system": "Site",
    "turn.tool": "Tool",
    "turn.edited": (/** @type {number} */ n) => `Edited ${n === 1 ? "once" : plural(n, "time", "times")}: what it said before`,
    "turn.until": (/** @type {string} */ when) => `Received ${when}`,
    "turn.before-edit": "from before the edit",
    "turn.forget": (/** @type {string} */ text) => `Forget: ${text}`,
  },
  zh: {
    "turn.user": "你",
    "turn.assistant": "助手",
    "turn.system": "网站",
    "turn.tool": "工具",
    "turn.edited": (/** @type {number} */ n) => `编辑过 ${n} 次：此前的内容`,
    "turn.until": (/** @type {string} */ when) => `收到于 ${when}`,
    "turn.before-edit": "来自编辑之前",
    "turn.forget": (/** @type {string} */ text) => `忘记：${text}`,
  },
});

const address = (/** @type {string} */ id) => `#/memories/${encodeURIComponent(id)}`;

/** Where the words of these memories stand in one revision of a message. @param {any[]} memories @param {string} message @param {number} revision */
const spansOf = (memories, message, revision) =>
  memories.flatMap((memory) =>
    memory.sources
      .filter((/** @type {any} */ one) => one.message_id === message && one.revision === revision)
      .map((/** @type {any} */ one) => ({ start: one.start, end: one.end, of: memory.id })),
  );

/** @param {any} props */
export function Turn({ message, memories, forget }) {
  const [lit, setLit] = useState("");
  const spans = useMemo(() => spansOf(memories, message.id, message.revision), [message, memories]);
  return html`<article class=${`turn ${message.role}`} id=${`turn-${message.id}`} tabindex="-1">
    <div class="words">
      <header><h2>${t(`turn.${message.role}`)}</h2><time class="small soft" datetime=${message.time}>${moment(message.time)}</time></header>
      <${Passage} text=${message.content} spans=${spans} lit=${lit} point=${setLit} link=${address} />
      ${message.revisions.length > 0 && html`<details>
        <summary class="small">${t("turn.edited", message.revisions.length)}</summary>
        ${message.revisions.map((/** @type {any} */ one) => html`<div class="before" key=${one.revision}>
          <p class="small soft">${t("turn.until", moment(one.received_at))}</p>
          <${Passage} text=${one.content} spans=${spansOf(memories, message.id, one.revision)} lit=${lit} point=${setLit} link=${address} />
        </div>`)}
      </details>`}
    </div>
    ${memories.length > 0 && html`<div class="drawn" role="group" aria-label=${t("conversation.drawn")}>
      ${memories.map((/** @type {any} */ memory) => html`<${Drawn} key=${memory.id} memory=${memory} message=${message} lit=${lit === memory.id} point=${setLit} forget=${forget} />`)}
    </div>`}
  </article>`;
}

/** @param {any} props */
function Drawn({ memory, message, lit, point, forget }) {
  const mine = memory.sources.filter((/** @type {any} */ one) => one.message_id === message.id);
  const before = mine.every((/** @type {any} */ one) => one.revision < message.revision);
  const here = () => point(memory.id);
  const away = () => point("");
  return html`<div class=${`drawn-memory ${lit ? "lit" : ""}`} onMouseEnter=${here} onMouseLeave=${away} onFocusIn=${here} onFocusOut=${away}>
    <a class="says" dir="auto" href=${address(memory.id)}>${memory.text}</a>
    <p class="about"><${KindChip} kind=${memory.kind} /> <${StatusChip} status=${memory.status} />
      ${before && html`<span>${t("turn.before-edit")}</span>`}
      <button class="link" aria-label=${t("turn.forget", memory.text.slice(0, 80))} onClick=${() => forget({ memory: memory.id })}>${t("forget")}</button></p>
  </div>`;
}
