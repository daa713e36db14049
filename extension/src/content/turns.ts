/** Turns as the rendered page shows them: where the wire told nothing. */

import type { Site, Turn, TurnMarkup } from "../types";

const QUIET_MS = 1_500;
/** Where nothing says that an answer is being written, it may pause for longer. */
const QUIET_WITHOUT_SIGN_MS = 3_000;
const LONGEST_WATCH_MS = 10 * 60_000;
const CHUNK = 20;

function roleOf(element: Element, markup: TurnMarkup): Turn["role"] | null {
  for (const role of ["user", "assistant"] as const)
    if (element.matches(markup[role]) || element.querySelector(markup[role])) return role;
  return null;
}

function idOf(element: Element, { id, idPrefix = "" }: TurnMarkup): string | null {
  if (!id) return null;
  const holder = element.hasAttribute(id) ? element : element.querySelector(`[${id}^="${idPrefix}"]`);
  const value = holder?.getAttribute(id);
  return value?.startsWith(idPrefix) ? value.slice(idPrefix.length) || null : null;
}

/** What holds the words of a turn: an answer may come in several parts, between what the assistant did meanwhile. */
function wordsOf(element: HTMLElement, markup: TurnMarkup, role: Turn["role"]): string {
  const named = markup.text ? [...element.querySelectorAll<HTMLElement>(markup.text)] : [];
  const outermost = named.filter((one) => !named.some((other) => other !== one && other.contains(one)));
  const found = outermost.length ? outermost : [element.querySelector<HTMLElement>(markup[role]) ?? element];
  return found.map((one) => one.innerText.trim()).join("\n\n").trim();
}

function readTurn(element: HTMLElement, markup: TurnMarkup): Turn | null {
  const role = roleOf(element, markup);
  if (!role) return null;
  const content = wordsOf(element, markup, role);
  return content ? { id: idOf(element, markup), role, content, sentAt: null } : null;
}

const idle = () =>
  new Promise<void>((done) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => done(), { timeout: 2_000 });
    else setTimeout(done, 50);
  });

/** All turns shown, in order, read while the page has nothing else to do. null: the markup does not fit. */
export async function readTurns(site: Site): Promise<Turn[] | null> {
  if (!site.turns) return [];
  const elements = [...document.querySelectorAll<HTMLElement>(site.turns.turn)];
  const turns: Turn[] = [];
  for (let at = 0; at < elements.length; at += CHUNK) {
    await idle();
    for (const element of elements.slice(at, at + CHUNK)) {
      const turn = readTurn(element, site.turns);
      if (turn) turns.push(turn);
    }
  }
  return elements.length && !turns.length ? null : turns;
}

export function isBusy(site: Site): boolean {
  return site.busy !== undefined && document.querySelector(site.busy) !== null;
}

/** The smallest element that holds all turns; null where none is shown yet. */
function holderOf(site: Site): Element | null {
  if (!site.turns) return null;
  const first = document.querySelector(site.turns.turn);
  const all = document.querySelectorAll(site.turns.turn);
  const last = all.item(all.length - 1);
  let holder = first?.parentElement ?? null;
  while (holder && last && !holder.contains(last)) holder = holder.parentElement;
  return holder;
}

/** Whether the last turn shown is the assistant's. */
export function isAnswered(site: Site): boolean {
  if (!site.turns) return false;
  const all = document.querySelectorAll<HTMLElement>(site.turns.turn);
  const last = all.item(all.length - 1);
  return last !== null && roleOf(last, site.turns) === "assistant";
}

/** Resolves when the answer has been written: it stands there, nothing has moved for a while, the site is not busy. */
export function whenQuiet(site: Site, answered: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = performance.now() + LONGEST_WATCH_MS;
    const quiet = site.busy ? QUIET_MS : QUIET_WITHOUT_SIGN_MS;
    let moved = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new MutationObserver(() => {
      moved = performance.now();
    });
    const stop = () => {
      observer.disconnect();
      clearTimeout(timer);
      done();
    };
    const look = () => {
      const now = performance.now();
      if (signal.aborted || now > end) stop();
      else if (now - moved < quiet || isBusy(site) || !answered()) timer = setTimeout(look, QUIET_MS);
      else stop();
    };
    observer.observe(holderOf(site) ?? document.body, { childList: true, subtree: true, characterData: true });
    timer = setTimeout(look, QUIET_MS);
    signal.addEventListener("abort", stop, { once: true });
  });
}
