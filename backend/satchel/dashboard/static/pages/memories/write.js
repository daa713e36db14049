// Writing a memory by hand.
import { call } from "../../api.js";
import { Dialog, say, sentence } from "../../ui.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { t } from "../../words.js";
import { Fields, tagsOf } from "./fields.js";

/** @type {import("./fields.js").Typed} */
const NOTHING = { text: "", kind: "fact", tags: "" };
/** What is typed stays when the dialog is closed without writing. */
let kept = NOTHING;
addEventListener("signed-out", () => {
  kept = NOTHING;
});

/** @param {{profile: string, begin?: import("./fields.js").Typed | null, written: (memory: any) => void, close: () => void}} props */
export function Write({ profile, begin = null, written, close }) {
  const [typed, setTyped] = useState(begin ?? kept);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const first = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const type = (/** @type {import("./fields.js").Typed} */ now) => {
    kept = now;
    setTyped(now);
  };
  const write = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!typed.text.trim()) {
      setWrong(t("memories.empty-text"));
      first.current?.focus();
      return;
    }
    setBusy(true);
    try {
      const tags = tagsOf(typed.tags);
      const memory = await call("POST", "/v1/memories", { body: { profile, text: typed.text, kind: typed.kind, ...(tags.length && { tags }) } });
      kept = NOTHING;
      say(t("memories.written"));
      written(memory);
    } catch (problem) {
      setWrong(sentence(problem));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${t("memories.write.title")} close=${close}>
    <form class="edit" onSubmit=${write}>
      <${Fields} first=${first} typed=${typed} type=${type} wrong=${wrong} hint=${t("memories.write.hint")} />
      <p class="buttons">
        <button type="button" onClick=${close}>${t("cancel")}</button>
        <button class="primary" type="submit" disabled=${busy}>${t("save")}</button>
      </p>
    </form>
  <//>`;
}
