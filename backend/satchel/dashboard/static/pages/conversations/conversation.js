// One conversation: its turns, and beside each what was drawn from it.
import { listen } from "../../live.js";
import { ForgetDialog, Heading, Loading, Empty, at, get, useLoad } from "../../ui.js";
import { html, useEffect, useMemo, useState } from "../../vendor/preact.js";
import { moment, register, t } from "../../words.js";
import { Turn } from "./turn.js";

register({
  en: {
    "conversation.back": "All conversations",
    "conversation.open": "Open the page",
    "conversation.gone": "This conversation is not here",
    "conversation.gone.why": "It was forgotten, or the address is not right.",
    "conversation.empty": "Nothing of it is left",
    "conversation.empty.why": "Its messages were forgotten. The conversation itself is still listed.",
    "conversation.none": "No memory was drawn from it.",
    "conversation.drawn": "Memories drawn from it",
    "conversation.forget": "Forget the conversation …",
  },
  zh: {
    "conversation.back": "所有对话",
    "conversation.open": "打开原页面",
    "conversation.gone": "这里没有这个对话",
    "conversation.gone.why": "它已被忘记，或地址有误。",
    "conversation.empty": "已没有内容",
    "conversation.empty.why": "其中的消息已被忘记，对话本身仍在列表中。",
    "conversation.none": "没有从中得出记忆。",
    "conversation.drawn": "从中得出的记忆",
    "conversation.forget": "忘记这个对话……",
  },
});

/** The page's own address, where it is one that may be followed. @param {string | null} url */
const followed = (url) => (url && /^https?:\/\//i.test(url) ? url : null);

/** The memories by the turns they rest on. @param {any[]} memories */
function byTurn(memories) {
  /** @type {Map<string, any[]>} */
  const turns = new Map();
  for (const memory of memories) {
    for (const id of new Set(memory.sources.map((/** @type {any} */ one) => one.message_id))) {
      turns.set(/** @type {string} */ (id), [...(turns.get(/** @type {string} */ (id)) ?? []), memory]);
    }
  }
  return turns;
}

const NONE = /** @type {any[]} */ ([]);

/** @param {any} props */
export function Conversation({ id, profile, turn }) {
  const path = at("/v1/conversations", id);
  const found = useLoad((signal) => get(path, {}, signal), [id], ["forgotten"]);
  const drawn = useLoad(async (signal) => byTurn((await get(`${path}/memories`, {}, signal)).items), [id], ["memory", "forgotten"]);
  const [forgetting, setForgetting] = useState(/** @type {any} */ (null));
  const { data } = found;
  const gone = found.problem?.status === 404;

  // Whether it grew is asked of its line in the list: it may be thousands of turns long itself.
  useEffect(() => {
    if (!data) {
      return undefined;
    }
    let left = false;
    let soon = 0;
    const look = async () => {
      soon = 0;
      const { items } = await get("/v1/conversations", { profile: data.profile, site: data.site, external_id: data.external_id }).catch(() => ({ items: [] }));
      if (!left && items.some((/** @type {any} */ one) => one.id === id && one.updated_at !== data.updated_at)) {
        found.reload();
      }
    };
    const stop = listen(({ name }) => {
      if (name === "job") {
        soon ||= setTimeout(look, 1000);
      }
    });
    return () => {
      left = true;
      clearTimeout(soon);
      stop();
    };
  }, [data]);

  useEffect(() => {
    const there = data && turn && document.getElementById(`turn-${turn}`);
    if (there) {
      there.scrollIntoView({ block: "start" });
      there.focus({ preventScroll: true });
    }
  }, [!data, turn]);

  // The same as long as nothing of it changed: thousands of turns need not be gone through for a dialog.
  const turns = useMemo(
    () => data?.messages.map((/** @type {any} */ message) => html`<${Turn} key=${message.id} message=${message} memories=${drawn.data?.get(message.id) ?? NONE} forget=${setForgetting} />`),
    [data, drawn.data],
  );
  const how = gone ? null : data;
  const url = followed(how?.url);
  return html`
    <p><a href="#/conversations">${t("conversation.back")}</a></p>
    <${Heading} aside=${how && html`<button class="danger" onClick=${() => setForgetting({ conversation: id })}>${t("conversation.forget")}</button>`}>
      <span dir="auto" class="verbatim conversation-title">${gone ? t("conversation.gone") : how ? how.title || t("conversations.untitled") : t("conversations.title")}</span><//>
    ${gone && html`<${Empty} title=${t("conversation.gone.why")}><p><a href="#/conversations">${t("conversation.back")}</a></p><//>`}
    ${found.problem && !gone && html`<${Loading} of=${found} />`}
    ${!how && !found.problem && html`<${Loading} of=${found} lines=${8} />`}
    ${how && html`<p class="about">
        <span>${how.site}</span> <time datetime=${how.created_at}>${moment(how.created_at)}</time>
        <span>${t("conversations.turns", how.message_count)}</span>
        ${drawn.data?.size === 0 && html`<span>${t("conversation.none")}</span>`}
        ${url && html`<a href=${url} target="_blank" rel="noopener noreferrer">${t("conversation.open")}</a>`}
      </p>
      ${drawn.problem && html`<${Loading} of=${drawn} />`}
      ${how.messages.length ? html`<div class="turns">${turns}</div>` : html`<${Empty} title=${t("conversation.empty")}><p>${t("conversation.empty.why")}</p><//>`}`}
    ${forgetting && html`<${ForgetDialog}
      what=${forgetting}
      close=${() => setForgetting(null)}
      done=${() => {
        setForgetting(null);
        if (forgetting.conversation) {
          location.replace("#/conversations");
        } else {
          found.reload();
          drawn.reload();
        }
      }}
    />`}
  `;
}
