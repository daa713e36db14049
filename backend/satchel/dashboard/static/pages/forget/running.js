// While it is forgotten: what happens meanwhile, and for how long it has.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { count, register, t } from "../../words.js";

register({
  en: {
    "running.title": "Forgetting",
    "running.rows": "The words and the memories are taken out of the store.",
    "running.models": "The language models let go of what they hold, and start again.",
    "running.backups": "Satchel's own backups are made anew.",
    "running.files": "Each file is read to its end, to make sure that not a byte of it is left.",
    "running.seconds": (/** @type {number} */ n) => `${count(n)} s. It can take a minute, more on a large store. It goes on if you close this page.`,
  },
  zh: {
    "running.title": "正在忘记",
    "running.rows": "从数据库中取出原话和记忆。",
    "running.models": "语言模型清空所持有的内容并重新启动。",
    "running.backups": "重新制作 Satchel 自己的备份。",
    "running.files": "把每个文件读到底，确认一个字节都没有留下。",
    "running.seconds": (/** @type {number} */ n) => `已用 ${count(n)} 秒。可能需要一分钟，数据多时更久。关闭此页面也会继续。`,
  },
});

const HAPPENS = ["rows", "models", "backups", "files"];

/** @param {any} props */
export function Running({ place }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(ticking);
  }, []);
  return html`<section class="card" aria-labelledby="running">
    <h2 id="running" class="state busy" tabindex="-1" ref=${place}>${t("running.title")}</h2>
    <progress aria-labelledby="running"></progress>
    <ol>${HAPPENS.map((one) => html`<li>${t(`running.${one}`)}</li>`)}</ol>
    <p class="small soft">${t("running.seconds", seconds)}</p>
  </section>`;
}
