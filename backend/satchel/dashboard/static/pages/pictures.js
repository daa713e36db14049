// Pictures: what was learned when, what lies together, where it came from.
import { Heading } from "../ui.js";
import { html } from "../vendor/preact.js";
import { register, t } from "../words.js";
import { Hatchings } from "./pictures/kinds.js";
import { MemoryMap } from "./pictures/map.js";
import { Sites } from "./pictures/sites.js";
import { Timeline } from "./pictures/timeline.js";

register({
  en: { "pictures.title": "Pictures", "pictures.print": "Print" },
  zh: { "pictures.title": "图表", "pictures.print": "打印" },
});

/** @param {any} props */
export default function Pictures({ profile }) {
  return html`
    <${Heading} aside=${html`<button onClick=${() => print()}>${t("pictures.print")}</button>`}>${t("pictures.title")}<//>
    <${Hatchings} />
    <${Timeline} profile=${profile} />
    <${MemoryMap} profile=${profile} />
    <${Sites} profile=${profile} />
  `;
}
