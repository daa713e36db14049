// What pages are put together from: loading, failures, dialogs, notes, and how a memory looks in a list.
import { at, call, get } from "./api.js";
import { listen } from "./live.js";
import { html, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "./vendor/preact.js";
import { count, day, language, locale, plural, register, t } from "./words.js";

register({
  en: {
    "kind.fact": "Fact",
    "kind.event": "Event",
    "kind.explicit_preference": "Preference",
    "kind.implicit_preference": "Inferred preference",
    "kind.instruction": "How to answer",
    "kind.turn": "Your words",
    "status.candidate": "Not sure yet",
    "status.active": "Holds",
    "status.resolving": "In conflict",
    "status.superseded": "Replaced",
    "status.archived": "Archived",
    "said.user": "you",
    "said.assistant": "assistant",
    "said.document": "document",
    "memories": (/** @type {number} */ n) => plural(n, "memory", "memories"),
    "times": (/** @type {number} */ n) => (n === 1 ? "said once" : n === 2 ? "said twice" : `said ${count(n)} times`),
    "pinned": "Pinned",
    "loading": "Loading …",
    "retry": "Try again",
    "cancel": "Cancel",
    "close": "Close",
    "save": "Save",
    "failed": "That did not work",
    "no-answer": "Satchel isn't responding. Is it running?",
    "forget": "Forget …",
    "forget.for-good": "Forget for good",
    "forget.title": "Forget for good?",
    "forget.going": "Forgetting. The bytes are looked for in every file; this can take a while.",
    "forget.goes": (/** @type {number} */ memories, /** @type {number} */ turns) =>
      `${plural(memories, "memory", "memories")} and ${plural(turns, "message", "messages")} will be deleted, with their history, and from Satchel's own backups too.`,
    "forget.staying": (/** @type {number} */ n) =>
      `${plural(n, "memory stays", "memories stay")}, without the words that go: you wrote ${n === 1 ? "it yourself, or it rests" : "them yourself, or they rest"} on other words too.`,
    "forget.no-undo": "This cannot be undone. If the chat is opened again, it will not be saved again.",
    "forget.done": "Forgotten.",
  },
  zh: {
    "kind.fact": "事实",
    "kind.event": "事件",
    "kind.explicit_preference": "偏好",
    "kind.implicit_preference": "推断的偏好",
    "kind.instruction": "回答方式",
    "kind.turn": "原话",
    "status.candidate": "尚不确定",
    "status.active": "有效",
    "status.resolving": "有冲突",
    "status.superseded": "已被取代",
    "status.archived": "已归档",
    "said.user": "你",
    "said.assistant": "助手",
    "said.document": "文档",
    "memories": (/** @type {number} */ n) => `${count(n)} 条记忆`,
    "times": (/** @type {number} */ n) => `说过 ${count(n)} 次`,
    "pinned": "已置顶",
    "loading": "加载中……",
    "retry": "重试",
    "cancel": "取消",
    "close": "关闭",
    "save": "保存",
    "failed": "未能完成",
    "no-answer": "Satchel 没有响应。它在运行吗？",
    "forget": "忘记……",
    "forget.for-good": "永久忘记",
    "forget.title": "永久忘记？",
    "forget.going": "正在忘记：会检查每个文件中的字节，可能需要一些时间。",
    "forget.goes": (/** @type {number} */ memories, /** @type {number} */ turns) =>
      `将删除 ${count(memories)} 条记忆和 ${count(turns)} 条消息，包括其历史，以及 Satchel 自己备份中的内容。`,
    "forget.staying": (/** @type {number} */ n) => `${count(n)} 条记忆会保留，但不再包含被忘记的话：它们由你写下，或另有依据。`,
    "forget.no-undo": "此操作无法撤销；再次打开该聊天也不会重新保存。",
    "forget.done": "已忘记。",
  },
});

/** What a problem says to a person. The daemon speaks English: elsewhere it is said first that something failed. @param {any} problem */
export function sentence(problem) {
  if (problem.status === 0) {
    return t("no-answer");
  }
  const said = problem.message || problem.title;
  return !said ? t("failed") : language() === "zh" && problem.status >= 400 && problem.status < 500 ? `${t("failed")}：${said}` : said;
}

/**
 * Loads, and loads again when something that concerns it happens. What was there stays to be seen meanwhile, but for
 * what may be forgotten: it goes when it cannot be loaded again.
 * @param {(signal: AbortSignal) => Promise<any>} load
 * @param {any[]} inputs loaded again where one of these changed
 * @param {string[]} [events] and on these events
 * @param {number} [apart] at most once in so many milliseconds
 * @returns {{data: any, problem: any, loading: boolean, reload: () => void, set: (data: any) => void}}
 */
export function useLoad(load, inputs, events = [], apart = 500) {
  const [state, setState] = useState({ data: /** @type {any} */ (null), problem: null, loading: true });
  const running = useRef(/** @type {AbortController | null} */ (null));
  const forgotten = useRef(false);
  const run = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((before) => ({ ...before, loading: true }));
    load(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) {
          forgotten.current = false;
          setState({ data, problem: null, loading: false });
        }
      },
      (problem) => {
        if (!controller.signal.aborted) {
          setState((before) => ({ data: forgotten.current ? null : before.data, problem, loading: false }));
        }
      },
    );
  }, inputs);
  useEffect(() => {
    run();
    let soon = 0;
    const stop = listen(({ name }) => {
      forgotten.current ||= name === "forgotten";
      if (name === "again" || events.includes(name)) {
        soon ||= setTimeout(() => {
          soon = 0;
          run();
        }, apart);
      }
    });
    return () => {
      stop();
      clearTimeout(soon);
      running.current?.abort();
    };
  }, [run]);
  const set = useCallback((/** @type {any} */ data) => setState({ data, problem: null, loading: false }), []);
  return { ...state, reload: run, set };
}

/** The state of a `useLoad` while there is nothing to show, or why there is nothing. @param {any} props */
export function Loading({ of, lines = 3 }) {
  if (of.problem) {
    return html`<div class="card warn" role="alert">
      <p>${sentence(of.problem)}</p>
      <p><button onClick=${of.reload}>${t("retry")}</button></p>
    </div>`;
  }
  return html`<div class="skeleton" role="status" aria-label=${t("loading")}>${Array.from({ length: lines }, () => html`<i></i>`)}</div>`;
}

/** What a page says where there is nothing yet. @param {any} props */
export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2>${children}</div>`;

/** A page's heading, which takes the focus when the page is come to. @param {any} props */
export function Heading({ children, aside = null }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return html`<header class="head"><h1 tabindex="-1" ref=${heading}>${children}</h1>${aside && html`<div class="aside">${aside}</div>`}</header>`;
}

/** A modal dialog: Escape and the backdrop close it, and the focus goes back. @param {any} props */
export function Dialog({ title, close, children, wide = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const pressed = useRef(/** @type {EventTarget | null} */ (null));
  const over = useRef(false);
  const [trouble, setTrouble] = useState("");
  const id = useId();
  useEffect(() => {
    const noter = (/** @type {{text: string, bad: boolean}} */ said) => said.bad && setTrouble(said.text);
    noters.add(noter); // what is said outside of an open dialog, nobody sees or hears
    return () => void noters.delete(noter);
  }, []);
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      over.current = true;
      shown?.close(); // while it is open, nothing outside of it can have the focus
      before?.isConnected && before.focus();
    };
  }, []);
  return html`<dialog
    ref=${dialog}
    class=${wide ? "wide" : ""}
    aria-labelledby=${id}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
    }}
    onClose=${() => {
      if (!over.current && !dialog.current?.open) {
        dialog.current?.showModal(); // a second Escape ends it without asking: whether it may, is for the page to say
        close();
      }
    }}
    onMouseDown=${(/** @type {Event} */ event) => void (pressed.current = event.target)}
    onClick=${(/** @type {Event} */ event) => event.target === dialog.current && pressed.current === dialog.current && close()}
  >
    <div class="inside">
      <h2 id=${id}>${title}</h2>
      ${children}
      ${trouble && html`<p class="bad" role="alert">${trouble}</p>`}
    </div>
  </dialog>`;
}

/** @type {Set<(note: {text: string, bad: boolean}) => any>} */
const noters = new Set();

/** Says something in passing, to eye and screen reader. @param {string} text @param {boolean} [bad] */
export function say(text, bad = false) {
  for (const noter of noters) {
    noter({ text, bad });
  }
}

/** Where what is said in passing appears; once in the page. */
export function Notes() {
  const [note, setNote] = useState(/** @type {{text: string, bad: boolean} | null} */ (null));
  useEffect(() => {
    let fade = 0;
    const noter = (/** @type {{text: string, bad: boolean}} */ said) => {
      clearTimeout(fade);
      setNote(said);
      fade = setTimeout(() => setNote(null), said.bad ? 10_000 : 4_000);
    };
    noters.add(noter);
    return () => void noters.delete(noter);
  }, []);
  return html`<div class="notes" role="status" aria-live="polite">${note && html`<p class=${note.bad ? "bad" : ""}>${note.text}</p>`}</div>`;
}

/** Does something and says when it failed; what it gave, or undefined. What was given up has not failed. @param {() => Promise<any>} work */
export async function attempt(work) {
  try {
    return await work();
  } catch (problem) {
    /** @type {Error} */ (problem).name === "AbortError" || say(sentence(problem), true);
    return undefined;
  }
}

/** @param {any} props */
export const KindChip = ({ kind }) => html`<span class=${`chip ${kind}`}>${t(`kind.${kind}`)}</span>`;

/** Nothing where a memory simply holds. @param {any} props */
export const StatusChip = ({ status }) => (status === "active" ? null : html`<span class=${`chip status ${status}`}>${t(`status.${status}`)}</span>`);

/** A memory in a list: what it says, its kind, when it was said, how often. @param {any} props */
export function MemoryLine({ memory, children = null }) {
  return html`<article class="memory">
    <a class="says" href=${`#/memories/${memory.id}`} dir="auto">${memory.text}</a>
    <p class="about">
      <${KindChip} kind=${memory.kind} /> <${StatusChip} status=${memory.status} />
      ${memory.pinned && html`<span class="chip">${t("pinned")}</span>`}
      <time datetime=${memory.event_time ?? memory.valid_from}>${day(memory.event_time ?? memory.valid_from)}</time>
      ${memory.observations > 1 && html`<span>${t("times", memory.observations)}</span>`}
    </p>
    ${children}
  </article>`;
}

/**
 * A text with passages marked. `spans` count Unicode code points, as the daemon does; they may overlap.
 * @param {any} props
 */
export function Marked({ text, spans }) {
  const points = [...text];
  const marked = new Array(points.length).fill(false);
  for (const { start, end } of spans) {
    marked.fill(true, start, end);
  }
  /** @type {any[]} */
  const parts = [];
  for (let from = 0; from < points.length; ) {
    let to = from;
    while (to < points.length && marked[to] === marked[from]) {
      to += 1;
    }
    const piece = points.slice(from, to).join("");
    parts.push(marked[from] ? html`<mark>${piece}</mark>` : piece);
    from = to;
  }
  return html`<span class="verbatim" dir="auto">${parts}</span>`;
}

/**
 * Asks before it forgets, showing what goes. `what` is a body of `POST /v1/forget`; `children` may offer to change it.
 * @param {any} props
 */
export function ForgetDialog({ what, done, close, children = null }) {
  const plan = useLoad((signal) => call("POST", "/v1/forget", { body: { ...what, preview: true }, signal }), [JSON.stringify(what)]);
  const [going, setGoing] = useState(false);
  const go = async () => {
    setGoing(true);
    const answer = await attempt(() => call("POST", "/v1/forget", { body: { ...what, preview: false } }));
    setGoing(false);
    if (answer) {
      say(t("forget.done"));
      done(answer.receipt);
    }
  };
  return html`<${Dialog} title=${t("forget.title")} close=${() => going || close()}>
    ${children}
    ${plan.data ? html`<${ForgetPlan} plan=${plan.data} />` : html`<${Loading} of=${plan} />`}
    ${going && html`<p role="status" class="soft">${t("forget.going")}</p>`}
    <p class="buttons">
      <button onClick=${close} disabled=${going}>${t("cancel")}</button>
      <button class="danger" onClick=${go} disabled=${going || plan.loading || !plan.data}>${t("forget.for-good")}</button>
    </p>
  <//>`;
}

/** What a preview of a forgetting says goes. @param {any} props */
export function ForgetPlan({ plan }) {
  const { counts, goes, stays, staying } = plan;
  return html`<p>${t("forget.goes", counts.memories, counts.messages)}</p>
    ${goes.length > 0 && html`<ul class="going">${goes.map((/** @type {any} */ item) => html`<li dir="auto">${item.text}</li>`)}</ul>`}
    ${staying > 0 && html`<p>${t("forget.staying", staying)}</p>
      <ul class="going">${stays.map((/** @type {any} */ item) => html`<li dir="auto">${item.text}</li>`)}</ul>`}
    <p class="soft">${t("forget.no-undo")}</p>`;
}

export { at, count, day, get, locale };
