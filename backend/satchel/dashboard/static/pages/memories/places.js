// Where a memory comes from: its words, marked in the turns in which they were said.
import { at, get, Loading, Marked, useLoad } from "../../ui.js";
import { html, useState } from "../../vendor/preact.js";
import { moment, t } from "../../words.js";
import { folded } from "./fold.js";

/** As many conversations are shown before more are asked for. */
const FIRST = 3;

/** The sources by conversation, and there by turn; each in the order in which they came. @param {any[]} sources */
function byConversation(sources) {
  /** @type {Map<string, Map<string, any[]>>} */
  const found = new Map();
  for (const source of sources) {
    const turns = found.get(source.conversation_id) ?? new Map();
    turns.set(source.message_id, [...(turns.get(source.message_id) ?? []), source]);
    found.set(source.conversation_id, turns);
  }
  return [...found];
}

/** @param {any} props */
export function Places({ memory }) {
  const [all, setAll] = useState(false);
  const conversations = byConversation(memory.sources);
  const shown = all ? conversations : conversations.slice(0, FIRST);
  return html`<section class="card">
    <h3>${t("memories.words")}</h3>
    ${memory.changed_sources && html`<p class="soft">${t("memories.words.changed")}</p>`}
    ${conversations.length === 0 && html`<p class="soft">${t("memories.words.none")}</p>`}
    ${shown.map(([id, turns]) => html`<${Place} key=${id} id=${id} turns=${turns} />`)}
    ${shown.length < conversations.length &&
    html`<p><button onClick=${() => setAll(true)}>${t("memories.words.more", conversations.length - shown.length)}</button></p>`}
  </section>`;
}

/** @param {any} props */
function Place({ id, turns }) {
  const found = useLoad((signal) => get(at("/v1/conversations", id), {}, signal), [id]);
  if (!found.data) {
    return found.problem?.status === 404 ? html`<p class="soft">${t("memories.words.missing")}</p>` : html`<${Loading} of=${found} lines=${2} />`;
  }
  const { messages, site, title } = found.data;
  return html`<div class="place">
    ${[...turns].map(([messageId, sources]) => {
      const message = messages.find((/** @type {any} */ one) => one.id === messageId);
      return message
        ? html`<${Turn} key=${messageId} message=${message} sources=${sources} />`
        : html`<p class="soft">${t("memories.words.missing")}</p>`;
    })}
    <p class="small soft from"><span dir="auto">${title || t("memories.inserted.untitled")}</span> · ${site} · <a href=${`#/conversations/${encodeURIComponent(id)}`}>${t("memories.conversation")}</a></p>
  </div>`;
}

/** @param {any} props */
function Turn({ message, sources }) {
  const [open, setOpen] = useState(false);
  const revision = sources[0].revision ?? message.revision;
  const earlier = revision === message.revision ? null : message.revisions.find((/** @type {any} */ one) => one.revision === revision);
  const content = earlier?.content ?? message.content;
  const spans = sources.filter((/** @type {any} */ source) => (source.revision ?? revision) === revision);
  const pieces = folded(content, spans);
  const isLong = pieces.length > 1 || pieces[0].before || pieces[0].after;
  return html`<figure class="turn">
    <figcaption class="small soft">
      ${t(`memories.turn.${message.role}`)}, <time datetime=${message.time}>${moment(message.time)}</time>${earlier && html` · ${t("memories.words.earlier")}`}
    </figcaption>
    <blockquote>
      ${isLong && !open
        ? pieces.map((piece) => html`${piece.before && html`<span class="soft">… </span>`}<${Marked} text=${piece.text} spans=${piece.spans} />${piece.after && html`<span class="soft"> … </span>`}`)
        : html`<${Marked} text=${content} spans=${spans} />`}
    </blockquote>
    ${isLong && html`<button class="link small" aria-expanded=${open} onClick=${() => setOpen(!open)}>${t(open ? "memories.turn.fold" : "memories.turn.whole")}</button>`}
  </figure>`;
}
