/** Where chip and preview live: one element beside the page's own, with a closed shadow root, placed at the composer. */

import { CSS } from "./look";
import { el } from "../dom";

/** Pixels below which the preview rather goes to the composer's other side. */
const LEAST_ROOM = 240;
/** How far up a composer's own scrolling box is looked for. */
const SCROLLERS = 6;

export class Overlay {
  readonly root = el("div", { class: "root" });
  /** What a screen reader is told; changes are spoken. */
  readonly voice = el("div", { class: "hidden", role: "status", "aria-live": "polite" });
  private readonly host = document.createElement("satchel-overlay");
  private shadow: ShadowRoot | null = null;
  private anchor: Element | null = null;
  private readonly resized = new ResizeObserver(() => this.place());

  constructor(
    private readonly signal: AbortSignal,
    private readonly escaped: () => void,
  ) {
    signal.addEventListener("abort", () => this.host.remove());
  }

  /** Made when it is first shown: most pages never need it. */
  private build(): ShadowRoot {
    const shadow = this.host.attachShadow({ mode: "closed" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      shadow.adoptedStyleSheets = [sheet];
    } catch {
      // Firefox keeps constructed sheets of a content script out of shadow roots.
      shadow.append(el("style", {}, CSS));
    }
    shadow.append(this.root, this.voice);
    // Typing in the preview is no typing in the page: neither its shortcuts nor its composer may hear of it.
    for (const name of ["keydown", "keyup", "keypress", "input", "beforeinput", "paste", "copy", "cut", "focusin", "click"])
      this.root.addEventListener(name, (event) => event.stopPropagation());
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.escaped();
    });
    return shadow;
  }

  private get shown(): boolean {
    return this.root.childElementCount > 0;
  }

  /** Whether a correction or a "sure?" stands open: nothing may be drawn over it. */
  get editing(): boolean {
    return this.root.querySelector(".edit, .danger") !== null;
  }

  /** Whether an event came from in here (it is seen from outside as the host's). */
  owns(target: EventTarget | null): boolean {
    return target === this.host;
  }

  show(anchor: Element | null, ...content: Node[]): void {
    if (this.signal.aborted) return;
    this.shadow ??= this.build();
    const first = !this.shown;
    this.redraw(content);
    if (anchor !== this.anchor) {
      this.resized.disconnect();
      if (anchor) this.resized.observe(anchor);
      this.anchor = anchor;
    }
    // Measured before anything is added to the page, while its layout is still known.
    this.place();
    // The element stays when nothing is shown: a screen reader speaks only what changes in a region that it knows.
    if (!this.host.isConnected) document.documentElement.append(this.host);
    if (first) {
      window.addEventListener("resize", this.place, { passive: true });
      window.addEventListener("scroll", this.place, { passive: true, capture: true });
    }
  }

  /** Draws anew; what was scrolled and focused stays so. */
  private redraw(content: Node[]): void {
    const focusable = "button, input, textarea, summary, pre";
    const list = this.root.querySelector(".list");
    const top = list?.scrollTop ?? 0;
    const at = [...this.root.querySelectorAll(focusable)].indexOf(this.shadow?.activeElement as Element);
    this.root.replaceChildren(...content);
    this.root.querySelector(".list")?.scrollTo(0, top);
    if (at >= 0) this.root.querySelectorAll<HTMLElement>(focusable)[at]?.focus({ preventScroll: true });
  }

  hide(): void {
    if (!this.shown) return;
    this.root.replaceChildren();
    this.resized.disconnect();
    this.anchor = null;
    window.removeEventListener("resize", this.place);
    window.removeEventListener("scroll", this.place, { capture: true });
  }

  /** Puts the focus on the first thing in the preview. */
  focus(): void {
    this.root.querySelector<HTMLElement>(".panel input, .panel button")?.focus({ preventScroll: true });
  }

  say(text: string): void {
    this.voice.textContent = text;
  }

  /**
   * At the composer's right corner, above it where there is room, inside the window. Where there is no composer, in the
   * upper corner: in the lower one it could lie over a composer that we do not know.
   */
  private readonly place = (): void => {
    const { style } = this.root;
    const box = this.anchor?.isConnected ? visible(this.anchor) : null;
    if (!box) {
      Object.assign(style, { right: "16px", top: "16px", bottom: "auto" });
      return;
    }
    const width = Math.min(innerWidth - 16, this.root.querySelector(".panel") ? 440 : 320);
    const right = Math.max(8, Math.min(innerWidth - box.right, innerWidth - width - 8));
    const [above, below] = [box.top - 24, innerHeight - box.bottom - 24];
    const under = above < LEAST_ROOM && below > above;
    style.right = `${right}px`;
    style.top = under ? `${box.bottom + 10}px` : "auto";
    style.bottom = under ? "auto" : `${innerHeight - box.top + 10}px`;
    style.setProperty("--room", `${Math.max(LEAST_ROOM, (under ? below : above) - 40)}px`);
  };
}

/** The part of an element that can be seen: a long prompt scrolls inside its box. null: nothing of it. */
function visible(element: Element): { top: number; bottom: number; right: number } | null {
  let { top, bottom, right } = element.getBoundingClientRect();
  for (let up = element.parentElement, levels = 0; up && levels < SCROLLERS; up = up.parentElement, levels += 1) {
    if (getComputedStyle(up).overflowY === "visible") continue;
    const box = up.getBoundingClientRect();
    [top, bottom, right] = [Math.max(top, box.top), Math.min(bottom, box.bottom), Math.min(right, box.right)];
  }
  return bottom > Math.max(0, top) && top < innerHeight && right > 0 ? { top, bottom, right } : null;
}
