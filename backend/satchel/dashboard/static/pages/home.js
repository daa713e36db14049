// What your AIs know about you, as a page to read; beside it, what happened today and how Satchel is.
import { call, get } from "../api.js";
import { listen } from "../live.js";
import { attempt, Heading, Loading, StatusChip, useLoad } from "../ui.js";
import { html, useEffect, useId, useState } from "../vendor/preact.js";
import { count, day, locale, plural, register, t } from "../words.js";

register({
  en: {
    "home.title": "What your AIs know about you",
    "home.you": "You",
    "home.people": "People",
    "home.work": "Work",
    "home.life": "Life",
    "home.preferences": "What you like",
    "home.answers": "How to answer you",
    "home.plans": "Plans",
    "home.happened": "Recently",
    "home.inferred": "Inferred",
    "home.more": (/** @type {number} */ n) => `and ${count(n)} more`,
    "home.more-of": (/** @type {number} */ n, /** @type {string} */ of, /** @type {string} */ where) => `and ${count(n)} more of “${of}”: ${where}`,
    "home.all.fact": "to all facts",
    "home.all.event": "to all events",
    "home.all.explicit_preference": "to all preferences",
    "home.all.instruction": "to all wishes about answers",
    "home.nothing-yet": "Nothing learned yet",
    "home.nothing-yet.why": "What you say is read as it comes. What is worth remembering will stand here.",
    "home.asks": "A program is asking for access.",
    "home.asks.go": "See who it is",
    "home.decide": (/** @type {number} */ n) => (n === 1 ? "1 thing waits for your decision" : `${count(n)} things wait for your decision`),
    "home.decide.none": "Nothing waits for your decision.",
    "home.today": "Today",
    "home.captured": "captured",
    "home.learned": "learned",
    "home.inserted": "inserted",
    "home.queue": "Reading",
    "home.queue.done": "All that was captured has been read.",
    "home.queue.waits": (/** @type {number} */ n) => `${plural(n, "conversation waits", "conversations wait")} to be read`,
    "home.queue.paused": "Paused: nothing is read until you let it go on.",
    "home.queue.rate": (/** @type {number} */ n) => `${plural(n, "message", "messages")} a minute`,
    "home.queue.failed": (/** @type {number} */ n) => `${plural(n, "conversation", "conversations")} could not be read.`,
    "home.queue.failed.why": "To see why, run",
    "home.queue.indexing": (/** @type {number} */ n) => `${plural(n, "text", "texts")} still to be indexed for search by meaning`,
    "home.queue.reembedding": (/** @type {number} */ done, /** @type {number} */ total) =>
      `${count(done)} of ${count(total)} read anew for the other model`,
    "home.pause": "Pause",
    "home.resume": "Resume",
    "home.left.soon": "less than a minute left",
    "home.left.minutes": (/** @type {number} */ n) => `about ${plural(n, "minute", "minutes")} left`,
    "home.left.hours": (/** @type {number} */ n) => `about ${plural(n, "hour", "hours")} left`,
    "home.models": "Models",
    "home.role.generate": "writes memories",
    "home.role.embed": "finds by meaning",
    "home.state.missing": "not there",
    "home.state.unloaded": "ready when needed",
    "home.state.loading": "loading",
    "home.state.ready": "ready",
    "home.state.failed": "does not work",
    "home.clients": "Who may ask",
    "home.clients.connected": (/** @type {number} */ n) => `${plural(n, "client", "clients")} connected`,
    "home.clients.used": (/** @type {string} */ when) => `last asked ${when}`,
    "home.clients.never": "has not asked yet",
    "home.first": "Nothing is known about you yet",
    "home.first.how": "Satchel learns from what you say to an assistant. To begin:",
    "home.first.load": "Load the browser extension",
    "home.first.load.how": "In Satchel’s folder, this builds it and says how to load it:",
    "home.first.pair": "Pair it",
    "home.first.pair.how": "Its first page shows a code. Type it under",
    "home.first.talk": "Talk to an assistant as you always do",
    "home.first.talk.how": "What is worth remembering of what you say appears here by itself.",
    "home.first.or": "Without the extension",
    "home.first.add": "remembers a conversation that you have as a file.",
    "home.first.demo": "shows all of it on an invented person, and touches nothing of yours.",
  },
  zh: {
    "home.title": "你的 AI 对你的了解",
    "home.you": "关于你",
    "home.people": "身边的人",
    "home.work": "工作",
    "home.life": "生活",
    "home.preferences": "喜好",
    "home.answers": "希望怎样被回答",
    "home.plans": "计划",
    "home.happened": "近况",
    "home.inferred": "推断",
    "home.more": (/** @type {number} */ n) => `还有 ${count(n)} 条`,
    "home.more-of": (/** @type {number} */ n, /** @type {string} */ of, /** @type {string} */ where) => `“${of}”还有 ${count(n)} 条：${where}`,
    "home.all.fact": "查看所有事实",
    "home.all.event": "查看所有事件",
    "home.all.explicit_preference": "查看所有偏好",
    "home.all.instruction": "查看所有回答方式",
    "home.nothing-yet": "还没有学到什么",
    "home.nothing-yet.why": "你说的话会随到随读，值得记住的内容会出现在这里。",
    "home.asks": "有程序请求接入。",
    "home.asks.go": "看看是谁",
    "home.decide": (/** @type {number} */ n) => `有 ${count(n)} 件事等你决定`,
    "home.decide.none": "没有需要你决定的事。",
    "home.today": "今天",
    "home.captured": "捕获",
    "home.learned": "学到",
    "home.inserted": "插入",
    "home.queue": "阅读",
    "home.queue.done": "捕获的内容都已读完。",
    "home.queue.waits": (/** @type {number} */ n) => `${count(n)} 个对话等待阅读`,
    "home.queue.paused": "已暂停：继续之前不会阅读任何内容。",
    "home.queue.rate": (/** @type {number} */ n) => `每分钟 ${count(n)} 条消息`,
    "home.queue.failed": (/** @type {number} */ n) => `${count(n)} 个对话未能读取。`,
    "home.queue.failed.why": "要查看原因，请运行",
    "home.queue.indexing": (/** @type {number} */ n) => `${count(n)} 段文字等待按含义索引`,
    "home.queue.reembedding": (/** @type {number} */ done, /** @type {number} */ total) =>
      `正在用新模型重读：${count(done)} / ${count(total)}`,
    "home.pause": "暂停",
    "home.resume": "继续",
    "home.left.soon": "剩余不到一分钟",
    "home.left.minutes": (/** @type {number} */ n) => `约剩 ${count(n)} 分钟`,
    "home.left.hours": (/** @type {number} */ n) => `约剩 ${count(n)} 小时`,
    "home.models": "模型",
    "home.role.generate": "撰写记忆",
    "home.role.embed": "按含义查找",
    "home.state.missing": "未安装",
    "home.state.unloaded": "需要时加载",
    "home.state.loading": "加载中",
    "home.state.ready": "就绪",
    "home.state.failed": "无法运行",
    "home.clients": "谁可以访问 Satchel",
    "home.clients.connected": (/** @type {number} */ n) => `已连接 ${count(n)} 个客户端`,
    "home.clients.used": (/** @type {string} */ when) => `上次询问：${when}`,
    "home.clients.never": "尚未询问过",
    "home.first": "现在对你还一无所知",
    "home.first.how": "Satchel 从你对助手说的话中学习。开始使用：",
    "home.first.load": "加载浏览器扩展",
    "home.first.load.how": "在 Satchel 的文件夹中运行下面的命令，它会构建扩展并说明如何加载：",
    "home.first.pair": "配对",
    "home.first.pair.how": "扩展的首页会显示一个代码，请在此输入：",
    "home.first.talk": "像平常一样与助手交谈",
    "home.first.talk.how": "你说的话中值得记住的内容会自动出现在这里。",
    "home.first.or": "不使用扩展",
    "home.first.add": "从文件中记住一段对话。",
    "home.first.demo": "用一个虚构的人演示全过程，不会动到你的任何内容。",
  },
});

const LONGEST = 280;
const CLIENTS = 3;
const PAIRING_MS = 300_000;
/** The portrait is large, and while much is read something happens all the time. */
const PORTRAIT_MS = 2_000;

/** The kind that most of a section's memories are of: where the rest of it is found. @type {Record<string, string>} */
const KIND_OF = {
  you: "fact", people: "fact", work: "fact", life: "fact",
  preferences: "explicit_preference", answers: "instruction", plans: "event", happened: "event",
};

/** @param {any} props */
export default function Home({ profile }) {
  const happens = ["memory", "forgotten", "inserted", "job"];
  const portrait = useLoad((signal) => get("/v1/portrait", { profile }, signal), [profile], happens, PORTRAIT_MS);
  const status = useLoad((signal) => get("/v1/status", {}, signal), [], ["job", "memory", "forgotten"]);
  return html`
    <${Heading}>${t("home.title")}<//>
    <${Asking} />
    <div class="home">
      <${ToDecide} profile=${profile} />
      <div class="told">${portrait.data
        ? html`<${Portrait} of=${portrait.data} fresh=${status.data?.counts.conversations === 0} />`
        : html`<${Loading} of=${portrait} lines=${12} />`}</div>
      <div class="beside">
        <${Today} of=${portrait.data?.today} />
        <${Queue} of=${status} />
        <${Models} of=${status.data?.models} />
        <${Clients} />
      </div>
    </div>
  `;
}

/** @param {any} props */
function Portrait({ of, fresh }) {
  if (of.total === 0) {
    return fresh ? html`<${FirstSteps} />` : html`<div class="empty"><h2>${t("home.nothing-yet")}</h2><p>${t("home.nothing-yet.why")}</p></div>`;
  }
  return of.sections.filter((/** @type {any} */ one) => one.total > 0).map((/** @type {any} */ one) => html`<${Section} key=${one.name} of=${one} />`);
}

/** @param {any} props */
function Section({ of: { name, total, memories } }) {
  const id = useId();
  const title = t(`home.${name}`);
  const rest = total - memories.length;
  const kind = KIND_OF[name];
  return html`<section aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    <ul>
      ${memories.map((/** @type {any} */ memory) => html`<li key=${memory.id} class=${memory.status}>
        <a href=${`#/memories/${encodeURIComponent(memory.id)}`} dir="auto">${short(memory.text)}</a>
        ${" "}<${StatusChip} status=${memory.status} />
        ${memory.kind === "implicit_preference" && html` <span class="chip">${t("home.inferred")}</span>`}
        ${memory.pinned && html` <span class="chip">${t("pinned")}</span>`}
      </li>`)}
      ${rest > 0 && html`<li class="rest"><a href=${`#/memories?kind=${kind}`} aria-label=${t("home.more-of", rest, title, t(`home.all.${kind}`))}>${t("home.more", rest)}</a></li>`}
    </ul>
  </section>`;
}

/** The beginning of a text that is longer than one reads in a list. @param {string} text */
function short(text) {
  const points = [...text];
  return points.length > LONGEST ? `${points.slice(0, LONGEST).join("")}…` : text;
}

const FirstSteps = () => html`<section class="card first">
  <h2>${t("home.first")}</h2>
  <p>${t("home.first.how")}</p>
  <ol>
    <li><h3>${t("home.first.load")}</h3><p>${t("home.first.load.how")} <code>./scripts/extension</code></p></li>
    <li><h3>${t("home.first.pair")}</h3><p>${t("home.first.pair.how")} <a href="#/clients">${t("nav.clients")}</a></p></li>
    <li><h3>${t("home.first.talk")}</h3><p>${t("home.first.talk.how")}</p></li>
  </ol>
  <h3>${t("home.first.or")}</h3>
  <p><code>satchel add FILE</code> ${t("home.first.add")}</p>
  <p><code>satchel demo</code> ${t("home.first.demo")}</p>
</section>`;

/** Somebody waits to be let in. Who it is, is told where the code is typed; after five minutes they wait no more. */
function Asking() {
  const [waiting, setWaiting] = useState(0);
  useEffect(() => {
    let over = 0;
    const stop = listen(({ name, waiting: now }) => {
      if (name === "pairing") {
        setWaiting(now);
        clearTimeout(over);
        over = setTimeout(() => setWaiting(0), PAIRING_MS);
      }
    });
    return () => {
      stop();
      clearTimeout(over);
    };
  }, []);
  return html`<div class="asks" role="status">${waiting > 0 && html`<p class="card warn"><span>${t("home.asks")} <a href="#/clients">${t("home.asks.go")}</a></span></p>`}</div>`;
}

/** @param {any} props */
function ToDecide({ profile }) {
  const open = useLoad((signal) => get("/v1/decisions", { profile, size: 1 }, signal), [profile], ["memory", "forgotten"]);
  const waits = open.data?.total;
  return html`<div class="open">
    ${waits === undefined ? html`<${Loading} of=${open} lines=${1} />`
      : waits ? html`<a href="#/decide">${t("home.decide", waits)}</a>`
        : html`<p class="soft">${t("home.decide.none")}</p>`}
  </div>`;
}

/** @param {any} props */
const Today = ({ of }) => of && html`<section>
  <h2>${t("home.today")}</h2>
  <p class="numbers">
    <span><b>${count(of.turns)}</b> ${t("home.captured")}</span>
    <span><b>${count(of.learned)}</b> ${t("home.learned")}</span>
    <span><b>${count(of.inserted)}</b> ${t("home.inserted")}</span>
  </p>
</section>`;

/** What waits to be read, how fast it goes, and the button that stops it. @param {any} props */
function Queue({ of }) {
  const [asked, setAsked] = useState(false);
  const status = of.data;
  if (!status) {
    return html`<section><h2>${t("home.queue")}</h2><${Loading} of=${of} /></section>`;
  }
  const waits = status.queued + status.running;
  const pause = async () => {
    setAsked(true);
    const answer = await attempt(() => call("POST", "/v1/extraction", { body: { paused: !status.paused } }));
    setAsked(false);
    if (answer) {
      of.set({ ...status, ...answer });
      of.reload();
    }
  };
  const pace = waits > 0 && !status.paused ? [status.rate && t("home.queue.rate", Math.max(1, Math.round(status.rate))), status.seconds_left != null && left(status.seconds_left)].filter(Boolean) : [];
  return html`<section>
    <div class="row">
      <h2>${t("home.queue")}</h2>
      <button onClick=${pause} disabled=${asked}>${t(status.paused ? "home.resume" : "home.pause")}</button>
    </div>
    <div aria-live="polite">
      ${status.paused && html`<p class="state busy">${t("home.queue.paused")}</p>`}
      ${waits > 0 ? html`<p class=${`state ${status.paused ? "" : "ok"}`}>${t("home.queue.waits", waits)}</p>`
        : !status.paused && html`<p class="state ok">${t("home.queue.done")}</p>`}
    </div>
    ${pace.length > 0 && html`<p class="soft small">${pace.join(" · ")}</p>`}
    ${status.failed > 0 && html`<p class="small"><span class="bad">${t("home.queue.failed", status.failed)}</span> ${t("home.queue.failed.why")} <code>satchel jobs</code></p>`}
    ${status.indexing > 0 && html`<p class="soft small">${t("home.queue.indexing", status.indexing)}</p>`}
    ${status.reembedding && html`<p class="soft small">${t("home.queue.reembedding", status.reembedding.done, status.reembedding.total)}</p>`}
  </section>`;
}

/** @param {number} seconds */
const left = (seconds) =>
  seconds < 60 ? t("home.left.soon") : seconds < 5400 ? t("home.left.minutes", Math.round(seconds / 60)) : t("home.left.hours", Math.round(seconds / 3600));

/** @type {Record<string, string>} */
const LOOKS = { ready: "ok", unloaded: "ok", loading: "busy", failed: "bad", missing: "bad" };

/** @param {any} props */
const Models = ({ of }) => of && html`<section>
  <h2><a href="#/models">${t("home.models")}</a></h2>
  <ul>
    ${of.map((/** @type {any} */ model) => html`<li>
      <p class=${`state ${LOOKS[model.state]}`}>${t(`home.role.${model.role}`)}: ${t(`home.state.${model.state}`)}</p>
      <p class="soft small" dir="auto">${model.name}</p>
      ${model.error && html`<p class="bad small">${model.error}</p>`}
    </li>`)}
  </ul>
</section>`;

/** "today, 14:02"; of a day before, the day alone. @param {string} moment */
function lately(moment) {
  const then = new Date(moment);
  const today = then.toDateString() === new Date().toDateString();
  return today ? `${day(then)}, ${new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(then)}` : day(then);
}

/** How many may ask, and the last that did. @param {any} _ */
function Clients(_) {
  const found = useLoad((signal) => get("/v1/clients", {}, signal), [], ["client", "job", "inserted"]);
  const all = found.data?.items.filter((/** @type {any} */ one) => !one.revoked_at) ?? [];
  const used = all.toSorted((/** @type {any} */ a, /** @type {any} */ b) => (b.last_used_at ?? "").localeCompare(a.last_used_at ?? ""));
  return html`<section>
    <h2><a href="#/clients">${t("home.clients")}</a></h2>
    ${found.data ? html`<p>${t("home.clients.connected", all.length)}</p>
      <ul>
        ${used.slice(0, CLIENTS).map((/** @type {any} */ one) => html`<li>
          <p dir="auto">${one.name}</p>
          <p class="soft small">${one.last_used_at ? t("home.clients.used", lately(one.last_used_at)) : t("home.clients.never")}</p>
        </li>`)}
      </ul>` : html`<${Loading} of=${found} />`}
  </section>`;
}
