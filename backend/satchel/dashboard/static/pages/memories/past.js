// What a memory said before, and where it was inserted.
import { KindChip, StatusChip } from "../../ui.js";
import { html } from "../../vendor/preact.js";
import { moment, t } from "../../words.js";

/** @param {any} props `versions` oldest first, as the daemon gives them */
export function Past({ versions }) {
  return html`<section class="card">
    <h3>${t("memories.history")}</h3>
    ${versions.length === 0 && html`<p class="soft">${t("memories.history.none")}</p>`}
    ${versions.length > 0 &&
    html`<ol class="past">
      ${[...versions].reverse().map(
        (version) => html`<li key=${version.version}>
          <p class="verbatim" dir="auto">${version.text}</p>
          <p class="about"><${KindChip} kind=${version.kind} /> <${StatusChip} status=${version.status} />
            <span>${t("memories.history.until", moment(version.changed_at))}, ${t(`memories.history.by.${version.changed_by}`)}</span></p>
        </li>`,
      )}
    </ol>`}
  </section>`;
}

/** @param {any} props */
export function Insertions({ inserted }) {
  return html`<section class="card">
    <h3>${t("memories.inserted")}</h3>
    ${inserted.length === 0 && html`<p class="soft">${t("memories.inserted.none")}</p>`}
    ${inserted.length > 0 &&
    html`<ul class="plain">
      ${inserted.map((/** @type {any} */ one) => {
        const title = one.title || t("memories.inserted.untitled");
        return html`<li>
          ${one.conversation_id ? html`<a dir="auto" href=${`#/conversations/${encodeURIComponent(one.conversation_id)}`}>${title}</a>` : html`<span dir="auto">${title}</span>`}
          <span class="small soft"> · ${one.site && `${one.site} · `}<time datetime=${one.at}>${moment(one.at)}</time></span>
        </li>`;
      })}
    </ul>`}
  </section>`;
}
