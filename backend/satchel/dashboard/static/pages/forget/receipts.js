// Receipts of what was forgotten. They name no content.
import { Loading, get, useLoad } from "../../ui.js";
import { html, useEffect, useState } from "../../vendor/preact.js";
import { count, moment, plural, register, size, t } from "../../words.js";

register({
  en: {
    "receipts.title": "Receipts",
    "receipts.none": "Nothing was forgotten yet. Each forgetting leaves a receipt here, which says how much went and names none of it.",
    "receipts.more": "Earlier receipts",
    "receipts.way.memory": "One memory",
    "receipts.way.conversation": "One conversation",
    "receipts.way.site": "A site",
    "receipts.way.span": "A time",
    "receipts.way.name": "A name or word",
    "receipts.way.everything": "Everything",
    "receipts.counts": (/** @type {number} */ conversations, /** @type {number} */ messages, /** @type {number} */ memories) =>
      `${plural(conversations, "conversation", "conversations")}, ${plural(messages, "message", "messages")}, ${plural(memories, "memory", "memories")}`,
    "receipts.nothing": "There was nothing to forget.",
    "receipts.running": "Not finished yet: Satchel goes on with it by itself.",
    "receipts.found": (/** @type {number} */ found, /** @type {number} */ files, /** @type {string} */ read) =>
      `Afterwards ${plural(files, "file was", "files were")} read, ${read}. ${found ? `Bytes of it found: ${count(found)}.` : "No trace of it was found."}`,
    "receipts.unread": "It was cut off before the files could be read for it.",
    "receipts.rewritten": "The database was written anew for it.",
    "receipts.backups": (/** @type {number} */ n) => `${plural(n, "backup", "backups")} of Satchel's own removed.`,
    "receipts.owed": "A fresh backup is still to be made.",
    "receipts.elsewhere": (/** @type {number} */ n) => `${plural(n, "backup", "backups")} that you wrote to other places may hold it still. Only you can delete those.`,
    "receipts.profiles": (/** @type {string} */ names) => `Profile: ${names}`,
  },
  zh: {
    "receipts.title": "回执",
    "receipts.none": "还没有忘记过什么。每次忘记都会在这里留下回执，只说明数量，不涉及内容。",
    "receipts.more": "更早的回执",
    "receipts.way.memory": "一条记忆",
    "receipts.way.conversation": "一个对话",
    "receipts.way.site": "一个网站",
    "receipts.way.span": "一段时间",
    "receipts.way.name": "一个名字或词",
    "receipts.way.everything": "全部",
    "receipts.counts": (/** @type {number} */ conversations, /** @type {number} */ messages, /** @type {number} */ memories) =>
      `${count(conversations)} 个对话、${count(messages)} 条消息、${count(memories)} 条记忆`,
    "receipts.nothing": "没有可忘记的内容。",
    "receipts.running": "尚未完成：Satchel 会自行继续。",
    "receipts.found": (/** @type {number} */ found, /** @type {number} */ files, /** @type {string} */ read) =>
      `之后读取了 ${count(files)} 个文件，共 ${read}。${found ? `找到的残留字节：${count(found)}。` : "没有找到任何残留。"}`,
    "receipts.unread": "在读取文件之前被中断。",
    "receipts.rewritten": "为此重写了数据库。",
    "receipts.backups": (/** @type {number} */ n) => `删除了 Satchel 自己的 ${count(n)} 份备份。`,
    "receipts.owed": "新的备份尚未制作。",
    "receipts.elsewhere": (/** @type {number} */ n) => `你保存到别处的 ${count(n)} 份备份可能仍含有这些内容，只有你能删除它们。`,
    "receipts.profiles": (/** @type {string} */ names) => `档案：${names}`,
  },
});

const SIZE = 10;

/** @param {any} receipt */
function proof(receipt) {
  if (!receipt.finished_at) {
    return t("receipts.running");
  }
  if (receipt.bytes_found === null) {
    return t("receipts.unread");
  }
  return receipt.files === 0 ? t("receipts.nothing") : t("receipts.found", receipt.bytes_found, receipt.files, size(receipt.bytes_read));
}

/** @param {any} props */
export function Receipt({ receipt }) {
  const { counts } = receipt;
  const state = !receipt.finished_at ? "busy" : receipt.bytes_found === 0 ? "ok" : "bad";
  return html`<div class="receipt">
    <p><strong>${t(`receipts.way.${receipt.way}`)}</strong> <time class="small soft" datetime=${receipt.forgotten_at}>${moment(receipt.forgotten_at)}</time></p>
    <p>${t("receipts.counts", counts.conversations, counts.messages, counts.memories)}</p>
    <p class=${`state ${state}`}>${proof(receipt)}</p>
    <p class="small soft">
      ${receipt.rewritten > 0 && `${t("receipts.rewritten")} `}
      ${receipt.backups > 0 && `${t("receipts.backups", receipt.backups)} `}
      ${receipt.backup_owed && `${t("receipts.owed")} `}
      ${receipt.profiles.length > 0 && t("receipts.profiles", receipt.profiles.join(", "))}
    </p>
    ${receipt.elsewhere > 0 && html`<p>${t("receipts.elsewhere", receipt.elsewhere)}</p>`}
  </div>`;
}

/** @param {any} props */
export function Receipts({ ended }) {
  const [pages, setPages] = useState(1);
  const found = useLoad((signal) => get("/v1/forget/receipts", { size: Math.min(1000, SIZE * pages) }, signal), [pages], ["forgotten"]);
  useEffect(() => {
    ended && found.reload();
  }, [ended]);
  return html`<section class="card" aria-labelledby="receipts">
    <h2 id="receipts">${t("receipts.title")}</h2>
    ${!found.data || found.problem
      ? html`<${Loading} of=${found} />`
      : found.data.total === 0
        ? html`<p class="soft">${t("receipts.none")}</p>`
        : html`<ul class="plain">${found.data.items.map((/** @type {any} */ one) => html`<li key=${one.id}><${Receipt} receipt=${one} /></li>`)}</ul>`}
    ${found.data && found.data.items.length < found.data.total && html`<p><button onClick=${() => setPages(pages + 1)}>${t("receipts.more")}</button></p>`}
  </section>`;
}
