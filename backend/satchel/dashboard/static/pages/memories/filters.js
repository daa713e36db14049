// Which memories are listed: each choice stands in the address.
import { get } from "../../ui.js";
import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../words.js";
import { KINDS, ORDERS, SAYERS, STATUSES, shownDay } from "./address.js";

/** As many of the latest conversations tell which sites there are. */
const LATEST = 500;

/** @param {any} props `choose` is given the filters as they are then */
export function Filters({ profile, filters, choose }) {
  const [sites, setSites] = useState(/** @type {string[]} */ ([]));
  useEffect(() => {
    const leaving = new AbortController();
    get("/v1/conversations", { profile, size: LATEST }, leaving.signal)
      .then(({ items }) => setSites([...new Set(/** @type {string[]} */ (items.map((/** @type {any} */ one) => one.site)))].sort()))
      .catch(() => {}); // the list itself says what is wrong
    return () => leaving.abort();
  }, [profile]);

  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    const { [name]: _, ...others } = filters;
    choose(event.target.value ? { ...others, [name]: event.target.value } : others);
  };
  const select = (/** @type {string} */ name, /** @type {[string, string][]} */ options, none = t("memories.any")) => html`<label class="field">
    <span>${t(`memories.filter.${name}`)}</span>
    <select name=${name} value=${filters[name] ?? ""} onChange=${set(name)}>
      <option value="">${none}</option>
      ${options.map(([value, words]) => html`<option value=${value}>${words}</option>`)}
    </select>
  </label>`;
  const field = (/** @type {string} */ name, /** @type {string} */ type, /** @type {string} */ value) => html`<label class="field">
    <span>${t(`memories.filter.${name}`)}</span>
    <${Typed} type=${type} name=${name} value=${value} choose=${set(name)} />
  </label>`;
  const named = (/** @type {string[]} */ values, /** @type {string} */ words) =>
    values.map((value) => /** @type {[string, string]} */ ([value, t(`${words}.${value}`)]));

  return html`<fieldset class="filters" id="filters">
    ${select("kind", named(KINDS, "kind"))}
    ${select("site", [...new Set([...sites, ...(filters.site ? [filters.site] : [])])].map((site) => [site, site]))}
    ${field("since", "date", shownDay(filters.since))} ${field("until", "date", shownDay(filters.until))}
    ${select("status", named(STATUSES, "status"), t("memories.status.live"))}
    ${select("pinned", named(["true", "false"], "memories.pinned"))}
    ${select("said_by", named(SAYERS, "said"))}
    ${field("tag", "text", filters.tag ?? "")}
    ${select("order", named(ORDERS.slice(1), "memories.order"), t("memories.order.latest"))}
    ${Object.keys(filters).length > 0 && html`<p class="bar"><button class="link" onClick=${() => choose({})}>${t("memories.filters.clear")}</button></p>`}
  </fieldset>`;
}

/** A field that keeps what is typed until it is chosen, however often the page is drawn meanwhile. @param {any} props */
function Typed({ type, name, value, choose }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return html`<input type=${type} name=${name} value=${typed} maxlength="100" onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} onChange=${choose} />`;
}
