// What is kept out because it was forgotten, and the way to let it in again.
import { call } from "../../api.js";
import { Dialog, Loading, attempt, get, say, useLoad } from "../../ui.js";
import { html, useEffect, useState } from "../../vendor/preact.js";
import { day, plural, count, register, t } from "../../words.js";

register({
  en: {
    "kept-out.title": "Kept out",
    "kept-out.why": "When a page sends again what you forgot, it is not taken in. Satchel knows it by marks from which no word can be read.",
    "kept-out.none": "Nothing is kept out.",
    "kept-out.turns": (/** @type {number} */ n) => plural(n, "message", "messages"),
    "kept-out.forgotten": (/** @type {string} */ when) => `forgotten ${when}`,
    "kept-out.again": (/** @type {number} */ n, /** @type {string} */ when) => `${n === 1 ? "one of them was" : `${count(n)} of them were`} sent again, last ${when}`,
    "kept-out.allow": "Let it in again …",
    "kept-out.allow.title": "Let it in again?",
    "kept-out.allow.why": "What you forgot stays gone. When the page is next opened, what it shows is taken in as if it were new.",
    "kept-out.allow.do": "Let it in again",
    "kept-out.allowed": "It is let in when it is next sent.",
    "kept-out.more": "More",
  },
  zh: {
    "kept-out.title": "拒收的内容",
    "kept-out.why": "如果页面再次发送你忘记过的内容，不会再收入。Satchel 凭标记辨认，从标记中读不出任何文字。",
    "kept-out.none": "没有拒收的内容。",
    "kept-out.turns": (/** @type {number} */ n) => `${count(n)} 条消息`,
    "kept-out.forgotten": (/** @type {string} */ when) => `忘记于${when}`,
    "kept-out.again": (/** @type {number} */ n, /** @type {string} */ when) => `其中 ${count(n)} 条又被发送过，最近一次：${when}`,
    "kept-out.allow": "重新允许……",
    "kept-out.allow.title": "重新允许？",
    "kept-out.allow.why": "已忘记的内容不会恢复。下次打开该页面时，其中显示的内容会当作新内容收入。",
    "kept-out.allow.do": "重新允许",
    "kept-out.allowed": "下次发送时会收入。",
    "kept-out.more": "更多",
  },
});

const SIZE = 20;

/** @param {any} props */
export function KeptOut({ profile, ended }) {
  const [pages, setPages] = useState(1);
  const [asked, setAsked] = useState(/** @type {any} */ (null));
  const found = useLoad((signal) => get("/v1/forgotten", { profile, size: Math.min(1000, SIZE * pages) }, signal), [profile, pages], ["forgotten"]);
  useEffect(() => {
    ended && found.reload();
  }, [ended]);
  const allow = async () => {
    if (await attempt(() => call("POST", "/v1/forgotten/allow", { body: { profile, ids: [asked.id] } }))) {
      say(t("kept-out.allowed"));
      setAsked(null);
      found.reload();
    }
  };
  return html`<section class="card" aria-labelledby="kept-out">
    <h2 id="kept-out">${t("kept-out.title")}</h2>
    <p class="small soft">${t("kept-out.why")}</p>
    ${!found.data || found.problem
      ? html`<${Loading} of=${found} />`
      : found.data.total === 0
        ? html`<p class="soft">${t("kept-out.none")}</p>`
        : html`<ul class="plain">${found.data.items.map((/** @type {any} */ one) => html`<li key=${one.id} class="row">
            <div><p class="site">${one.site}</p>
              <p class="about"><span>${t("kept-out.turns", one.turns)}</span><span>${t("kept-out.forgotten", day(one.forgotten_at))}</span>
                ${one.sent_again > 0 && html`<span>${t("kept-out.again", one.sent_again, day(one.sent_again_at))}</span>`}</p></div>
            <button onClick=${() => setAsked(one)}>${t("kept-out.allow")}</button>
          </li>`)}</ul>`}
    ${found.data && found.data.items.length < found.data.total && html`<p><button onClick=${() => setPages(pages + 1)}>${t("kept-out.more")}</button></p>`}
    ${asked && html`<${Dialog} title=${t("kept-out.allow.title")} close=${() => setAsked(null)}>
      <p>${t("kept-out.allow.why")}</p>
      <p class="buttons"><button onClick=${() => setAsked(null)}>${t("cancel")}</button><button class="primary" onClick=${allow}>${t("kept-out.allow.do")}</button></p>
    <//>`}
  </section>`;
}
