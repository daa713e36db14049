// One memory: what it says and why, the words it came from, what it said before, where it went.
import { call } from "../../api.js";
import { at, attempt, day, ForgetDialog, get, KindChip, Loading, StatusChip, useLoad } from "../../ui.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { moment, t } from "../../words.js";
import { beginEdit, drafts, Edit } from "./edit.js";
import { Insertions, Past } from "./past.js";
import { Places } from "./places.js";

/** @typedef {{edit: () => void, pin: () => void, forget: () => void}} Acts what the keys do with the memory that is open */

/**
 * @param {{id: string, back: string, focus: boolean, acts: {current: Acts | null}, changed: (memory: any) => void,
 *   forgotten: (id: string) => void, anew: (typed: any) => void}} props `focus`: it was opened here, not come to by a link
 */
export function Detail({ id, back, focus, acts, changed, forgotten, anew }) {
  const found = useLoad((signal) => get(at("/v1/memories", id), {}, signal), [id], ["memory", "forgotten"]);
  const [editing, setEditing] = useState(drafts.has(id));
  const [forgetting, setForgetting] = useState(false);
  const [messages, setMessages] = useState(false);
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  const memory = found.data ?? drafts.get(id)?.base;
  const gone = found.problem?.status === 404;
  const ready = !!memory || gone;
  useEffect(() => {
    ready && focus && !drafts.has(id) && title.current?.focus();
  }, [ready]);

  const change = async (/** @type {any} */ body) => {
    const now = await attempt(() => call("PATCH", at("/v1/memories", id), { body }));
    if (now) {
      found.reload();
      changed(now);
    }
  };
  const edit = () => {
    beginEdit(memory);
    setEditing(true);
  };
  const stopEditing = () => {
    setEditing(false);
    setTimeout(() => title.current?.focus());
  };
  acts.current = memory && !gone ? { edit, pin: () => change({ pinned: !memory.pinned }), forget: () => setForgetting(true) } : null;
  useEffect(() => () => void (acts.current = null), []);

  if (gone && !(editing && drafts.has(id))) {
    return html`<div class="empty"><h2 tabindex="-1" ref=${title}>${t("memories.gone")}</h2><p>${t("memories.gone.why")}</p><p><a href=${back}>${t("memories.back")}</a></p></div>`;
  }
  if (!memory) {
    return html`<div class="card"><${Loading} of=${found} lines=${5} /></div>`;
  }
  const awayNow = memory.status === "archived";
  return html`
    <section class="card">
      <div class="row top">
        <p class="about"><${KindChip} kind=${memory.kind} /> <${StatusChip} status=${memory.status} />
          ${memory.pinned && html`<span class="chip">${t("pinned")}</span>`}
          ${(memory.status === "resolving" || memory.status === "candidate") && html`<a href="#/decide">${t("memories.decide")}</a>`}
        </p>
        <a class="button" href=${back}>${t("memories.close")}</a>
      </div>
      ${editing
        ? html`<h2 tabindex="-1" ref=${title} class="soft">${t("memories.edit")}</h2>
            <${Edit} memory=${memory} gone=${gone} close=${stopEditing} reload=${found.reload} anew=${anew} saved=${(/** @type {any} */ now) => {
              found.set({ ...memory, ...now });
              found.reload();
              changed(now);
              stopEditing();
            }} />`
        : html`<h2 tabindex="-1" ref=${title} class="statement verbatim" dir="auto">${memory.text}</h2>
            <p class="bar acts">
              <button onClick=${edit}>${t("memories.edit")}</button>
              <button aria-pressed=${memory.pinned} onClick=${() => change({ pinned: !memory.pinned })}>${t("memories.pin")}</button>
              <button onClick=${() => change({ status: awayNow ? "active" : "archived" })}>${t(awayNow ? "memories.bring-back" : "memories.put-away")}</button>
              <button class="danger" onClick=${() => setForgetting(true)}>${t("forget")}</button>
            </p>`}
      ${!gone && html`<${Facts} memory=${memory} />`}
    </section>
    ${!gone && html`<${Places} memory=${memory} /><${Past} versions=${memory.history ?? []} /><${Insertions} inserted=${memory.inserted ?? []} />`}
    ${forgetting &&
    html`<${ForgetDialog} what=${{ memory: id, ...(messages && { messages }) }} close=${() => setForgetting(false)} done=${() => {
      drafts.delete(id);
      setForgetting(false);
      forgotten(id);
    }}>
      ${memory.sources.length > 0 &&
      html`<label class="check"><input type="checkbox" checked=${messages} onChange=${(/** @type {any} */ event) => setMessages(event.target.checked)} /> ${t("memories.forget.messages")}</label>`}
    <//>`}
  `;
}

/** @param {any} props */
function Facts({ memory }) {
  const of = (/** @type {string} */ name, /** @type {any} */ value) => value && html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`;
  const tags = memory.tags.map((/** @type {string} */ tag) => html`<a class="chip" dir="auto" href=${`#/memories?${new URLSearchParams({ tag })}`}>${tag}</a> `);
  const said = [t("times", memory.observations), memory.conversations > 1 && t("memories.in-conversations", memory.conversations)].filter(Boolean).join(", ");
  return html`<dl class="facts">
    ${of(t("memories.tags"), memory.tags.length > 0 && tags)}
    ${of(t("memories.reasoning"), memory.reasoning)}
    ${of(t("memories.event"), memory.event_time && day(memory.event_time))}
    ${of(
      t("memories.holds"),
      memory.valid_to ? t("memories.holds.between", day(memory.valid_from), day(memory.valid_to)) : t("memories.holds.since", day(memory.valid_from)),
    )}
    ${of(t("memories.how-often"), memory.sources.length > 0 && said)}
    ${of(t("memories.said-by"), t(`said.${memory.said_by}`))}
    ${of(t("memories.last-change"), moment(memory.updated_at))}
  </dl>`;
}
