// Copies of everything: those that Satchel keeps, and one as a file to take away.
import { call, get, request } from "../api.js";
import { dayOf } from "../days.js";
import { Empty, Heading, Loading, say, sentence, useLoad } from "../ui.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { count, moment, plural, register, size, t } from "../words.js";

register({
  en: {
    "backup.title": "Backup",
    "backup.last": (/** @type {string} */ when) => `The last copy was made ${when}.`,
    "backup.last.soon": "One that was removed for a forgetting will be made anew soon.",
    "backup.none": "There is no copy yet",
    "backup.none.next": "Make one now. It takes a few seconds, and Satchel goes on meanwhile.",
    "backup.now": "Make one now",
    "backup.making": "It is being made, and checked by restoring it. You can go on meanwhile.",
    "backup.made": "Backup made and checked: a trial restore matched.",
    "backup.failed": "No copy was made.",
    "backup.kept": "What is kept",
    "backup.when": "Made",
    "backup.why": "Why",
    "backup.size": "Size",
    "backup.name": "File",
    "backup.checked": "checked",
    "backup.unchecked": "not checked",
    "backup.why.by-hand": "you asked",
    "backup.why.before-an-update": "before an update",
    "backup.why.after-a-forgetting": "after a forgetting",
    "backup.why.before-a-restore": "before a restore",
    "backup.where": "They are in this folder. The newest five are kept.",
    "backup.same-disk": "It is on the same disk as Satchel: copy one to another disk now and then.",
    "backup.restore": "To go back to a copy",
    "backup.restore.how": "Stop Satchel first. Then run this in a terminal; it asks before it replaces anything, and keeps what was there aside.",
    "backup.restore.file": "Copy",
    "backup.restore.after": "What you forgot since does not come back, and who may ask stays as it is now.",
    "backup.copy": "Copy the command",
    "backup.copied": "Copied.",
    "backup.not-copied": "The browser did not allow it. Mark the text and copy it yourself.",
    "backup.forgetting": "What forgetting does to copies",
    "backup.forgetting.ours": "What you forget is taken out of these copies too: they are removed, and a new one is made that is without it.",
    "backup.forgetting.yours": "Files that you took elsewhere, an export among them, are out of reach: delete those yourself. Satchel tells you when it knows of one.",
    "backup.export": "Everything as a file",
    "backup.export.what": (/** @type {string} */ profile) =>
      `All conversations and memories of the profile ${profile}, with their history, as text that other programs can read (a JSON record on each line). It is not encrypted: who has the file can read it.`,
    "backup.export.do": "Save as a file",
    "backup.export.going": (/** @type {string} */ so) => `${so} so far`,
    "backup.export.done": (/** @type {string} */ all, /** @type {number} */ records) => `Saved: ${all}, ${plural(records, "record", "records")}.`,
    "backup.export.stop": "Stop",
    "backup.export.stopped": "Stopped. Nothing was saved.",
    "backup.export.broken": "It broke off before the end, and nothing was saved. Try again.",
  },
  zh: {
    "backup.title": "备份",
    "backup.last": (/** @type {string} */ when) => `最近一次备份：${when}。`,
    "backup.last.soon": "因忘记而删除的备份很快会重新制作。",
    "backup.none": "还没有备份",
    "backup.none.next": "现在就做一份。只需几秒钟，Satchel 会照常运行。",
    "backup.now": "现在备份",
    "backup.making": "正在制作，并通过试恢复来检查。你可以继续做别的事。",
    "backup.made": "已制作，并已试恢复和比对：完整。",
    "backup.failed": "未能制作备份。",
    "backup.kept": "保留的备份",
    "backup.when": "时间",
    "backup.why": "原因",
    "backup.size": "大小",
    "backup.name": "文件",
    "backup.checked": "已检查",
    "backup.unchecked": "未检查",
    "backup.why.by-hand": "你要求的",
    "backup.why.before-an-update": "更新之前",
    "backup.why.after-a-forgetting": "忘记之后",
    "backup.why.before-a-restore": "恢复之前",
    "backup.where": "它们位于此文件夹。会保留最新的五份。",
    "backup.same-disk": "它与 Satchel 在同一磁盘上：请不时将一份复制到其他磁盘。",
    "backup.restore": "恢复某份备份",
    "backup.restore.how": "请先停止 Satchel，再在终端运行以下命令；替换之前会询问，并会另存原有内容。",
    "backup.restore.file": "备份",
    "backup.restore.after": "此后忘记的内容不会恢复，谁可以访问 Satchel 则保持现状。",
    "backup.copy": "复制命令",
    "backup.copied": "已复制。",
    "backup.not-copied": "浏览器不允许复制。请自行选中文字再复制。",
    "backup.forgetting": "忘记对备份的影响",
    "backup.forgetting.ours": "你忘记的内容也会从这些备份中去除：它们会被删除，并重新制作一份不含该内容的备份。",
    "backup.forgetting.yours": "你带到别处的文件（包括导出的文件）不在可及范围内：请自行删除。Satchel 知道有这样的文件时会告诉你。",
    "backup.export": "全部内容存为文件",
    "backup.export.what": (/** @type {string} */ profile) => `档案 ${profile} 的所有对话和记忆及其历史，存为其他程序可读的文本（每行一条 JSON 记录）。文件未加密：得到它的人都能读。`,
    "backup.export.do": "存为文件",
    "backup.export.going": (/** @type {string} */ so) => `已收到 ${so}`,
    "backup.export.done": (/** @type {string} */ all, /** @type {number} */ records) => `已保存：${all}，${count(records)} 条记录。`,
    "backup.export.stop": "停止",
    "backup.export.stopped": "已停止。没有保存任何内容。",
    "backup.export.broken": "在结束之前中断，没有保存任何内容。请重试。",
  },
});

/** @param {any} props */
export default function Backup({ profile }) {
  const found = useLoad((signal) => get("/v1/backups", {}, signal), [], ["forgotten"]);
  const [making, setMaking] = useState(false);
  const [wrong, setWrong] = useState("");
  const make = async () => {
    setMaking(true);
    setWrong("");
    try {
      await call("POST", "/v1/backups");
      say(t("backup.made"));
    } catch (problem) {
      setWrong(sentence(problem));
    }
    setMaking(false);
    found.reload();
  };
  const items = found.data?.items ?? [];
  return html`
    <${Heading} aside=${found.data && html`<button class="primary" disabled=${making} onClick=${make}>${t("backup.now")}</button>`}>${t("backup.title")}<//>
    <div role="status">${making && html`<div class="card"><p>${t("backup.making")}</p><progress aria-label=${t("backup.making")}></progress></div>`}</div>
    ${wrong && html`<div class="card warn" role="alert"><p><b>${t("backup.failed")}</b> <span dir="auto">${wrong}</span></p></div>`}
    ${!found.data && html`<${Loading} of=${found} />`}
    ${found.data && (items.length === 0 ? html`<${Empty} title=${t("backup.none")}><p>${t("backup.none.next")}</p><//>` : html`<${Kept} found=${found.data} />`)}
    ${found.data && html`<${Restore} items=${items} folder=${found.data.folder} />`}
    <section class="card">
      <h2>${t("backup.forgetting")}</h2>
      <p>${t("backup.forgetting.ours")}</p>
      <p>${t("backup.forgetting.yours")}</p>
    </section>
    <${Export} profile=${profile} />
  `;
}

/** Why a copy was made, as the daemon has it, or in the reader's words. @param {string} name */
function why(name) {
  const key = `backup.why.${name.replaceAll(" ", "-")}`;
  return t(key) === key ? name : t(key);
}

/** @param {any} props */
function Kept({ found }) {
  const { items, folder, owed } = found;
  return html`<section class="card">
    <h2>${t("backup.kept")}</h2>
    <p>${t("backup.last", moment(items[0].made_at))} ${owed && t("backup.last.soon")}</p>
    <div class="scrolls"><table>
      <thead><tr><th scope="col">${t("backup.when")}</th><th scope="col">${t("backup.why")}</th><th scope="col" class="number">${t("backup.size")}</th></tr></thead>
      <tbody>${items.map((/** @type {any} */ one) => html`<tr key=${one.name}>
        <td><time datetime=${one.made_at}>${moment(one.made_at)}</time><br /><code class="small" dir="auto">${one.name}</code></td>
        <td>${why(one.why)}<br /><span class="small soft">${t(one.checked ? "backup.checked" : "backup.unchecked")}</span></td>
        <td class="number">${size(one.size_bytes)}</td>
      </tr>`)}</tbody>
    </table></div>
    <p>${t("backup.where")}</p>
    <p><code dir="auto">${folder}</code></p>
    <p class="small soft">${t("backup.same-disk")}</p>
  </section>`;
}

/** A word of a command line. @param {string} text */
const quoted = (text) => (/^[\w./:\\-]+$/.test(text) ? text : `"${text}"`);

/** @param {any} props */
function Restore({ items, folder }) {
  const [chosen, setChosen] = useState("");
  if (!items.length) {
    return null;
  }
  const name = items.some((/** @type {any} */ one) => one.name === chosen) ? chosen : items[0].name;
  const slash = folder.includes("\\") ? "\\" : "/";
  const data = folder.slice(0, folder.lastIndexOf(slash)); // named, so that it is this store and no other that is replaced
  const command = `satchel restore --data ${quoted(data)} ${quoted(`${folder}${slash}${name}`)}`;
  const copy = () =>
    navigator.clipboard.writeText(command).then(
      () => say(t("backup.copied")),
      () => say(t("backup.not-copied"), true),
    );
  return html`<section class="card">
    <h2>${t("backup.restore")}</h2>
    <p>${t("backup.restore.how")}</p>
    <label class="field"><span>${t("backup.restore.file")}</span>
      <select value=${name} onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
        ${items.map((/** @type {any} */ one) => html`<option value=${one.name}>${moment(one.made_at)}</option>`)}
      </select>
    </label>
    <p class="bar"><code dir="ltr">${command}</code> <button onClick=${copy}>${t("backup.copy")}</button></p>
    <p class="small soft">${t("backup.restore.after")}</p>
  </section>`;
}

/** Everything of a profile, fetched in parts (a link could not send our header) and then saved by the browser. @param {any} props */
function Export({ profile }) {
  const [bytes, setBytes] = useState(/** @type {number | null} */ (null));
  const [done, setDone] = useState("");
  const [wrong, setWrong] = useState("");
  const running = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => running.current?.abort(), []);

  const save = async () => {
    const controller = new AbortController();
    running.current = controller;
    setDone("");
    setWrong("");
    setBytes(0);
    try {
      const response = await request("GET", "/v1/export", { query: { profile }, signal: controller.signal });
      const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
      /** @type {Uint8Array<ArrayBuffer>[]} */
      const parts = [];
      let [all, records] = [0, 0];
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        parts.push(part.value);
        all += part.value.length;
        records += part.value.reduce((lines, byte) => lines + Number(byte === 10), 0);
        setBytes(all);
      }
      hand(new Blob(parts, { type: "application/x-ndjson" }), `satchel-${profile.replace(/[^\p{L}\p{N}-]+/gu, "-")}-${dayOf(Date.now())}.jsonl`);
      setDone(t("backup.export.done", size(all), records));
    } catch (problem) {
      const { name, status } = /** @type {any} */ (problem);
      setWrong(name === "AbortError" ? t("backup.export.stopped") : status === undefined ? t("backup.export.broken") : sentence(problem));
    }
    setBytes(null);
  };
  return html`<section class="card">
    <h2>${t("backup.export")}</h2>
    <p dir="auto">${t("backup.export.what", profile)}</p>
    <p class="bar">
      ${bytes === null
        ? html`<button onClick=${save}>${t("backup.export.do")}</button>`
        : html`<button onClick=${() => running.current?.abort()}>${t("backup.export.stop")}</button><span>${t("backup.export.going", size(bytes))}</span>`}
    </p>
    <p role="status">${done}</p>
    ${wrong && html`<p class="bad" role="alert">${wrong}</p>`}
  </section>`;
}

/** Lets the browser save it. @param {Blob} blob @param {string} name */
function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
