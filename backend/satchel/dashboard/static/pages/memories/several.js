// Doing something with all that is selected, one after the other: how far it is, a way to stop, and what did not work.
import { call } from "../../api.js";
import { listen } from "../../live.js";
import { at, Dialog, ForgetPlan, get, say, sentence } from "../../ui.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { count, t } from "../../words.js";
import { KINDS } from "./address.js";
import { drafts } from "./edit.js";

/** As many are named of what goes, and of what did not work. */
const NAMED = 20;
/** Forgettings that follow each other are looked into once. */
const SOON_MS = 500;

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {{done: number, all: number}} Progress */

/**
 * Works through rows until told to stop.
 * @param {Row[]} rows @param {(row: Row, signal: AbortSignal) => Promise<any>} work @param {AbortSignal} signal
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<{done: Row[], failed: {row: Row, why: string}[], left: Row[]}>}
 */
export async function each(rows, work, signal, tell) {
  /** @type {Row[]} */
  const done = [];
  /** @type {{row: Row, why: string}[]} */
  const failed = [];
  let at = 0;
  for (; at < rows.length && !signal.aborted; at += 1) {
    tell({ done: at, all: rows.length });
    try {
      await work(rows[at], signal);
      done.push(rows[at]);
    } catch (problem) {
      if (/** @type {Error} */ (problem).name === "AbortError") {
        break;
      }
      if (/** @type {any} */ (problem).status === 0) {
        failed.push(...rows.slice(at).map((row) => ({ row, why: sentence(problem) })));
        at = rows.length;
        break; // nobody answers: asking for all the others would not help
      }
      failed.push({ row: rows[at], why: sentence(problem) });
    }
  }
  return { done, failed, left: rows.slice(at) };
}

/**
 * @param {{selected: Map<string, Row>, select: (selected: Map<string, Row>) => void, forget: boolean,
 *   setForget: (open: boolean) => void, changed: () => void}} props `forget`: its dialog is open
 */
export function Several({ selected, select, forget, setForget, changed }) {
  const [progress, setProgress] = useState(/** @type {Progress | null} */ (null));
  const [failed, setFailed] = useState(/** @type {{row: Row, why: string}[]} */ ([]));
  const stop = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => stop.current?.abort(), []);

  // What was forgotten elsewhere is held here no longer.
  const held = useRef({ selected, failed, busy: false });
  held.current = { selected, failed, busy: progress !== null };
  useEffect(() => {
    const leaving = new AbortController();
    let soon = 0;
    const look = async () => {
      soon = 0;
      if (held.current.busy) {
        return; // it says itself what is left
      }
      const ids = new Set([...held.current.selected.keys(), ...held.current.failed.map(({ row }) => row.id)]);
      const gone = new Set();
      for (const id of ids) {
        await get(at("/v1/memories", id), {}, leaving.signal).catch(({ status }) => status === 404 && gone.add(id));
        if (leaving.signal.aborted) {
          return;
        }
      }
      if (gone.size) {
        select(new Map([...held.current.selected].filter(([id]) => !gone.has(id))));
        setFailed((before) => before.filter(({ row }) => !gone.has(row.id)));
      }
    };
    const ending = listen(({ name }) => {
      if (name === "forgotten") {
        soon ||= setTimeout(() => void look(), SOON_MS);
      }
    });
    return () => {
      ending();
      clearTimeout(soon);
      leaving.abort();
    };
  }, []);

  /** @param {(row: Row, signal: AbortSignal) => Promise<any>} work @param {string} words */
  const run = async (work, words) => {
    const controller = new AbortController();
    stop.current = controller;
    setFailed([]);
    const result = await each([...selected.values()], work, controller.signal, setProgress);
    setProgress(null);
    setFailed(result.failed);
    select(new Map([...result.failed.map(({ row }) => row), ...result.left].map((row) => [row.id, row])));
    const told = [result.done.length > 0 && t(words, result.done.length), result.left.length > 0 && t("memories.stopped", result.left.length)].filter(Boolean);
    told.length && say(told.join(" "));
    changed();
  };
  const change = (/** @type {any} */ body) => run((row) => call("PATCH", at("/v1/memories", row.id), { body }), "memories.done");

  if (!selected.size && !failed.length) {
    return null;
  }
  return html`<div class="card several" role="region" aria-label=${t("memories.selected", selected.size)}>
    ${progress
      ? html`<div class="bar"><progress value=${progress.done} max=${progress.all} aria-label=${t("memories.progress", progress.done, progress.all)}></progress>
          <span role="status">${t("memories.progress", progress.done, progress.all)}</span> <button onClick=${() => stop.current?.abort()}>${t("memories.stop")}</button></div>`
      : selected.size > 0 &&
        html`<div class="bar">
          <b role="status">${t("memories.selected", selected.size)}</b>
          <button onClick=${() => change({ pinned: true })}>${t("memories.pin")}</button>
          <button onClick=${() => change({ pinned: false })}>${t("memories.unpin")}</button>
          <select aria-label=${t("memories.change-kind")} value="" onChange=${(/** @type {any} */ event) => {
            const kind = event.target.value;
            event.target.value = "";
            kind && void change({ kind });
          }}>
            <option value="">${t("memories.change-kind")}</option>
            ${KINDS.map((kind) => html`<option value=${kind}>${t(`kind.${kind}`)}</option>`)}
          </select>
          <button onClick=${() => change({ status: "archived" })}>${t("memories.put-away")}</button>
          ${[...selected.values()].some((row) => row.status === "archived") && html`<button onClick=${() => change({ status: "active" })}>${t("memories.bring-back")}</button>`}
          <button class="danger" onClick=${() => setForget(true)}>${t("forget")}</button>
          <button class="link" onClick=${() => select(new Map())}>${t("memories.unselect")}</button>
        </div>`}
    ${failed.length > 0 &&
    html`<div role="alert">
      <p class="bad">${t("memories.not-done", failed.length)}</p>
      <ul class="going small">${failed.slice(0, NAMED).map(({ row, why }) => html`<li><span dir="auto">${row.text.slice(0, 200)}</span> <span class="soft">${why}</span></li>`)}
        ${failed.length > NAMED && html`<li>${t("memories.and-more", failed.length - NAMED)}</li>`}</ul>
      <p><button onClick=${() => setFailed([])}>${t("close")}</button></p>
    </div>`}
    ${forget &&
    selected.size > 0 &&
    html`<${ForgetSeveral} rows=${[...selected.values()]} close=${() => setForget(false)} go=${(/** @type {boolean} */ messages) => {
      setForget(false);
      const forgetOne = async (/** @type {Row} */ row) => {
        await call("POST", "/v1/forget", { body: { memory: row.id, ...(messages && { messages }), preview: false } });
        drafts.delete(row.id);
      };
      void run(forgetOne, "memories.forgot");
    }} />`}
  </div>`;
}

/** What goes when all of these go, summed up. @param {any} props */
function ForgetSeveral({ rows, close, go }) {
  const [messages, setMessages] = useState(false);
  const [progress, setProgress] = useState({ done: 0, all: rows.length });
  const [plan, setPlan] = useState(/** @type {any} */ (null));
  const [failed, setFailed] = useState(/** @type {{row: Row, why: string}[]} */ ([]));
  useEffect(() => {
    const leaving = new AbortController();
    const goes = new Map();
    const stays = new Map();
    let unnamed = { memories: 0, messages: 0 }; // a preview names only the first of what goes
    setPlan(null);
    const look = async (/** @type {Row} */ row, /** @type {AbortSignal} */ signal) => {
      const found = await call("POST", "/v1/forget", { body: { memory: row.id, ...(messages && { messages }), preview: true }, signal });
      const named = (/** @type {string} */ type) => found.goes.filter((/** @type {any} */ item) => item.type === type).length;
      unnamed = {
        memories: unnamed.memories + found.counts.memories - named("memory"),
        messages: unnamed.messages + found.counts.messages - named("turn"),
      };
      for (const item of found.goes) {
        goes.set(item.id, item);
      }
      for (const item of found.stays) {
        stays.set(item.id, item);
      }
    };
    each(rows, look, leaving.signal, setProgress).then((result) => {
      if (leaving.signal.aborted) {
        return;
      }
      for (const id of goes.keys()) {
        stays.delete(id);
      }
      const all = [...goes.values()];
      const of = (/** @type {string} */ type) => all.filter((item) => item.type === type).length;
      setFailed(result.failed);
      setPlan({
        counts: { memories: of("memory") + unnamed.memories, messages: of("turn") + unnamed.messages },
        goes: [...all.slice(0, NAMED), ...(all.length > NAMED ? [{ text: t("memories.and-more", all.length - NAMED) }] : [])],
        staying: stays.size,
        stays: [...stays.values()].slice(0, NAMED),
      });
    });
    return () => leaving.abort();
  }, [messages]);
  return html`<${Dialog} title=${t("memories.forget.several", rows.length)} close=${close}>
    <label class="check"><input type="checkbox" checked=${messages} onChange=${(/** @type {any} */ event) => setMessages(event.target.checked)} /> ${t("memories.forget.messages.several")}</label>
    ${plan
      ? html`<${ForgetPlan} plan=${plan} />`
      : html`<p role="status">${t("memories.forget.looking", progress.done, progress.all)}</p><progress value=${progress.done} max=${progress.all} aria-label=${count(progress.done)}></progress>`}
    ${failed.length > 0 && html`<p class="bad" role="alert">${failed[0].why}</p>`}
    <p class="soft">${t("memories.forget.one-by-one")}</p>
    <p class="buttons">
      <button onClick=${close}>${t("cancel")}</button>
      <button class="danger" disabled=${!plan} onClick=${() => go(messages)}>${t("forget.for-good")}</button>
    </p>
  <//>`;
}
