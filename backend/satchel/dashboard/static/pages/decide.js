// What waits for a decision, one thing at a time: contradictions, hints, and what rests on words that were edited.
import { listen } from "../live.js";
import { Passage } from "../passages.js";
import { Heading, KindChip, Loading, attempt, get, sentence, useLoad } from "../ui.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { count, day, plural, register, t } from "../words.js";
import { choices, takeBack } from "./decide/choices.js";
import { Said } from "./decide/said.js";

register({
  en: {
    "decide.title": "To decide",
    "decide.left": (/** @type {number} */ n) => (n ? `${count(n)} left` : ""),
    "decide.conflict": "These contradict each other. Which one holds?",
    "decide.conflict.why": "Neither the dates nor the words settle it. What does not hold is kept as history.",
    "decide.alone": "Does this hold?",
    "decide.alone.why": "It contradicted something that is gone now.",
    "decide.candidate": "Is this so?",
    "decide.candidate.why": "Satchel drew it from what you said and is not sure yet. No AI is told until you keep it.",
    "decide.changed": "Does this still hold?",
    "decide.changed.why": "You edited the words that it was drawn from.",
    "decide.because": "Why it is thought:",
    "decide.look": "Look at it",
    "decide.later": "Later",
    "decide.undo": "Undo",
    "decide.undone": "Undone.",
    "decide.keys": "Keys: the numbers decide, 0 or S leaves it for later, U undoes the last decision.",
    "decide.done": "That was all",
    "decide.done.decided": (/** @type {number} */ n) => `${plural(n, "thing", "things")} decided. What comes up next waits here for you.`,
    "decide.none": "Nothing to decide",
    "decide.none.why": "When two statements contradict each other, or Satchel is not sure of something, it waits here for you.",
    "decide.put-off": (/** @type {number} */ n) => `${plural(n, "thing is", "things are")} left for later.`,
    "decide.now": "Look at them now",
    "decide.to-memories": "To the memories",
  },
  zh: {
    "decide.title": "待决定",
    "decide.left": (/** @type {number} */ n) => (n ? `还剩 ${count(n)} 项` : ""),
    "decide.conflict": "这些说法互相矛盾。以哪一条为准？",
    "decide.conflict.why": "日期和措辞都不足以判断。不再有效的会留作历史。",
    "decide.alone": "这还有效吗？",
    "decide.alone.why": "与它矛盾的内容已不在了。",
    "decide.candidate": "是这样吗？",
    "decide.candidate.why": "Satchel 从你的话中推断出来，尚不确定。在你保留之前，不会告诉任何 AI。",
    "decide.changed": "这仍然有效吗？",
    "decide.changed.why": "你修改过它所依据的话。",
    "decide.because": "推断的理由：",
    "decide.look": "查看",
    "decide.later": "以后再说",
    "decide.undo": "撤回",
    "decide.undone": "已撤回。",
    "decide.keys": "按键：数字键作决定，0 或 S 以后再说，U 撤回上一个决定。",
    "decide.done": "全部处理完了",
    "decide.done.decided": (/** @type {number} */ n) => `已决定 ${count(n)} 项。之后需要你决定的会出现在这里。`,
    "decide.none": "没有待决定的事项",
    "decide.none.why": "如果两种说法互相矛盾，或 Satchel 对某事不确定，就会在这里等你决定。",
    "decide.put-off": (/** @type {number} */ n) => `有 ${count(n)} 项留待以后。`,
    "decide.now": "现在就看",
    "decide.to-memories": "查看记忆",
  },
});

const AHEAD = 20;
const PENDING = "~"; // later than any time

/** @typedef {{item: any, answer: Promise<any[] | null>, told: string}} Done */

/** @param {any} props */
export default function Decide({ profile }) {
  const [later, setLater] = useState(/** @type {string[]} */ ([]));
  const [settled, setSettled] = useState(/** @type {Record<string, string>} */ ({})); // until when a memory was decided here
  const [again, setAgain] = useState(/** @type {any[]} */ ([])); // taken back, and not among what the daemon asks
  const [done, setDone] = useState(/** @type {Done[]} */ ([]));
  const [told, setTold] = useState("");
  const [inFocus, setInFocus] = useState("");
  const question = useRef(/** @type {HTMLElement | null} */ (null));
  const moved = useRef(false);
  const size = Math.min(1000, AHEAD * Math.ceil((later.length + AHEAD) / AHEAD));
  const list = useLoad((signal) => get("/v1/decisions", { profile, size }, signal), [profile, size], ["memory", "forgotten"]);

  const isSettled = (/** @type {any} */ item) => item.memory.updated_at <= (settled[item.memory.id] ?? "");
  const known = list.data?.items ?? [];
  const open = [...again.filter((one) => !known.some((/** @type {any} */ item) => item.memory.id === one.memory.id)), ...known].filter((item) => !isSettled(item));
  const now = open.filter((item) => !later.includes(item.memory.id));
  const item = now.find((one) => one.memory.id === inFocus) ?? now[0];
  const left = (list.data?.total ?? 0) - known.filter(isSettled).length + open.length - known.filter((/** @type {any} */ one) => !isSettled(one)).length;
  const id = item?.memory.id ?? "";

  // At once: what brings something back into focus comes after it.
  useLayoutEffect(() => {
    setInFocus(id);
    if (moved.current) {
      question.current?.focus();
      moved.current = false;
    }
  }, [id]);

  useEffect(() => listen(({ name }) => {
    if (name === "forgotten") {
      setAgain([]);
      setDone([]);
    }
  }), []);

  const forget = (/** @type {Record<string, string>} */ all, /** @type {string} */ gone) => Object.fromEntries(Object.entries(all).filter(([one]) => one !== gone));

  const choose = (/** @type {import("./decide/choices.js").Choice} */ choice) => {
    moved.current = true;
    setSettled((before) => ({ ...before, [id]: PENDING }));
    setTold(choice.told);
    const answer = choice.act().then(
      (changed) => {
        const seen = changed.find((one) => one.id === id)?.updated_at ?? changed[0].updated_at;
        setSettled((before) => ({ ...before, [id]: seen }));
        setAgain((before) => before.filter((one) => one.memory.id !== id));
        return changed;
      },
      (problem) => {
        setSettled((before) => forget(before, id));
        setDone((before) => before.filter((one) => one.answer !== answer));
        setAgain((before) => before.filter((one) => problem.status !== 409 || one.memory.id !== id));
        setTold(sentence(problem));
        setInFocus(id);
        list.reload();
        return null;
      },
    );
    setDone((before) => [...before, { item, answer, told: choice.told }]);
  };

  const putOff = () => {
    moved.current = true;
    setTold("");
    setLater((before) => [...before, id]);
  };

  const undo = async () => {
    const last = done.at(-1);
    if (!last) {
      return;
    }
    setDone((before) => before.filter((one) => one !== last));
    const changed = await last.answer;
    if (changed && (await attempt(() => takeBack(last.item, changed).then(() => true)))) {
      const back = last.item.memory.id;
      moved.current = true;
      setSettled((before) => forget(before, back));
      // At once, before the list is here again; and what rests on edited words was looked at, so the list has it no more.
      setAgain((before) => [{ ...last.item, again: last.item.why === "changed" }, ...before]);
      setInFocus(back);
      setTold(t("decide.undone"));
    }
    list.reload();
  };

  const offered = item ? choices(item) : [];
  const pressed = useRef((/** @type {KeyboardEvent} */ event) => void event);
  pressed.current = (event) => {
    const typing = /** @type {Element | null} */ (event.target)?.closest?.("input, textarea, select, dialog");
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing) {
      return;
    }
    const key = event.key.toLowerCase();
    const choice = offered.find((one) => one.key === key);
    if (choice) {
      choose(choice);
    } else if (item && (key === "0" || key === "s")) {
      putOff();
    } else if (key === "u") {
      void undo();
    }
  };
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => pressed.current(event);
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  return html`
    <${Heading} aside=${list.data && html`<span class="soft">${t("decide.left", left)}</span>`}>${t("decide.title")}<//>
    ${list.problem && list.data && html`<${Loading} of=${list} />`}
    ${!list.data
      ? html`<${Loading} of=${list} />`
      : item
        ? html`<${Question} key=${id} item=${item} offered=${offered} choose=${choose} putOff=${putOff} heading=${question} />`
        : list.loading && left > open.length
          ? html`<${Loading} of=${list} />`
          : html`<${End} put=${open.length} decided=${done.length} now=${() => { moved.current = true; setLater([]); }} heading=${question} />`}
    ${item && html`<p class="small soft keys">${t("decide.keys")}</p>`}
    <div class="bar decided">
      ${done.length > 0 && html`<button aria-keyshortcuts="u" onClick=${undo}><kbd>U</kbd>${t("decide.undo")}</button>`}
      <p role="status" class="small soft">${told}</p>
    </div>
  `;
}

/** @param {any} props */
function Question({ item, offered, choose, putOff, heading }) {
  const { memory, against } = item;
  const why = item.why === "conflict" && !against.length ? "alone" : item.why;
  const sides = [memory, ...against];
  const button = (/** @type {any} */ choice, /** @type {string | undefined} */ of = undefined) => html`<button
    class="choice" aria-keyshortcuts=${choice.key} aria-describedby=${of} onClick=${() => choose(choice)}><kbd>${choice.key}</kbd>${choice.words}</button>`;
  return html`<section class="card decide">
    <div>
      <h2 tabindex="-1" ref=${heading}>${t(`decide.${why}`)}</h2>
      <p class="small soft">${t(`decide.${why}.why`)}</p>
    </div>
    <div class=${`sides ${sides.length > 1 ? "several" : ""}`}>
      ${sides.map((one, side) => html`<article class="side" key=${one.id}>
        <div id=${`says-${side}`} class="statement"><${Passage} text=${one.text} most=${800} /></div>
        <p class="about"><${KindChip} kind=${one.kind} />
          <time datetime=${one.event_time ?? one.valid_from}>${day(one.event_time ?? one.valid_from)}</time>
          ${one.observations > 1 && html`<span>${t("times", one.observations)}</span>`}
          <a href=${`#/memories/${encodeURIComponent(one.id)}`}>${t("decide.look")}</a></p>
        ${one.reasoning && html`<div class="small"><span class="soft">${t("decide.because")} </span><${Passage} text=${one.reasoning} most=${800} /></div>`}
        <${Said} memory=${one} />
        ${offered.filter((/** @type {any} */ choice) => choice.side === side).map((/** @type {any} */ choice) => button(choice, `says-${side}`))}
      </article>`)}
    </div>
    <div class="bar choices">
      ${offered.filter((/** @type {any} */ choice) => choice.side === null).map((/** @type {any} */ choice) => button(choice))}
      <button class="choice" aria-keyshortcuts="0 s" onClick=${putOff}><kbd>0</kbd>${t("decide.later")}</button>
    </div>
  </section>`;
}

/** @param {any} props */
function End({ put, decided, now, heading }) {
  return html`<div class="empty">
    <h2 tabindex="-1" ref=${heading}>${t(decided ? "decide.done" : put ? "decide.title" : "decide.none")}</h2>
    <p>${decided ? t("decide.done.decided", decided) : put ? "" : t("decide.none.why")}</p>
    ${put > 0 ? html`<p>${t("decide.put-off", put)}</p><p><button onClick=${now}>${t("decide.now")}</button></p>` : html`<p><a href="#/memories">${t("decide.to-memories")}</a></p>`}
  </div>`;
}
