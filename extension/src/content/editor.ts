/**
 * Reading and writing a composer, whatever editor stands behind it. Setting its HTML would bypass the editor's own
 * state: text goes in the way a person's does, and is read back afterwards.
 */

import { BEGIN, END, withBlock } from "../marker";

export type Field = HTMLElement;

const inFirefox = typeof browser !== "undefined";
const READ_BACK_MS = 800;
const STEP_MS = 20;

function isText(field: Field): field is HTMLTextAreaElement | HTMLInputElement {
  return field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement;
}

/** What stands in the composer. Editors differ in how many line breaks they put between paragraphs. */
export function readText(field: Field): string {
  if (isText(field)) return field.value;
  return field.innerText.replace(/[\u200b\ufeff]/g, "").replace(/\n{3,}/g, "\n\n").replace(/\n$/, "");
}

/** For comparing: editors and sites change white space, and nothing else. */
export function plain(text: string): string {
  return text.replace(/[\s\u200b\ufeff]+/g, " ").trim();
}

const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Whether the composer comes to say this; its editor may render later. */
async function becomes(field: Field, wanted: string, ms = READ_BACK_MS): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (plain(readText(field)) === plain(wanted)) return true;
    if (performance.now() > end) return false;
    await wait(STEP_MS);
  }
}

/** Puts the caret, and waits until the editor has noticed. */
async function select(field: Field, from: "start" | "end" | Range): Promise<void> {
  field.focus({ preventScroll: true });
  if (isText(field)) {
    const at = from === "start" ? 0 : field.value.length;
    field.setSelectionRange(at, at);
    return;
  }
  const noticed = new Promise<void>((done) => {
    document.addEventListener("selectionchange", () => done(), { once: true });
    setTimeout(done, 80);
  });
  const range = typeof from === "string" ? edge(field, from) : from;
  const selection = document.getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
  await noticed;
  await wait(0);
}

/** The very beginning or end of the text inside an editable element. */
function edge(field: Field, side: "start" | "end"): Range {
  const range = document.createRange();
  let node: Node = field;
  for (;;) {
    const next: ChildNode | null = side === "start" ? node.firstChild : node.lastChild;
    if (!next || (next instanceof HTMLElement && (next.tagName === "BR" || next.contentEditable === "false"))) break;
    node = next;
  }
  range.selectNodeContents(node);
  range.collapse(side === "start");
  return range;
}

function type(_field: Field, text: string): void {
  document.execCommand("insertText", false, text);
}

/** Firefox makes a paste event's data from `data` and `dataType`, others from `clipboardData`. */
type PasteInit = ClipboardEventInit & { dataType: string; data: string };

/** A paste event of our own: the user's clipboard is not touched. */
function paste(field: Field, text: string): void {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const init: PasteInit = { clipboardData, dataType: "text/plain", data: text, bubbles: true, cancelable: true, composed: true };
  field.dispatchEvent(new ClipboardEvent("paste", init));
}

/** React overrides `value` on the element itself; the prototype's setter is the browser's. */
function setValue(field: Field, value: string): void {
  const prototype = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(prototype, "value")?.set?.call(field, value);
  field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}

type Way = (field: Field, text: string) => void;

function waysInto(field: Field): Way[] {
  if (isText(field)) return [type, (one, text) => setValue(one, text + (one as HTMLTextAreaElement).value)];
  // Lexical takes what is typed as one line, and so does every editor in Firefox; what is pasted keeps its line breaks.
  const pasteFirst = inFirefox || field.closest("[data-lexical-editor], .ql-editor") !== null;
  return pasteFirst ? [paste, type] : [type, paste];
}

/**
 * Puts a block before what stands in the composer, and reads back. False: the editor did not take it, and the composer
 * says what it said before.
 */
export async function insertBlock(field: Field, block: string): Promise<boolean> {
  const before = readText(field);
  const wanted = withBlock(block, before);
  for (const way of waysInto(field)) {
    await select(field, "start");
    way(field, `${block}\n\n`);
    if (await becomes(field, wanted)) {
      await select(field, "end");
      return true;
    }
    const now = readText(field);
    // Emptied meanwhile, or another composer in its place: it was sent, and what was sent must not come back.
    if (!field.isConnected || (plain(before) && !plain(now))) return false;
    if (plain(now) !== plain(before) && !(await restore(field, before))) return false;
  }
  return false;
}

/** Takes the block out again. False: it could not be found, or the editor would not let it go. */
export async function removeBlock(field: Field, before: string): Promise<boolean> {
  const text = readText(field);
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) return false;
  if (isText(field)) {
    field.focus({ preventScroll: true });
    const rest = field.value.slice(end + END.length);
    const blank = rest.length - rest.trimStart().length;
    field.setSelectionRange(begin, end + END.length + blank);
    document.execCommand("delete");
  } else {
    const range = blockRange(field);
    if (!range) return false;
    await select(field, range);
    document.execCommand("delete");
  }
  return (await becomes(field, before, 300)) || restore(field, before);
}

/** From the block's first letter to where the user's own text begins. */
function blockRange(field: Field): Range | null {
  const walker = document.createTreeWalker(field, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let begun = false;
  let ended = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent ?? "";
    if (!begun && text.includes(BEGIN)) {
      range.setStart(node, text.indexOf(BEGIN));
      begun = true;
    }
    const at = ended ? 0 : text.indexOf(END);
    if (begun && !ended && at >= 0) {
      range.setEnd(node, at + END.length);
      ended = true;
    }
    if (ended) {
      // Up to the next letter, over the blank line between.
      const from = node === range.endContainer ? range.endOffset : 0;
      const rest = /\S/.exec(text.slice(from).replace(/[\u200b\ufeff]/g, " "));
      if (rest) {
        range.setEnd(node, from + rest.index);
        return range;
      }
    }
  }
  return ended ? range : null;
}

/** The last resort: everything is replaced by what was there, so that no word of the user's is lost. */
async function restore(field: Field, before: string): Promise<boolean> {
  field.focus({ preventScroll: true });
  if (isText(field)) {
    setValue(field, before);
    return becomes(field, before);
  }
  const all = document.createRange();
  all.selectNodeContents(field);
  for (const way of waysInto(field)) {
    await select(field, all);
    if (before === "") document.execCommand("delete");
    else way(field, before);
    if (await becomes(field, before)) return true;
  }
  return false;
}
