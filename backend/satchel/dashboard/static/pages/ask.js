// What a chat would be given for a question, and why: as it would be inserted, word for word.
import { at, call, get } from "../api.js";
import { Dialog, Empty, Heading, KindChip, Loading, StatusChip, attempt, say, useLoad } from "../ui.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { count, day, locale, plural, register, t } from "../words.js";

register({
  en: {
    "ask.title": "What would a chat be told?",
    "ask.lead": "Type what you would ask an AI. You see what Satchel would put before it, and why. Nothing is sent anywhere.",
    "ask.question": "Your question",
    "ask.for-example": "What should I cook tonight?",
    "ask.start": "Nothing is asked yet",
    "ask.start.next": "Type a question above, as you would in a chat.",
    "ask.budget": "At most",
    "ask.tokens": (/** @type {number} */ n) => plural(n, "token", "tokens"),
    "ask.style": "Laid out",
    "ask.style.auto": "by the room there is",
    "ask.style.full": "in full",
    "ask.style.compact": "compactly",
    "ask.where": "Asked in",
    "ask.where.new": "a new chat",
    "ask.when": "As of the end of",
    "ask.threshold": "How well something must fit to go in",
    "ask.threshold.loose": "loosely: more goes in",
    "ask.threshold.strict": "closely: less goes in",
    "ask.threshold.back": "Back to yours",
    "ask.threshold.yours": (/** @type {string} */ now) => `Yours is ${now}.`,
    "ask.threshold.set": "Use this for every chat …",
    "ask.threshold.title": "Use this for every chat?",
    "ask.threshold.means": (/** @type {string} */ next, /** @type {string} */ now) =>
      `From then on, something goes into a chat only when it matches by ${next} or more. Now it is ${now}.`,
    "ask.threshold.higher": "Less will be told. What does not belong goes in less often, and what would have helped is missing more often.",
    "ask.threshold.lower": "More will be told. What helps is missing less often, and what does not belong goes in more often.",
    "ask.threshold.also": "It holds for all sites and profiles, and can be changed in the settings at any time.",
    "ask.threshold.use": "Use it",
    "ask.threshold.done": "It holds for every chat now.",
    "ask.threshold.restart": "Saved. Takes effect after a restart.",
    "ask.would": "What the chat would get",
    "ask.copy": "Copy",
    "ask.copied": "Copied.",
    "ask.not-copied": "The browser did not allow it. Mark the text and copy it yourself.",
    "ask.room": (/** @type {number} */ used, /** @type {number} */ of) => `${count(used)} of ${plural(of, "token", "tokens")}`,
    "ask.found": (/** @type {number} */ n, /** @type {number} */ used, /** @type {number} */ of) =>
      `${plural(n, "thing goes", "things go")} in: ${count(used)} of ${plural(of, "token", "tokens")}.`,
    "ask.nothing": "Nothing fits, and nothing would be added",
    "ask.nothing.general": "The question does not seem to be about you, so that something must fit it better than usual to go in.",
    "ask.nothing.near": (/** @type {string} */ best, /** @type {string} */ needed) =>
      `The closest match is ${best}; at least ${needed} is needed.`,
    "ask.nothing.held": "Something comes near enough, but of its kind more is asked; see below.",
    "ask.nothing.none": "Nothing that is kept shares its words or its meaning.",
    "ask.nothing.room": "What fits has no room in so few tokens.",
    "ask.why": "Why these",
    "ask.fits": (/** @type {string} */ share) => `${share} match`,
    "ask.along": "It comes along: alone it would not fit well enough, beside the others it may help.",
    "ask.below": (/** @type {number} */ n) => `What nearly made it (${count(n)})`,
    "ask.below.score": (/** @type {string} */ needed) => `It does not reach ${needed}.`,
    "ask.below.hint": "It is a single hint, and no preference yet: hints do not go in.",
    "ask.below.assistant": "An assistant said it: that goes in only when the question asks for it, or it fits far better.",
    "ask.below.turn": "It is a message, and no memory: more is asked of those.",
    "ask.below.old": "It was left out although it fits: it says nothing beyond what is asked.",
    "ask.for": "speaks for it",
    "ask.against": "speaks against it",
    "ask.sign.begin": "Starting point (most things don't match)",
    "ask.sign.meaning": "Close in meaning",
    "ask.sign.words": "The same words",
    "ask.sign.order": "More of them than others",
    "ask.sign.yours": "About what is yours",
    "ask.sign.personal": "You ask for yourself",
    "ask.sign.field": "The same field of life",
    "ask.sign.active": "It holds",
    "ask.sign.resolving": "It is in conflict",
    "ask.sign.candidate": "It is only a hint",
    "ask.sign.superseded": "It was replaced",
    "ask.sign.archived": "It is archived",
    "ask.sign.assistant": "The assistant said it",
    "ask.sign.at-length": "The assistant said it, at length",
    "ask.sign.advice": "It is the assistant's advice",
    "ask.sign.only-asks": "It only asks",
    "ask.sign.asks": "It ends in a question",
    "ask.sign.pinned": "You pinned it",
    "ask.sign.recent": "It is recent",
    "ask.sign.about": "What the question is about",
    "ask.sign.length": "Its length",
    "ask.sign.near-words": "The same words nearby",
    "ask.sign.near-meaning": "Close in meaning nearby",
    "ask.sign.conversation": "Its conversation",
    "ask.sign.speaker": "Said by the person you ask about",
  },
  zh: {
    "ask.title": "聊天会被告知什么？",
    "ask.lead": "输入你想问 AI 的问题，就能看到 Satchel 会在它前面放上什么，以及为什么。不会向任何地方发送内容。",
    "ask.question": "你的问题",
    "ask.for-example": "今晚我做什么菜好？",
    "ask.start": "还没有提问",
    "ask.start.next": "在上方输入问题，就像在聊天中一样。",
    "ask.budget": "最多",
    "ask.tokens": (/** @type {number} */ n) => `${count(n)} 个词元`,
    "ask.style": "版式",
    "ask.style.auto": "视空间而定",
    "ask.style.full": "完整",
    "ask.style.compact": "紧凑",
    "ask.where": "提问的地方",
    "ask.where.new": "新的聊天",
    "ask.when": "截至当天结束",
    "ask.threshold": "多相符才会放入",
    "ask.threshold.loose": "宽松：放入更多",
    "ask.threshold.strict": "严格：放入更少",
    "ask.threshold.back": "恢复为你的设置",
    "ask.threshold.yours": (/** @type {string} */ now) => `你的设置是 ${now}。`,
    "ask.threshold.set": "用于所有聊天……",
    "ask.threshold.title": "用于所有聊天？",
    "ask.threshold.means": (/** @type {string} */ next, /** @type {string} */ now) => `此后，相符程度达到 ${next} 的内容才会放入聊天。现在是 ${now}。`,
    "ask.threshold.higher": "告知的内容会变少：不相干的更少混入，但有用的也更容易缺失。",
    "ask.threshold.lower": "告知的内容会变多：有用的更少缺失，但不相干的也更容易混入。",
    "ask.threshold.also": "对所有网站和档案生效，随时可以在设置中更改。",
    "ask.threshold.use": "采用",
    "ask.threshold.done": "现在对所有聊天生效。",
    "ask.threshold.restart": "已保存。重新启动 Satchel 后生效。",
    "ask.would": "聊天会得到的内容",
    "ask.copy": "复制",
    "ask.copied": "已复制。",
    "ask.not-copied": "浏览器不允许复制。请自行选中文字再复制。",
    "ask.room": (/** @type {number} */ used, /** @type {number} */ of) => `${count(used)} / ${count(of)} 个词元`,
    "ask.found": (/** @type {number} */ n, /** @type {number} */ used, /** @type {number} */ of) => `放入 ${count(n)} 条：${count(used)} / ${count(of)} 个词元。`,
    "ask.nothing": "没有相符的内容，不会添加任何东西",
    "ask.nothing.general": "这个问题看来与你本人无关，因此内容要比平常更相符才会放入。",
    "ask.nothing.near": (/** @type {string} */ best, /** @type {string} */ needed) => `最接近的相符程度为 ${best}，而要求是 ${needed}。`,
    "ask.nothing.held": "有内容足够接近，但对这一类要求更高；见下文。",
    "ask.nothing.none": "保存的内容中没有字词或含义与它相同的。",
    "ask.nothing.room": "相符的内容在这么少的词元里放不下。",
    "ask.why": "为什么是这些",
    "ask.fits": (/** @type {string} */ share) => `相符 ${share}`,
    "ask.along": "它是附带放入的：单独来看不够相符，与其他内容一起可能有用。",
    "ask.below": (/** @type {number} */ n) => `差一点就会放入的（${count(n)}）`,
    "ask.below.score": (/** @type {string} */ needed) => `没有达到 ${needed}。`,
    "ask.below.hint": "这只是一个迹象，还不算偏好：迹象不会放入。",
    "ask.below.assistant": "这是助手说的：只有问题问到它，或相符得多时才会放入。",
    "ask.below.turn": "这是一条消息，不是记忆：对消息的要求更高。",
    "ask.below.old": "虽然相符，但没有放入：它没有说出问题以外的内容。",
    "ask.for": "支持",
    "ask.against": "反对",
    "ask.sign.begin": "起点（大多数内容都不相符）",
    "ask.sign.meaning": "含义相近",
    "ask.sign.words": "字词相同",
    "ask.sign.order": "相同字词比其他内容多",
    "ask.sign.yours": "关于属于你的事物",
    "ask.sign.personal": "你为自己而问",
    "ask.sign.field": "同一生活领域",
    "ask.sign.active": "有效",
    "ask.sign.resolving": "有冲突",
    "ask.sign.candidate": "只是一个迹象",
    "ask.sign.superseded": "已被取代",
    "ask.sign.archived": "已归档",
    "ask.sign.assistant": "助手说的",
    "ask.sign.at-length": "助手的长篇回答",
    "ask.sign.advice": "助手的建议",
    "ask.sign.only-asks": "只是在提问",
    "ask.sign.asks": "以问句结尾",
    "ask.sign.pinned": "你置顶了它",
    "ask.sign.recent": "时间较近",
    "ask.sign.about": "问题所关乎的",
    "ask.sign.length": "长度",
    "ask.sign.near-words": "附近有相同字词",
    "ask.sign.near-meaning": "附近含义相近",
    "ask.sign.conversation": "所在的对话",
    "ask.sign.speaker": "出自你问的人",
  },
});

/** The daemon's signs, and the words for them. @type {Record<string, string>} */
const SIGNS = {
  "to begin with": "begin",
  "its meaning": "meaning",
  "its words": "words",
  "its words beside others'": "order",
  "it is about what is yours": "yours",
  "the question is a personal one": "personal",
  "the same field of life": "field",
  "it is active": "active",
  "it is resolving": "resolving",
  "it is candidate": "candidate",
  "it is superseded": "superseded",
  "it is archived": "archived",
  "the assistant said it": "assistant",
  "the assistant said it, at length": "at-length",
  "the assistant's advice": "advice",
  "it only asks": "only-asks",
  "it asks": "asks",
  "it is pinned": "pinned",
  "it is recent": "recent",
  "what the question is about": "about",
  "its length": "length",
  "its neighbours' words": "near-words",
  "its neighbours' meaning": "near-meaning",
  "its conversation": "conversation",
  "it was said by whom the question asks for": "speaker",
};

const WAIT_MS = 300;
const BUDGETS = [200, 400, 800, 1600, 4000];
/** The log-odds that fill half of the width of the bars. */
const FULL = 5;
/** Those below which a sign is not worth a line. */
const SLIGHT = 0.1;

const share = (/** @type {number} */ score, digits = 0) => new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(score);

/** A score and the threshold that it does not reach, told so exactly that they differ. @param {number} score @param {number} threshold */
function apart(score, threshold) {
  for (let digits = 0; ; digits += 1) {
    const unit = 10 ** (digits + 2);
    const told = [share(Math.floor(score * unit) / unit, digits), share(threshold, digits)];
    if (told[0] !== told[1] || digits === 6) {
      return told;
    }
  }
}

/** What it was, once it has stayed so for a moment. @template T @param {T} value @returns {T} */
function useSettled(value) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const later = setTimeout(() => setSettled(value), WAIT_MS);
    return () => clearTimeout(later);
  }, [value]);
  return settled;
}

/** @param {any} props */
export default function Ask({ profile, query }) {
  const [typed, setTyped] = useState(query.q ?? ""); // with what an input method has not finished yet
  const [question, setQuestion] = useState(query.q ?? "");
  const [budget, setBudget] = useState(800);
  const [style, setStyle] = useState("");
  const [chat, setChat] = useState("");
  const [date, setDate] = useState("");
  const [threshold, setThreshold] = useState(/** @type {number | null} */ (null));
  const [setting, setSetting] = useState(false);

  const chats = useLoad((signal) => get("/v1/conversations", { profile, size: 50 }, signal), [profile], ["forgotten"]);
  const body = JSON.stringify({ question: question.trim(), budget, style, chat, date, threshold });
  const settled = useSettled(body);
  const found = useLoad(
    async (signal) => {
      const asked = JSON.parse(settled);
      if (!asked.question) {
        return { asked };
      }
      const [site, external_id] = asked.chat ? JSON.parse(asked.chat) : [];
      const answer = await call("POST", "/v1/context", {
        body: {
          query: asked.question,
          profile,
          site,
          external_id,
          budget_tokens: asked.budget,
          style: asked.style || undefined,
          at: asked.date ? new Date(`${asked.date}T23:59:59`).toISOString() : undefined,
          threshold: asked.threshold ?? undefined,
          explain: true,
        },
        signal,
      });
      return { ...answer, asked };
    },
    [settled, profile],
    ["memory", "forgotten"],
  );
  const [yours, setYours] = useState(/** @type {number | null} */ (null));
  useEffect(() => {
    if (found.data?.context !== undefined && found.data.asked.threshold === null) {
      setYours(found.data.threshold);
    }
  }, [found.data]);
  const value = threshold ?? yours;
  const type = (/** @type {string} */ text, finished = true) => {
    setTyped(text);
    finished && setQuestion(text);
  };

  return html`
    <${Heading}>${t("ask.title")}<//>
    <p class="soft">${t("ask.lead")}</p>
    <form class="card" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label class="field"><span>${t("ask.question")}</span>
        <textarea dir="auto" rows="2" maxlength="20000" placeholder=${t("ask.for-example")} value=${typed}
          onInput=${(/** @type {any} */ event) => type(event.target.value, !event.isComposing)}
          onCompositionEnd=${(/** @type {any} */ event) => type(event.target.value)}></textarea>
      </label>
      <div class="choices">
        <label class="field"><span>${t("ask.budget")}</span>
          <select value=${budget} onChange=${(/** @type {any} */ event) => setBudget(Number(event.target.value))}>
            ${BUDGETS.map((one) => html`<option value=${one}>${t("ask.tokens", one)}</option>`)}
          </select>
        </label>
        <label class="field"><span>${t("ask.style")}</span>
          <select value=${style} onChange=${(/** @type {any} */ event) => setStyle(event.target.value)}>
            ${["", "full", "compact"].map((one) => html`<option value=${one}>${t(`ask.style.${one || "auto"}`)}</option>`)}
          </select>
        </label>
        <label class="field"><span>${t("ask.where")}</span>
          <select dir="auto" value=${chat} onChange=${(/** @type {any} */ event) => setChat(event.target.value)}>
            <option value="">${t("ask.where.new")}</option>
            ${(chats.data?.items ?? []).map((/** @type {any} */ one) => html`<option key=${one.id} value=${JSON.stringify([one.site, one.external_id])}>
              ${one.site}: ${[...(one.title ?? day(one.updated_at))].slice(0, 60).join("")}</option>`)}
          </select>
        </label>
        <label class="field"><span>${t("ask.when")}</span>
          <input type="date" value=${date} onInput=${(/** @type {any} */ event) => setDate(event.target.value)} />
        </label>
      </div>
      ${value !== null && html`<div class="threshold">
        <label class="field"><span>${t("ask.threshold")}: <b>${share(value)}</b></span>
          <input type="range" min="0" max="1" step="0.01" value=${value} aria-valuetext=${share(value)}
            onInput=${(/** @type {any} */ event) => setThreshold(Number(event.target.value))} />
        </label>
        <p class="row small soft" aria-hidden="true"><span>${t("ask.threshold.loose")}</span><span>${t("ask.threshold.strict")}</span></p>
        ${threshold !== null && yours !== null && threshold !== yours && html`<p class="bar small">
          <span class="soft">${t("ask.threshold.yours", share(yours))}</span>
          <button type="button" onClick=${() => setThreshold(null)}>${t("ask.threshold.back")}</button>
          <button type="button" onClick=${() => setSetting(true)}>${t("ask.threshold.set")}</button>
        </p>`}
      </div>`}
    </form>
    ${found.problem
      ? html`<${Loading} of=${found} />`
      : found.data?.context !== undefined
        ? html`<${Answer} answer=${found.data} busy=${found.loading || body !== settled} />`
        : question.trim()
          ? html`<${Loading} of=${found} lines=${6} />`
          : html`<${Empty} title=${t("ask.start")}><p>${t("ask.start.next")}</p><//>`}
    ${setting && html`<${ForAll}
      next=${value}
      now=${yours}
      close=${() => setSetting(false)}
      done=${(/** @type {boolean} */ atOnce) => {
        setSetting(false);
        if (atOnce) {
          setYours(value);
          setThreshold(null);
        }
      }}
    />`}
  `;
}

/** @param {any} props */
function ForAll({ next, now, close, done }) {
  const [going, setGoing] = useState(false);
  const use = async () => {
    setGoing(true);
    const item = await attempt(() => call("PATCH", "/v1/settings", { body: { key: "recall.threshold", value: next } }));
    setGoing(false);
    if (item) {
      say(t(item.restart_needed ? "ask.threshold.restart" : "ask.threshold.done"));
      done(!item.restart_needed);
    }
  };
  return html`<${Dialog} title=${t("ask.threshold.title")} close=${close}>
    <p>${t("ask.threshold.means", share(next), share(now))}</p>
    <p>${t(next > now ? "ask.threshold.higher" : "ask.threshold.lower")}</p>
    <p class="soft">${t("ask.threshold.also")}</p>
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="primary" disabled=${going} onClick=${use}>${t("ask.threshold.use")}</button>
    </p>
  <//>`;
}

/** @param {any} props */
function Answer({ answer, busy }) {
  const { hits, below, tokens, threshold, asked } = answer;
  const copy = () =>
    navigator.clipboard.writeText(answer.context).then(
      () => say(t("ask.copied")),
      () => say(t("ask.not-copied"), true),
    );
  return html`
    <section class="card" aria-busy=${busy}>
      <header class="row"><h2>${t("ask.would")}</h2>${answer.context && html`<button onClick=${copy}>${t("ask.copy")}</button>`}</header>
      <p role="status" class=${answer.context ? "small soft" : "nothing"}>
        ${answer.context ? t("ask.found", hits.length, tokens, asked.budget) : t("ask.nothing")}
      </p>
      ${answer.context
        ? html`<progress max=${asked.budget} value=${tokens} aria-label=${t("ask.room", tokens, asked.budget)}></progress>
            <pre class="context" dir="auto" tabindex="0" aria-label=${t("ask.would")}>${answer.context}</pre>`
        : html`<${WhyNothing} below=${below} threshold=${threshold} />`}
    </section>
    ${hits.length > 0 && html`<section class="card">
      <h2>${t("ask.why")}</h2>
      ${hits.map((/** @type {any} */ hit) => html`<${Why} key=${hit.id} hit=${hit} threshold=${threshold} note=${hit.score < threshold ? t("ask.along") : ""} />`)}
    </section>`}
    ${below.length > 0 && html`<details class="card" open=${hits.length === 0}>
      <summary><h2>${t("ask.below", below.length)}</h2></summary>
      ${below.map((/** @type {any} */ hit) => html`<${Why} key=${hit.id} hit=${hit} threshold=${threshold} note=${held(hit, threshold)} />`)}
    </details>`}
  `;
}

/** Why the context is empty, as far as what came near tells. @param {any} props */
function WhyNothing({ below, threshold }) {
  if (!below.length) {
    return html`<p class="soft">${t("ask.nothing.none")}</p>`;
  }
  const about = below[0].reasons.find((/** @type {any} */ reason) => reason.sign === "what the question is about");
  return html`<p class="soft">
    ${about?.log_odds < 0 ? `${t("ask.nothing.general")} ` : ""}
    ${below[0].score < threshold ? t("ask.nothing.near", ...apart(below[0].score, threshold)) : t("ask.nothing.held")}
  </p>`;
}

/** What kept it out. @param {any} hit @param {number} threshold */
function held(hit, threshold) {
  if (hit.score < threshold) {
    return t("ask.below.score", apart(hit.score, threshold)[1]);
  }
  if (hit.status === "candidate") {
    return t("ask.below.hint");
  }
  return t(hit.said_by === "assistant" ? "ask.below.assistant" : hit.type === "turn" ? "ask.below.turn" : "ask.below.old");
}

/** A hit, with what speaks for and against it as bars. @param {any} props */
function Why({ hit, threshold, note }) {
  const [place, id] = hit.type === "turn" ? ["conversations", hit.conversation_id] : ["memories", hit.id];
  return html`<article class="memory why">
    <div>
      <a class="says" href=${`#${at(`/${place}`, id)}`} dir="auto">${hit.text}</a>
      <p class="about">
        <b>${t("ask.fits", hit.score < threshold ? apart(hit.score, threshold)[0] : share(hit.score))}</b> <${KindChip} kind=${hit.kind} /> <${StatusChip} status=${hit.status} />
        <time datetime=${hit.time}>${day(hit.time)}</time> ${hit.site && html`<span dir="auto">${hit.site}</span>`}
      </p>
      ${note && html`<p class="small soft">${note}</p>`}
    </div>
    <ul class="signs">
      ${hit.reasons.filter((/** @type {any} */ one) => Math.abs(one.log_odds) >= SLIGHT).map((/** @type {any} */ { sign, log_odds: odds }) => html`<li>
        <span>${SIGNS[sign] ? t(`ask.sign.${SIGNS[sign]}`) : sign}</span>
        <span class=${odds < 0 ? "sign against" : "sign"} role="img" aria-label=${t(odds < 0 ? "ask.against" : "ask.for")}>
          <i style=${{ width: `${Math.min(50, (Math.abs(odds) / FULL) * 50)}%` }}></i>
        </span>
      </li>`)}
    </ul>
  </article>`;
}
