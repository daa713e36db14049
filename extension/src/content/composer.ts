/** Which element of the page is the composer, and what the user does there. */

import type { Site } from "../types";
import type { Field } from "./editor";

/** What a chat's composer could be on a site without a row: an editable field of some size, not a search box. */
const EDITABLE = 'textarea, [contenteditable=""], [contenteditable="true"], [contenteditable="plaintext-only"]';
const NO_CHAT = '[role="searchbox"], [type="search"], [aria-autocomplete="list"][role="combobox"] input';

export function firstOf(selectors: readonly string[], root: ParentNode = document): HTMLElement | null {
  for (const selector of selectors) {
    const found = root.querySelector<HTMLElement>(selector);
    if (found) return found;
  }
  return null;
}

function editableAt(target: EventTarget | null): HTMLElement | null {
  if (!(target instanceof Element)) return null;
  const found = target.closest<HTMLElement>(EDITABLE);
  if (!found || found.matches(NO_CHAT)) return null;
  // The outermost of nested editable elements is the editor.
  let outer = found;
  for (let up = outer.parentElement?.closest<HTMLElement>(EDITABLE); up; up = up.parentElement?.closest<HTMLElement>(EDITABLE))
    outer = up;
  return outer;
}

/** The composer that an event happened in, or null. */
export function composerAt(site: Site, target: EventTarget | null): Field | null {
  if (!site.composer.length) return editableAt(target);
  if (!(target instanceof Element)) return null;
  for (const selector of site.composer) {
    const found: HTMLElement | null =
      target.closest<HTMLElement>(selector) ?? target.querySelector<HTMLElement>(`:scope > ${selector}`);
    if (found && (found === target || found.contains(target) || target === found.parentElement)) return editable(found);
  }
  return null;
}

/** The row may name a wrapper: what is edited is inside it. */
function editable(found: HTMLElement): Field {
  return found.matches(EDITABLE) || found.isContentEditable ? found : (found.querySelector<HTMLElement>(EDITABLE) ?? found);
}

export function composerIn(site: Site): Field | null {
  const found = firstOf(site.composer);
  if (found) return editable(found);
  return site.composer.length ? null : editableAt(document.activeElement);
}

/** Whether the user writes somewhere that looks like a composer though the row's selectors find none. */
export function writesElsewhere(site: Site, target: EventTarget | null, inChat: boolean): boolean {
  if (!site.composer.length || firstOf(site.composer)) return false;
  // Settings have text fields too: where a chat is, or could begin, is no deep path.
  if (!inChat && location.pathname.split("/").filter(Boolean).length > 1) return false;
  const field = editableAt(target);
  return field !== null && field.getBoundingClientRect().width > 250;
}

/** The control that sends what stands in `field`. */
export function sendControl(site: Site, field: Field): HTMLElement | null {
  const named = firstOf(site.send);
  if (named || site.send.length) return named;
  // By structure: the last enabled button of the smallest form or box around the composer that has one.
  for (let box = field.parentElement, up = 0; box && up < 6; box = box.parentElement, up += 1) {
    const buttons = [...box.querySelectorAll<HTMLElement>('button, [role="button"]')].filter(
      (button) => !button.matches("[disabled], [aria-disabled=true], [aria-haspopup]") && !field.contains(button),
    );
    const submit = buttons.find((button) => button.matches('[type="submit"]')) ?? buttons.at(-1);
    if (submit) return submit;
  }
  return null;
}

export function isSendControl(site: Site, field: Field, target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const button = sendControl(site, field);
  return button !== null && button.contains(target);
}
