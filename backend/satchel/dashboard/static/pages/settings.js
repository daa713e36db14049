// How Satchel behaves: each setting with what it means, its default, and a way back to it. Kept at once.
import { call, get } from "../api.js";
import { THEMES, applyTheme, theme } from "../theme.js";
import { Heading, Loading, say, sentence, useLoad } from "../ui.js";
import { html, useEffect, useId, useState } from "../vendor/preact.js";
import { LANGUAGES, language, register, setLanguage, t } from "../words.js";

register({
  en: {
    "settings.title": "Settings",
    "settings.here": "In this browser",
    "settings.language": "Language",
    "settings.theme": "Light or dark",
    "settings.theme.system": "same as the system",
    "settings.theme.light": "light",
    "settings.theme.dark": "dark",
    "settings.section.recall": "What goes into a chat",
    "settings.section.extract": "What is remembered",
    "settings.section.models": "Models",
    "settings.section.server": "The program",
    "settings.section.other": "More",
    "settings.default": (/** @type {string} */ value) => `Unless you change it: ${value}`,
    "settings.default.own": "Unless you change it: Satchel's own",
    "settings.reset": "Back to the default",
    "settings.restart": "Takes effect after a restart.",
    "settings.kept": "Saved.",
    "settings.kept.restart": "Saved. Takes effect after a restart.",
    "settings.bad": (/** @type {string} */ why) => `Not saved: ${why}`,
    "settings.bad.number": "Type a number.",
    "settings.bad.whole": "Type a whole number.",
    "settings.bad.between": (/** @type {string} */ low, /** @type {string} */ high) => `It must be from ${low} to ${high}.`,
    "settings.bad.least": (/** @type {string} */ low) => `It must be at least ${low}.`,
    "settings.bad.most": (/** @type {string} */ high) => `It must be at most ${high}.`,
    "settings.again": "Save again",
    "settings.none": "none",
    "settings.choice.health": "health",
    "settings.choice.politics": "politics",
    "settings.choice.religion": "religion",
    "settings.choice.sex": "sex",
    "settings.server.port": "Port",
    "settings.server.port.what": "The number of the door on this computer at which Satchel answers. The extension and other programs must be told when it changes.",
    "settings.models.generate": "Model for reading",
    "settings.models.generate.what": "Puts into sentences what it reads in your chats. The page Models shows which there are, and downloads them.",
    "settings.models.embed": "Model for finding",
    "settings.models.embed.what": "Finds by meaning. With another one, everything is read again for its meaning; the previous one answers until that is done.",
    "settings.models.idle_seconds": "Seconds until a model is unloaded",
    "settings.models.idle_seconds.what": "A model that has had nothing to do for so long gives its memory back. It is loaded again when it is needed, which takes a moment.",
    "settings.models.threads": "Threads",
    "settings.models.threads.what": "How many cores a model may use. 0 means one thread for each core.",
    "settings.extract.keep_out": "Make no memories of",
    "settings.extract.keep_out.what": "What you say of these stays in the conversations, but no memory is made of it. Memories that were made before stay until you forget them.",
    "settings.recall.threshold": "How well something must fit to go into a chat",
    "settings.recall.threshold.what": "From 0 (everything goes in) to 1 (hardly anything does). The page Ask shows what a value does.",
  },
  zh: {
    "settings.title": "设置",
    "settings.here": "在此浏览器中",
    "settings.language": "语言",
    "settings.theme": "浅色或深色",
    "settings.theme.system": "跟随系统",
    "settings.theme.light": "浅色",
    "settings.theme.dark": "深色",
    "settings.section.recall": "放入聊天的内容",
    "settings.section.extract": "记住的内容",
    "settings.section.models": "模型",
    "settings.section.server": "程序",
    "settings.section.other": "其他",
    "settings.default": (/** @type {string} */ value) => `默认：${value}`,
    "settings.default.own": "默认：由 Satchel 决定",
    "settings.reset": "恢复默认",
    "settings.restart": "重新启动 Satchel 后生效。",
    "settings.kept": "已保存。",
    "settings.kept.restart": "已保存。重新启动 Satchel 后生效。",
    "settings.bad": (/** @type {string} */ why) => `未保存：${why}`,
    "settings.bad.number": "请输入数字。",
    "settings.bad.whole": "请输入整数。",
    "settings.bad.between": (/** @type {string} */ low, /** @type {string} */ high) => `必须在 ${low} 到 ${high} 之间。`,
    "settings.bad.least": (/** @type {string} */ low) => `不能小于 ${low}。`,
    "settings.bad.most": (/** @type {string} */ high) => `不能大于 ${high}。`,
    "settings.again": "再次保存",
    "settings.none": "无",
    "settings.choice.health": "健康",
    "settings.choice.politics": "政治",
    "settings.choice.religion": "宗教",
    "settings.choice.sex": "性",
    "settings.server.port": "端口",
    "settings.server.port.what": "Satchel 在这台电脑上应答的端口号。更改后需要告知扩展和其他程序。",
    "settings.models.generate": "用于阅读的模型",
    "settings.models.generate.what": "把在聊天中读到的内容写成句子。有哪些模型以及如何下载，见“模型”页面。",
    "settings.models.embed": "用于查找的模型",
    "settings.models.embed.what": "按含义查找。换用其他模型时，会重新读取所有内容的含义；在完成之前由先前的模型回答。",
    "settings.models.idle_seconds": "多少秒后卸载模型",
    "settings.models.idle_seconds.what": "模型这么久没有工作时会释放内存。需要时会重新加载，要稍等片刻。",
    "settings.models.threads": "线程数",
    "settings.models.threads.what": "一个模型可以使用多少个核心。0 表示每个核心一个线程。",
    "settings.extract.keep_out": "不为这些内容建立记忆",
    "settings.extract.keep_out.what": "你说过的这类内容会留在对话中，但不会据此建立记忆。先前建立的记忆会保留，直到你忘记它们。",
    "settings.recall.threshold": "多相符才会放入聊天",
    "settings.recall.threshold.what": "从 0（全部放入）到 1（几乎不放入）。“提问”页面会显示某个值的效果。",
  },
});

const SECTIONS = ["recall", "extract", "models", "server"];

/** The words of a key, or what the daemon says where there are none. @param {string} key @param {string} otherwise */
const words = (key, otherwise) => (t(key) === key ? otherwise : t(key));

const choice = (/** @type {string} */ one) => words(`settings.choice.${one}`, one);

const same = (/** @type {any} */ a, /** @type {any} */ b) => JSON.stringify(a) === JSON.stringify(b);

export default function Settings() {
  const found = useLoad((signal) => get("/v1/settings", {}, signal), []);
  const sections = found.data && [...new Set(found.data.items.map(sectionOf))].sort((a, b) => order(a) - order(b));
  const kept = (/** @type {any} */ item) =>
    found.set({ items: found.data.items.map((/** @type {any} */ one) => (one.key === item.key ? item : one)) });
  return html`
    <${Heading}>${t("settings.title")}<//>
    <${Here} />
    ${sections
      ? sections.map((section) => html`<section class="card" key=${section}>
          <h2>${t(`settings.section.${section}`)}</h2>
          ${found.data.items.filter((/** @type {any} */ one) => sectionOf(one) === section).map((/** @type {any} */ one) => html`<${Setting} key=${one.key} item=${one} kept=${kept} />`)}
        </section>`)
      : html`<${Loading} of=${found} lines=${6} />`}
  `;
}

/** @param {any} item */
function sectionOf({ key }) {
  const [section] = key.split(".");
  return SECTIONS.includes(section) ? section : "other";
}

const order = (/** @type {string} */ section) => (SECTIONS.includes(section) ? SECTIONS.indexOf(section) : SECTIONS.length);

/** What this browser keeps for itself. */
function Here() {
  const [light, setLight] = useState(theme());
  return html`<section class="card">
    <h2>${t("settings.here")}</h2>
    <div class="choices">
      <label class="field"><span>${t("settings.language")}</span>
        <select value=${language()} onChange=${(/** @type {any} */ event) => setLanguage(event.target.value)}>
          ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} lang=${code}>${name}</option>`)}
        </select>
      </label>
      <label class="field"><span>${t("settings.theme")}</span>
        <select value=${light} onChange=${(/** @type {any} */ event) => {
          applyTheme(event.target.value);
          setLight(theme());
        }}>
          ${THEMES.map((one) => html`<option value=${one}>${t(`settings.theme.${one}`)}</option>`)}
        </select>
      </label>
    </div>
  </section>`;
}

/** What was typed as a number, or why it is none. @param {any} item @param {string} typed @returns {{value?: number, wrong?: string}} */
function read(item, typed) {
  const text = typed.normalize("NFKC").trim(); // an input method may give full-width digits
  const isGrouped = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(text); // "1,000" is a thousand, "0,725" a fraction
  const value = Number(isGrouped ? text.replaceAll(",", "") : text.replace(",", "."));
  if (text === "" || !Number.isFinite(value)) {
    return { wrong: t("settings.bad.number") };
  }
  if (item.type === "integer" && !Number.isInteger(value)) {
    return { wrong: t("settings.bad.whole") };
  }
  const { minimum: low = null, maximum: high = null } = item;
  if ((low !== null && value < low) || (high !== null && value > high)) {
    const wrong = low !== null && high !== null ? t("settings.bad.between", low, high) : low !== null ? t("settings.bad.least", low) : t("settings.bad.most", high);
    return { wrong };
  }
  return { value };
}

/** One setting: what is typed stays in the field until it is kept. @param {any} props */
function Setting({ item, kept }) {
  const several = Array.isArray(item.value) || Array.isArray(item.default);
  const shown = () => (several ? (item.value ?? []) : String(item.value ?? ""));
  const [value, setValue] = useState(shown);
  const [wrong, setWrong] = useState("");
  const [again, setAgain] = useState(/** @type {{value: any} | null} */ (null));
  const [busy, setBusy] = useState(false);
  const id = useId();
  useEffect(() => {
    setValue(shown());
    setWrong("");
  }, [JSON.stringify(item.value)]);

  const keep = async (/** @type {any} */ next) => {
    setBusy(true);
    setAgain(null);
    try {
      const now = await call("PATCH", "/v1/settings", { body: { key: item.key, value: next } });
      setWrong("");
      kept(now);
      say(t(now.restart_needed ? "settings.kept.restart" : "settings.kept"));
    } catch (problem) {
      setWrong(t("settings.bad", sentence(problem)));
      if (/** @type {any} */ (problem).status !== 400) {
        setAgain({ value: next }); // the value was not at fault
      }
    }
    setBusy(false);
  };
  const typed = (/** @type {any} */ event) => {
    const text = event.target.value;
    if (item.type === "text" || item.type === "choices") {
      void keep(text);
      return;
    }
    const { value: number, wrong: why } = read(item, text);
    why ? setWrong(t("settings.bad", why)) : void keep(number);
  };
  const told = `${id}-what`;
  const said = wrong ? `${told} ${id}-wrong` : told;
  const name = words(`settings.${item.key}`, item.key);
  return html`<div class="setting">
    ${several
      ? html`<fieldset aria-describedby=${said}><legend>${name}</legend>
          <div class="bar">${(item.choices ?? []).map((/** @type {string} */ one) => html`<label class="check">
            <input type="checkbox" checked=${value.includes(one)} disabled=${busy} onChange=${() => {
              const next = value.includes(one) ? value.filter((/** @type {string} */ other) => other !== one) : [...value, one];
              setValue(next);
              void keep(next);
            }} />${choice(one)}</label>`)}</div>
        </fieldset>`
      : html`<label for=${id}>${name}</label>
          ${item.type === "choices"
            ? html`<select id=${id} value=${value} aria-describedby=${said} onChange=${(/** @type {any} */ event) => {
                setValue(event.target.value);
                typed(event);
              }}>${[...new Set([...(item.choices ?? []), ...(value ? [value] : [])])].map((one) => html`<option value=${one}>${choice(one)}</option>`)}</select>`
            : html`<input id=${id} class=${item.type === "text" ? "wide" : ""} dir="auto" inputmode=${{ number: "decimal", integer: "numeric" }[/** @type {string} */ (item.type)]}
                autocomplete="off" spellcheck=${false} value=${value} aria-describedby=${said} aria-invalid=${wrong ? "true" : undefined}
                onInput=${(/** @type {any} */ event) => {
                  setValue(event.target.value);
                  setWrong("");
                }}
                onChange=${typed} />`}`}
    ${wrong && html`<p id=${`${id}-wrong`} class="bad small" role="alert">${wrong} ${again && html`<button onClick=${() => keep(again.value)}>${t("settings.again")}</button>`}</p>`}
    <p id=${told} class="small soft">${words(`settings.${item.key}.what`, item.description)} ${item.restart_needed && t("settings.restart")}</p>
    <p class="bar small soft">
      <span>${byDefault(item)}</span>
      ${(!same(item.value, item.default) || wrong) && html`<button class="link" disabled=${busy} aria-label=${`${t("settings.reset")}: ${name}`} onClick=${() => {
        setValue(shown());
        void keep(null);
      }}>${t("settings.reset")}</button>`}
    </p>
  </div>`;
}

/** @param {any} item */
function byDefault({ default: value }) {
  if (value === null) {
    return t("settings.default.own");
  }
  const text = Array.isArray(value) ? value.map(choice).join(", ") || t("settings.none") : String(value);
  return t("settings.default", text);
}
