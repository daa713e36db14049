// The fields of a memory, in an edit and when one is written: what it says, its kind, its tags.
import { html, useId } from "../../vendor/preact.js";
import { t } from "../../words.js";
import { KINDS } from "./address.js";

export const MOST_TEXT = 10_000;
const MOST_TAG = 100;
const MOST_TAGS = 50;

/** @typedef {{text: string, kind: string, tags: string}} Typed `tags` as they are typed, with commas */

/** @param {string} typed */
export const tagsOf = (typed) => [
  ...new Set(typed.split(/[,，、]/).map((tag) => [...tag.trim()].slice(0, MOST_TAG).join("")).filter(Boolean)),
].slice(0, MOST_TAGS);

/** @param {any} memory @returns {Typed} */
export const typedOf = (memory) => ({ text: memory.text, kind: memory.kind, tags: memory.tags.join(", ") });

/** @param {{typed: Typed, type: (typed: Typed) => void, first?: any, hint?: string, wrong?: string}} props */
export function Fields({ typed, type, first, hint = "", wrong = "" }) {
  const id = useId();
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => type({ ...typed, [name]: event.target.value });
  return html`<label class="field"><span>${t("memories.text")}</span>
      <textarea ref=${first} dir="auto" rows="3" name="text" maxlength=${MOST_TEXT} value=${typed.text} onInput=${set("text")}
        aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong || hint ? id : undefined}></textarea>
      ${(wrong || hint) && html`<span id=${id} class=${wrong ? "small bad" : "small soft"}>${wrong || hint}</span>`}
    </label>
    <label class="field"><span>${t("memories.filter.kind")}</span>
      <select name="kind" value=${typed.kind} onChange=${set("kind")}>${KINDS.map((kind) => html`<option value=${kind}>${t(`kind.${kind}`)}</option>`)}</select>
    </label>
    <label class="field"><span>${t("memories.tags.field")}</span>
      <input name="tags" dir="auto" maxlength="2000" value=${typed.tags} onInput=${set("tags")} />
    </label>`;
}
