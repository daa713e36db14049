// Which models run, which this machine could run, and fetching and choosing them.
import { call, get } from "../api.js";
import { listen } from "../live.js";
import { Dialog, Heading, Loading, attempt, say, sentence, useLoad } from "../ui.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { count, locale, plural, register, size, t } from "../words.js";

register({
  en: {
    "models.title": "Models",
    "models.lead": "Satchel reads and searches with models that run on this computer. None of them sends anything anywhere.",
    "models.running": "Running now",
    "models.running.none": "None is loaded. One is loaded when there is something to read or to find.",
    "models.role.generate": "Reading",
    "models.role.generate.what": "Puts into a sentence what it reads in your chats.",
    "models.role.embed": "Finding",
    "models.role.embed.what": "Finds by meaning what bears on a question.",
    "models.state.ready": "ready",
    "models.state.loading": "being loaded",
    "models.state.unloaded": "not loaded",
    "models.state.idle": "not loaded",
    "models.state.failed": "failed",
    "models.state.missing": "not downloaded",
    "models.memory": (/** @type {string} */ bytes) => `${bytes} of memory`,
    "models.machine": (/** @type {number} */ cores, /** @type {string | null} */ memory) =>
      `This computer has ${plural(cores, "core", "cores")}${memory ? ` and ${memory} of memory` : ""}.`,
    "models.model": "Model",
    "models.size": "Size",
    "models.licence": "Licence",
    "models.here": "Here",
    "models.chosen": "In use",
    "models.chosen.missing": "Chosen, and not downloaded yet",
    "models.recommended": "Recommended for this computer",
    "models.too-big": "Too big for this computer",
    "models.fits": "Fits",
    "models.fetch": "Download …",
    "models.fetch.title": (/** @type {string} */ name) => `Download ${name}?`,
    "models.fetch.means": (/** @type {string} */ bytes) => `${bytes} will be downloaded from one of these, tried in this order:`,
    "models.fetch.only": "Nothing about you is sent there; they learn the address of your connection, as of every download. The file is checked when it is here.",
    "models.fetch.too-big": "It needs more memory than this computer has: it will be slow, or will not run.",
    "models.fetch.nowhere": "No download source is known for it. It can be added from a file with `satchel models add`.",
    "models.fetch.do": "Download",
    "models.fetching": (/** @type {string} */ name) => `${name} is being downloaded`,
    "models.fetching.from": (/** @type {string} */ host) => `from ${host}`,
    "models.fetching.so-far": (/** @type {string} */ done, /** @type {string} */ total) => `${done} of ${total}`,
    "models.fetching.rate": (/** @type {string} */ rate) => `${rate} a second`,
    "models.fetching.left": (/** @type {string} */ left) => `${left} left`,
    "models.fetching.stop": "Stop",
    "models.fetching.stopped": "Stopped. What has come is kept, and gone on with the next time.",
    "models.fetching.failed": (/** @type {string} */ name) => `${name} could not be downloaded`,
    "models.fetching.failed.next": "Check the connection and try again. It can also be downloaded in a terminal, or added from a file that you already have:",
    "models.fetched": (/** @type {string} */ name) => `${name} is here.`,
    "models.another": "Another one is being downloaded.",
    "models.use": "Use …",
    "models.use.title": (/** @type {string} */ name) => `Use ${name}?`,
    "models.use.embed": "Everything that is kept is read again for its meaning. Until that is done, the previous model answers. It takes some minutes with thousands of memories, and nothing is lost.",
    "models.use.generate": "It reads what you say from now on. What is remembered stays as it is. To read all of it again with this model, see what would change, and decide, run this in a terminal:",
    "models.use.do": "Use it",
    "models.use.done": (/** @type {string} */ name) => `${name} is used from now on.`,
    "models.use.restart": (/** @type {string} */ name) => `${name} is used once Satchel has been started again.`,
    "models.restart": "Stop Satchel and start it again. In a terminal:",
  },
  zh: {
    "models.title": "模型",
    "models.lead": "Satchel 用在这台电脑上运行的模型来阅读和查找。它们都不会向任何地方发送内容。",
    "models.running": "正在运行",
    "models.running.none": "没有加载任何模型。需要阅读或查找时才会加载。",
    "models.role.generate": "阅读",
    "models.role.generate.what": "把在聊天中读到的内容写成句子。",
    "models.role.embed": "查找",
    "models.role.embed.what": "按含义找到与问题相关的内容。",
    "models.state.ready": "就绪",
    "models.state.loading": "加载中",
    "models.state.unloaded": "未加载",
    "models.state.idle": "未加载",
    "models.state.failed": "失败",
    "models.state.missing": "未下载",
    "models.memory": (/** @type {string} */ bytes) => `占用内存 ${bytes}`,
    "models.machine": (/** @type {number} */ cores, /** @type {string | null} */ memory) => `这台电脑有 ${count(cores)} 个核心${memory ? `和 ${memory} 内存` : ""}。`,
    "models.model": "模型",
    "models.size": "大小",
    "models.licence": "许可证",
    "models.here": "已下载",
    "models.chosen": "使用中",
    "models.chosen.missing": "已选用，尚未下载",
    "models.recommended": "推荐用于这台电脑",
    "models.too-big": "对这台电脑来说太大",
    "models.fits": "适合",
    "models.fetch": "下载……",
    "models.fetch.title": (/** @type {string} */ name) => `下载 ${name}？`,
    "models.fetch.means": (/** @type {string} */ bytes) => `将从以下地址之一下载 ${bytes}，按此顺序尝试：`,
    "models.fetch.only": "不会发送关于你的任何内容；与任何下载一样，对方会知道你的网络地址。下载后会校验文件。",
    "models.fetch.too-big": "它需要的内存超过这台电脑所有：会很慢，或无法运行。",
    "models.fetch.nowhere": "不知道哪里有它。可以用 satchel models add 从文件添加。",
    "models.fetch.do": "下载",
    "models.fetching": (/** @type {string} */ name) => `正在下载 ${name}`,
    "models.fetching.from": (/** @type {string} */ host) => `来自 ${host}`,
    "models.fetching.so-far": (/** @type {string} */ done, /** @type {string} */ total) => `${done} / ${total}`,
    "models.fetching.rate": (/** @type {string} */ rate) => `每秒 ${rate}`,
    "models.fetching.left": (/** @type {string} */ left) => `还需 ${left}`,
    "models.fetching.stop": "停止",
    "models.fetching.stopped": "已停止。已下载的部分会保留，下次接着下载。",
    "models.fetching.failed": (/** @type {string} */ name) => `未能下载 ${name}`,
    "models.fetching.failed.next": "请检查网络连接后重试。也可以在终端下载，或从已有的文件添加：",
    "models.fetched": (/** @type {string} */ name) => `${name} 已下载。`,
    "models.another": "正在下载另一个模型。",
    "models.use": "使用……",
    "models.use.title": (/** @type {string} */ name) => `使用 ${name}？`,
    "models.use.embed": "会重新读取所有保存内容的含义。在完成之前由先前的模型回答。有数千条记忆时需要几分钟，不会丢失任何内容。",
    "models.use.generate": "它会阅读你今后说的话。已记住的内容保持不变。要用这个模型重新阅读全部内容、查看会有哪些变化再作决定，请在终端运行：",
    "models.use.do": "使用",
    "models.use.done": (/** @type {string} */ name) => `从现在起使用 ${name}。`,
    "models.use.restart": (/** @type {string} */ name) => `重新启动 Satchel 后使用 ${name}。`,
    "models.restart": "请停止 Satchel 再重新启动。在终端运行：",
  },
});

const ROLES = ["generate", "embed"];

/** "2 minutes", "40 seconds". @param {number} seconds */
function span(seconds) {
  const [amount, unit] = seconds >= 90 ? [Math.round(seconds / 60), "minute"] : [Math.max(1, Math.round(seconds)), "second"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(amount);
}

export default function Models() {
  const found = useLoad((signal) => get("/v1/models", {}, signal), []);
  const [pulling, setPulling] = useState(/** @type {any} */ (null));
  const [doing, setDoing] = useState(/** @type {any} */ (null));
  const [restart, setRestart] = useState(false);
  const active = Boolean(pulling && !pulling.error);

  useEffect(() => found.data && setPulling(found.data.pulling), [found.data]);
  useEffect(
    () =>
      listen(({ name, pulling: now }) => {
        if (name === "pull") {
          setPulling(now);
          now || found.reload();
        }
      }),
    [found.reload],
  );
  const fetched = useRef("");
  useEffect(() => {
    if (active) {
      fetched.current = pulling.name;
    } else if (found.data?.items.some((/** @type {any} */ one) => one.name === fetched.current && one.installed)) {
      say(t("models.fetched", fetched.current));
      fetched.current = "";
    }
  }, [found.data, active]);

  const pull = async (/** @type {string} */ name) => {
    setDoing(null);
    if (await attempt(() => call("POST", "/v1/models/pull", { body: { name } }))) {
      found.reload();
    }
  };
  const close = async () => {
    const done = await attempt(() => call("DELETE", "/v1/models/pull"));
    found.reload();
    return done;
  };
  const stop = async () => (await close()) && say(t("models.fetching.stopped"));
  if (!found.data) {
    return html`<${Heading}>${t("models.title")}<//><${Loading} of=${found} />`;
  }
  const { machine, items, running } = found.data;
  return html`
    <${Heading}>${t("models.title")}<//>
    <p class="soft">${t("models.lead")} ${t("models.machine", machine.cores, machine.memory_bytes && size(machine.memory_bytes))}</p>
    ${found.problem && html`<${Loading} of=${found} />`}
    ${restart && html`<section class="card warn" role="status"><p>${t("models.restart")}</p><p><code>satchel serve</code></p></section>`}
    ${pulling && html`<${Pulling} pulling=${pulling} stop=${stop} close=${close} again=${() => pull(pulling.name)} />`}
    <section class="card">
      <h2>${t("models.running")}</h2>
      ${running.length === 0 && html`<p class="soft">${t("models.running.none")}</p>`}
      ${running.map((/** @type {any} */ one) => html`<div class="row wraps" key=${one.role}>
        <span class=${`state ${one.error ? "bad" : one.state === "ready" ? "ok" : ""}`}>${t(`models.role.${one.role}`)}: <span dir="auto">${one.name}</span></span>
        <span class="small soft">${state(one.state)}${one.resident_bytes ? ` · ${t("models.memory", size(one.resident_bytes))}` : ""}</span>
        ${one.error && html`<p class="bad small" dir="auto">${one.error}</p>`}
      </div>`)}
    </section>
    ${ROLES.map((role) => html`<section class="card" key=${role}>
      <div><h2>${t(`models.role.${role}`)}</h2><p class="soft small">${t(`models.role.${role}.what`)}</p></div>
      ${items.filter((/** @type {any} */ one) => one.role === role).map((/** @type {any} */ one) => html`<${Model}
        key=${one.name} model=${one} busy=${active} act=${(/** @type {string} */ what) => setDoing({ what, model: one })} />`)}
    </section>`)}
    ${doing?.what === "fetch" && html`<${Fetch} model=${doing.model} close=${() => setDoing(null)} go=${() => pull(doing.model.name)} />`}
    ${doing?.what === "use" && html`<${Use} model=${doing.model} close=${() => setDoing(null)}
      done=${(/** @type {boolean} */ needed) => {
        setDoing(null);
        setRestart(restart || needed);
        found.reload();
      }} />`}
  `;
}

/** @param {string} name */
const state = (name) => (t(`models.state.${name}`) === `models.state.${name}` ? name : t(`models.state.${name}`));

/** @param {any} props */
function Model({ model, busy, act }) {
  return html`<article class="client">
    <div>
      <h3 dir="auto">${model.name}</h3>
      ${model.description && html`<p class="small" dir="auto">${model.description}</p>`}
      <p class="about">
        ${model.chosen && html`<span class=${`chip ${model.installed ? "fact" : "resolving"}`}>${t(model.installed ? "models.chosen" : "models.chosen.missing")}</span>`}
        ${!model.chosen && model.installed && html`<span class="chip">${t("models.here")}</span>`}
        ${model.recommended && html`<span class="chip fact">${t("models.recommended")}</span>`}
        ${!model.fits ? html`<span class="chip resolving">${t("models.too-big")}</span>` : !model.recommended && html`<span>${t("models.fits")}</span>`}
        <span>${size(model.size_bytes)}</span>
        <span dir="auto">${t("models.licence")}: ${model.licence}</span>
      </p>
    </div>
    <p class="buttons">
      ${!model.installed && html`<button disabled=${busy} title=${busy ? t("models.another") : undefined} aria-label=${`${t("models.fetch")} ${model.name}`} onClick=${() => act("fetch")}>${t("models.fetch")}</button>`}
      ${model.installed && !model.chosen && html`<button aria-label=${`${t("models.use")} ${model.name}`} onClick=${() => act("use")}>${t("models.use")}</button>`}
    </p>
  </article>`;
}

/** @param {any} props */
function Pulling({ pulling, stop, close, again }) {
  const { name, source, done_bytes: done, total_bytes: total, rate, seconds_left: left, error } = pulling;
  if (error) {
    return html`<section class="card warn" role="alert">
      <h2 dir="auto">${t("models.fetching.failed", name)}</h2>
      <p dir="auto">${error}</p>
      <p>${t("models.fetching.failed.next")}</p>
      <p><code dir="auto">satchel models pull ${name}</code></p>
      <p class="bar"><button class="primary" onClick=${again}>${t("retry")}</button> <button onClick=${close}>${t("close")}</button></p>
    </section>`;
  }
  return html`<section class="card">
    <header class="row"><h2 dir="auto">${t("models.fetching", name)}</h2><button onClick=${stop}>${t("models.fetching.stop")}</button></header>
    <progress max=${total || 1} value=${total ? done : undefined} aria-label=${t("models.fetching", name)}></progress>
    <p class="about">
      <span>${t("models.fetching.so-far", size(done), size(total))}</span>
      ${rate > 0 && html`<span>${t("models.fetching.rate", size(rate))}</span>`}
      ${left !== null && html`<span>${t("models.fetching.left", span(left))}</span>`}
      ${source && html`<span dir="auto">${t("models.fetching.from", source)}</span>`}
    </p>
  </section>`;
}

/** Where from, before anything goes out. @param {any} props */
function Fetch({ model, close, go }) {
  return html`<${Dialog} title=${t("models.fetch.title", model.name)} close=${close}>
    ${model.sources.length === 0
      ? html`<p>${t("models.fetch.nowhere")}</p>`
      : html`<p>${t("models.fetch.means", size(model.size_bytes))}</p>
          <ol class="going">${model.sources.map((/** @type {string} */ one) => html`<li dir="auto">${one}</li>`)}</ol>
          <p class="soft">${t("models.fetch.only")}</p>`}
    ${!model.fits && html`<p class="bad">${t("models.fetch.too-big")}</p>`}
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="primary" disabled=${model.sources.length === 0} onClick=${go}>${t("models.fetch.do")}</button>
    </p>
  <//>`;
}

/** What follows from choosing it, before it is chosen. @param {any} props */
function Use({ model, close, done }) {
  const [wrong, setWrong] = useState("");
  const [going, setGoing] = useState(false);
  const go = async () => {
    setGoing(true);
    try {
      const { restart_needed: needed } = await call("POST", "/v1/models/use", { body: { name: model.name } });
      say(t(needed ? "models.use.restart" : "models.use.done", model.name));
      done(needed);
    } catch (problem) {
      setGoing(false);
      setWrong(sentence(problem));
    }
  };
  return html`<${Dialog} title=${t("models.use.title", model.name)} close=${close}>
    <p>${t(`models.use.${model.role}`)}</p>
    ${model.role === "generate" && html`<p><code>satchel rederive</code></p>`}
    ${wrong && html`<p class="bad" role="alert">${wrong}</p>`}
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="primary" disabled=${going} onClick=${go}>${t("models.use.do")}</button>
    </p>
  <//>`;
}
