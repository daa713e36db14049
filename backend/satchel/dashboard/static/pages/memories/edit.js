// Changing a memory in its place. What was typed outlasts everything but the page: another memory looked at meanwhile,
// a daemon that does not answer, a change by somebody else.
import { call } from "../../api.js";
import { listen } from "../../live.js";
import { at, get, KindChip, say, sentence } from "../../ui.js";
import { html, useEffect, useReducer, useRef, useState } from "../../vendor/preact.js";
import { t } from "../../words.js";
import { Fields, tagsOf, typedOf } from "./fields.js";

/** Edits under way, by id: what is typed, and the memory as it was when that began.
 * @type {Map<string, {base: any, typed: import("./fields.js").Typed}>} */
export const drafts = new Map();

/** @param {any} memory */
export function beginEdit(memory) {
  drafts.has(memory.id) || drafts.set(memory.id, { base: memory, typed: typedOf(memory) });
}

const words = (/** @type {any} */ memory) => JSON.stringify(typedOf(memory));

const isTyped = (/** @type {{base: any, typed: import("./fields.js").Typed}} */ { base, typed }) => words(base) !== JSON.stringify(typed);

/** The memory that is edited before one's eyes. */
let shown = "";

/** Of what was forgotten no draft stays, but for words that somebody is typing now. */
async function dropForgotten() {
  for (const [id, draft] of [...drafts]) {
    await get(at("/v1/memories", id)).catch((problem) => {
      if (problem.status === 404 && !(id === shown && isTyped(draft))) {
        drafts.delete(id);
      }
    });
  }
}
listen(({ name }) => {
  name === "forgotten" && void dropForgotten();
});
addEventListener("signed-out", () => drafts.clear());

addEventListener("beforeunload", (event) => {
  if ([...drafts.values()].some(isTyped)) {
    event.preventDefault();
  }
});

/**
 * @param {{memory: any, gone: boolean, saved: (memory: any) => void, close: () => void, reload: () => void, anew: (typed: any) => void}} props
 *   `memory` as it is now; `gone`: it was forgotten meanwhile
 */
export function Edit({ memory, gone, saved, close, reload, anew }) {
  const draft = useRef(/** @type {{base: any, typed: import("./fields.js").Typed}} */ (drafts.get(memory.id))).current;
  const [, redraw] = useReducer((/** @type {number} */ n, /** @type {void} */ _) => n + 1, 0);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const first = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const isGone = useRef(gone);
  isGone.current = gone;
  useEffect(() => {
    first.current?.focus();
    shown = memory.id;
    return () => {
      shown = "";
      isGone.current && drafts.delete(memory.id);
    };
  }, []);
  if (words(draft.base) === words(memory)) {
    draft.base = memory; // pinned, said once more: nothing of what is edited here
  }
  const elsewhere = !gone && words(draft.base) !== words(memory) && JSON.stringify(draft.typed) !== words(memory);

  /** @param {any} base what was there when the person decided */
  const save = async (base) => {
    const { text, kind } = draft.typed;
    const tags = tagsOf(draft.typed.tags);
    if (!text.trim()) {
      setWrong(t("memories.empty-text"));
      first.current?.focus();
      return;
    }
    setBusy(true);
    setWrong("");
    try {
      const body = { text, kind, tags, if_updated_at: base.updated_at };
      const now = await call("PATCH", at("/v1/memories", memory.id), { body }).catch(async (problem) => {
        const found = problem.status === 409 ? await get(at("/v1/memories", memory.id)) : null;
        if (!found || words(found) !== words(base)) {
          throw problem;
        }
        return call("PATCH", at("/v1/memories", memory.id), { body: { ...body, if_updated_at: found.updated_at } });
      });
      drafts.delete(memory.id);
      say(t("memories.saved"));
      saved(now);
    } catch (problem) {
      if (/** @type {any} */ (problem).status === 409 || /** @type {any} */ (problem).status === 404) {
        reload(); // what it says now appears beside what was typed
      } else {
        setWrong(sentence(problem));
      }
      setBusy(false);
    }
  };
  const drop = () => {
    drafts.delete(memory.id);
    close();
  };

  return html`<form
    class="edit"
    aria-label=${t("memories.edit")}
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      gone ? anew(draft.typed) : elsewhere || void save(draft.base);
    }}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        /** @type {HTMLFormElement} */ (event.currentTarget).requestSubmit();
      }
    }}
  >
    ${gone && html`<div class="card warn" role="alert"><p>${t("memories.meanwhile.gone")}</p></div>`}
    ${elsewhere &&
    html`<div class="card warn" role="alert">
      <h3>${t("memories.meanwhile")}</h3>
      <p>${t("memories.meanwhile.how")}</p>
      <div class="versions">
        <${Version} title=${t("memories.meanwhile.there")} kind=${memory.kind} text=${memory.text} tags=${memory.tags} />
        <${Version} title=${t("memories.meanwhile.yours")} kind=${draft.typed.kind} text=${draft.typed.text} tags=${tagsOf(draft.typed.tags)} />
      </div>
      <p class="buttons">
        <button type="button" onClick=${drop}>${t("memories.meanwhile.theirs")}</button>
        <button type="button" class="primary" disabled=${busy} onClick=${() => save(memory)}>${t("memories.meanwhile.mine")}</button>
      </p>
    </div>`}
    <${Fields} first=${first} typed=${draft.typed} wrong=${wrong} type=${(/** @type {import("./fields.js").Typed} */ typed) => {
      draft.typed = typed;
      redraw();
    }} />
    ${!elsewhere &&
    html`<p class="buttons">
      <button type="button" onClick=${drop}>${t("cancel")}</button>
      ${gone
        ? html`<button class="primary" type="submit">${t("memories.meanwhile.anew")}</button>`
        : html`<button class="primary" type="submit" disabled=${busy}>${t("save")}</button>`}
    </p>`}
    <p class="small soft">${t("memories.draft")}</p>
  </form>`;
}

/** @param {any} props */
const Version = ({ title, kind, text, tags }) => html`<div>
  <h4>${title}</h4>
  <p class="verbatim" dir="auto">${text}</p>
  <p class="about"><${KindChip} kind=${kind} /> <span dir="auto">${tags.join(", ")}</span></p>
</div>`;
