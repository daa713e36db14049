// What your AIs know about you.
import { get } from "../api.js";
import { Heading, Loading, MemoryLine, useLoad } from "../ui.js";
import { html } from "../vendor/preact.js";
import { register, t } from "../words.js";

register({
  en: { "home.title": "What your AIs know about you" },
  zh: { "home.title": "你的 AI 对你的了解" },
});

/** @param {any} props */
export default function Home({ profile }) {
  const found = useLoad((signal) => get("/v1/memories", { profile, size: 12 }, signal), [profile], ["memory", "forgotten"]);
  return html`
    <${Heading}>${t("home.title")}<//>
    ${found.data
      ? html`<section class="card">${found.data.items.map((/** @type {any} */ memory) => html`<${MemoryLine} key=${memory.id} memory=${memory} />`)}</section>`
      : html`<${Loading} of=${found} />`}
  `;
}
