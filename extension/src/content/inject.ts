/**
 * From what the user types to what stands in the composer: asks, offers, inserts, reads back, takes back, and reports
 * what was really sent. Nothing goes in that its user did not see, and nothing but what the daemon says right then.
 */

import { text } from "../api";
import { failed, type Context, type Hit, type Mode, type Place } from "../messages";
import { BEGIN, holdsBlock } from "../marker";
import type { Site } from "../types";
import { chip, fits, goesAlong, wasInserted, type ChipButton } from "./chip";
import { sendControl } from "./composer";
import { insertBlock, plain, readText, removeBlock, type Field } from "./editor";
import type { Overlay } from "./overlay";
import { preview } from "./preview";
import { tell } from "./worker";

const DEBOUNCE_MS = 350;
/** A worker that sleeps wakes while the user still types. */
const WAKE_EVERY_MS = 20_000;
/** Shorter prompts ("thanks", "go on") ask for nothing. Chinese and Japanese say more with less. */
const SHORTEST = 8;
const SHORTEST_CJK = 4;
/** How long sending may wait for an answer in automatic mode, and how long what was added can be taken back. */
const ASK_MS = 1_500;
const TAKE_BACK_MS = 2_500;
const SENT_SHOWN_MS = 6_000;
/** A new chat has its id a moment after it was sent. */
const UNPLACED_MS = 20_000;

/** Memories on offer for a text. */
interface Offer {
  asked: string;
  context: Context;
  chosen: Set<string>;
  /** The block for what is chosen, as the preview shows it, and the offer it belongs to. */
  shown: { block: string; tokens: number; injection: string; ids: string } | null;
  note: string | null;
  open: boolean;
  unfolded: boolean;
}

/** A block that stands in the composer. */
interface Inserted {
  injection: string;
  hits: Hit[];
  block: string;
  before: string;
}

const isSameHit = (one: Hit, other: Hit | undefined) => other !== undefined && one.text === other.text;
const idsOf = (ids: Iterable<string>) => [...ids].sort().join(" ");
const letters = (words: string) => words.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

export class Injector {
  mode: Mode = "suggest";
  private field: Field | null = null;
  private offer: Offer | null = null;
  private inserted: Inserted | null = null;
  /** In automatic mode: the block is in, and is sent when this rings. */
  private holding: ReturnType<typeof setTimeout> | null = null;
  private passing = false;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private question = 0;
  private wokenAt = 0;
  /** Counts what makes a sending under way void: another conversation, or words that the user goes on writing. */
  private epoch = 0;
  /** Sending waits for the daemon's answer (automatic mode), or for the block to stand in the composer. */
  private asking = false;
  private sendAfter = false;
  /** The text for which the user wanted no offer, until the composer is empty again. */
  private dismissed = false;
  private unplaced: { injection: string; hits: string[]; until: number } | null = null;
  /** Until when it is shown what was sent. */
  private sentUntil = 0;
  private warning: { label: string; detail: string } | null = null;

  constructor(
    private readonly site: Site,
    private readonly overlay: Overlay,
    private readonly place: () => Place,
  ) {}

  // What the page tells

  typed(field: Field, byUser: boolean): void {
    this.field = field;
    clearTimeout(this.timer);
    // Whoever goes on writing does not want it sent yet.
    if (byUser && !this.busy) this.keep();
    if (this.busy || this.mode === "off") return;
    if (Date.now() - this.wokenAt > WAKE_EVERY_MS) {
      this.wokenAt = Date.now();
      void tell({ do: "wake" });
    }
    this.timer = setTimeout(() => void this.look(field), DEBOUNCE_MS);
  }

  /** Whether the key was ours. */
  key(event: KeyboardEvent, field: Field): boolean {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Escape" && (this.holding || this.offer || this.warning)) {
      this.escape();
      return true;
    }
    if (event.key !== "Tab" || event.shiftKey || !this.offer || this.offer.open || this.mode === "auto") return false;
    // On a page with several fields the offer is for one of them.
    if (field !== this.field) return false;
    if (this.offer.chosen.size) void this.insert();
    else this.openPanel();
    return true;
  }

  escape(): void {
    if (this.holding) void this.takeBack();
    else if (this.offer?.open) this.closePanel();
    else this.dismiss();
  }

  /** The user sends. True: not yet; this holds it and sends it itself. `byUser` false: a script of the page sends. */
  sending(field: Field, byUser: boolean): boolean {
    clearTimeout(this.timer);
    if (this.passing) return false;
    if (this.busy && byUser) {
      // In the middle of inserting: it is sent when the block stands there.
      this.sendAfter = true;
      return true;
    }
    if (this.asking && byUser) return true;
    if (this.holding && byUser) {
      void this.pass(field, this.epoch);
      return true;
    }
    const words = readText(field);
    if (this.mode === "auto" && byUser && !this.inserted && !this.dismissed && isQuestion(words) && !holdsBlock(words)) {
      const nothing = this.offer?.asked === words.trim() && !this.offer.chosen.size;
      if (!nothing) {
        void this.addAndSend(field, words.trim());
        return true;
      }
    }
    this.afterSending(field, words, this.inserted);
    return false;
  }

  /** The page shows another conversation. */
  moved(): void {
    this.epoch += 1;
    const { conversation } = this.place();
    if (this.unplaced && conversation !== null) {
      if (Date.now() < this.unplaced.until)
        void tell({ do: "inserted", injection: this.unplaced.injection, hits: this.unplaced.hits, conversation });
      this.unplaced = null;
    }
    this.rest();
  }

  /** A memory was edited or forgotten somewhere: what is offered is asked for again. */
  changed(): void {
    if (this.offer && this.field && !this.busy) void this.ask(this.offer.asked, true);
  }

  /** From the menu or the shortcut: the preview for what stands in `field`, however short. */
  async invite(field: Field): Promise<void> {
    this.field = field;
    this.dismissed = false;
    const words = readText(field).trim();
    if (holdsBlock(words)) return;
    if (this.offer?.asked !== words) await this.ask(words || document.title, false);
    if (this.offer) this.openPanel();
    else this.warn(text("nothing_fits"), "", false);
  }

  warn(label: string, detail: string, warning = true): void {
    this.warning = { label, detail };
    this.overlay.say(label);
    this.overlay.show(
      this.field,
      chip({
        label: detail ? `${label} (${detail})` : label,
        warning,
        buttons: [{ label: "✕", name: text("close"), press: () => this.dismiss() }],
      }),
    );
  }

  rest(): void {
    clearTimeout(this.timer);
    if (this.holding) clearTimeout(this.holding);
    this.holding = null;
    this.offer = null;
    this.inserted = null;
    this.question += 1;
    this.render();
  }

  // Asking

  private async look(field: Field): Promise<void> {
    const words = readText(field).trim();
    if (this.inserted) {
      if (holdsBlock(words)) return;
      this.inserted = null; // taken out by hand
    }
    if (words === "") this.dismissed = false;
    if (this.dismissed || holdsBlock(words) || !isQuestion(words)) {
      this.offer = null;
      this.question += 1;
      this.render();
      return;
    }
    if (this.offer?.asked === words) return;
    await this.ask(words, false);
  }

  private async ask(words: string, fresh: boolean): Promise<void> {
    const question = (this.question += 1);
    const automatic = this.mode === "auto";
    const answer = await tell<Context>({ do: "ask", place: this.place(), text: words, automatic, fresh });
    if (question !== this.question || this.inserted) return;
    if (failed(answer) && answer.error === "asked again") return;
    if (failed(answer) || !answer.hits.length) {
      this.offer = null;
      this.render();
      return;
    }
    const before = this.offer;
    const chosen = answer.hits.filter((hit) => {
      const known = before?.context.hits.some((one) => one.id === hit.id);
      // What touches a special category is offered, and left out until the user takes it in.
      return known ? before?.chosen.has(hit.id) : !hit.special.length;
    });
    this.offer = {
      asked: words,
      context: answer,
      chosen: new Set(chosen.map((hit) => hit.id)),
      shown: null,
      note: before?.open && fresh ? text("list_changed") : null,
      open: before?.open ?? false,
      unfolded: before?.unfolded ?? false,
    };
    this.warning = null;
    this.render();
    if (!before) this.overlay.say(`${this.offerLabel(this.offer)} ${automatic ? "" : text("spoken_hint")}`);
    if (this.offer.open) void this.compose();
  }

  /** The block for what is chosen, as the daemon puts it together now. null: it is no longer what was shown. */
  private async compose(): Promise<Offer["shown"]> {
    const { offer } = this;
    if (!offer) return null;
    const only = [...offer.chosen];
    const ids = idsOf(only);
    if (!only.length) {
      offer.shown = null;
      this.render();
      return null;
    }
    const answer = await tell<Context>({ do: "compose", place: this.place(), text: offer.asked, only });
    if (this.offer !== offer || idsOf(offer.chosen) !== ids) return null;
    if (failed(answer)) {
      if (answer.error !== "asked again") offer.note = text("daemon_failed");
      this.render();
      return null;
    }
    const now = new Map(answer.hits.map((hit) => [hit.id, hit]));
    const same = offer.context.hits.every((hit) => !offer.chosen.has(hit.id) || isSameHit(hit, now.get(hit.id)));
    if (!same) {
      offer.context.hits = offer.context.hits.flatMap((hit) => (offer.chosen.has(hit.id) ? (now.get(hit.id) ?? []) : hit));
      offer.chosen = new Set(answer.hits.map((hit) => hit.id));
      offer.note = text("list_changed");
      offer.open = true;
    }
    // The same memories as the block on show: that one stays, the minute of its making included.
    if (!same || offer.shown?.ids !== ids)
      offer.shown = {
        block: answer.context,
        tokens: answer.tokens,
        injection: answer.injection_id,
        ids: idsOf(offer.chosen),
      };
    this.render();
    return same ? offer.shown : null;
  }

  // Inserting

  private async insert(): Promise<boolean> {
    const { field } = this;
    if (!field || this.busy) return false;
    clearTimeout(this.timer); // a question on its way would put another offer in this one's place
    this.busy = true;
    this.sendAfter = false;
    let done = false;
    try {
      done = await this.insertInto(field);
    } finally {
      this.busy = false;
    }
    if (this.sendAfter && field.isConnected) void this.pass(field, this.epoch);
    return done;
  }

  private async insertInto(field: Field): Promise<boolean> {
    const { offer, epoch } = this;
    if (!offer) return false;
    const shown = await this.compose();
    if (!shown || this.offer !== offer) return false;
    const before = readText(field);
    const taken = await insertBlock(field, shown.block);
    if (epoch !== this.epoch) {
      // The page went on to another conversation: the block must not wait in its composer.
      await removeBlock(field, before);
      return false;
    }
    if (!taken) {
      if (!plain(readText(field))) return false;
      void tell({ do: "unreadable", what: "insert", detail: `${field.tagName.toLowerCase()} did not take the text` });
      this.offer = null;
      this.warn(text("not_taken"), "");
      return false;
    }
    const hits = offer.context.hits.filter((hit) => offer.chosen.has(hit.id));
    this.inserted = { injection: shown.injection, hits, block: shown.block, before };
    this.offer = null;
    this.overlay.say(wasInserted(hits.length));
    this.render();
    return true;
  }

  private async undo(): Promise<boolean> {
    const { inserted, field } = this;
    if (!inserted || !field || this.busy) return false;
    this.busy = true;
    try {
      // What was typed since stays: the block alone is taken out.
      const now = readText(field);
      const before = now.includes(BEGIN) ? now.replace(/⟦satchel⟧[\s\S]*⟦\/satchel⟧\s*/, "") : inserted.before;
      if (!(await removeBlock(field, before))) {
        this.warn(text("not_undone"), "");
        return false;
      }
      this.inserted = null;
      this.dismissed = true;
      this.overlay.say(text("undone"));
      this.render();
      return true;
    } finally {
      this.busy = false;
    }
  }

  // Automatic mode

  private async addAndSend(field: Field, words: string): Promise<void> {
    this.field = field;
    const { epoch } = this;
    if (this.offer?.asked !== words) {
      this.asking = true;
      const late = new Promise((done) => setTimeout(done, ASK_MS));
      await Promise.race([this.ask(words, false), late]);
      this.asking = false;
      this.question += 1; // an answer that comes later is too late
    }
    if (epoch !== this.epoch) return;
    if (!this.offer?.chosen.size || !(await this.insert())) {
      await this.pass(field, epoch);
      return;
    }
    if (epoch !== this.epoch || this.sendAfter) return;
    this.holding = setTimeout(() => void this.pass(field, epoch), TAKE_BACK_MS);
    this.render();
  }

  /** Does not send what was about to be sent. What was added stays, with its undo. */
  private keep(): void {
    if (!this.holding && !this.asking) return;
    this.epoch += 1;
    if (this.holding) clearTimeout(this.holding);
    this.holding = null;
    this.render();
  }

  private async takeBack(): Promise<void> {
    if (this.holding) clearTimeout(this.holding);
    this.holding = null;
    await this.undo();
  }

  /** Sends with the site's own control, past ourselves. */
  private async pass(field: Field, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    if (this.holding) clearTimeout(this.holding);
    this.holding = null;
    const words = readText(field);
    const { inserted } = this;
    // Out of the state before the click: the page's address may change within it.
    this.inserted = null;
    for (let tries = 0; tries < 25; tries += 1) {
      const control = sendControl(this.site, field);
      if (control && !control.matches("[disabled], [aria-disabled=true]")) {
        this.passing = true;
        try {
          control.click();
        } finally {
          this.passing = false;
        }
        this.afterSending(field, words, inserted);
        return;
      }
      await new Promise((done) => setTimeout(done, 20));
      if (epoch !== this.epoch) return;
    }
    this.passing = true;
    try {
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, cancelable: true }));
    } finally {
      this.passing = false;
    }
    this.afterSending(field, words, inserted);
  }

  // After sending

  private afterSending(field: Field, words: string, inserted: Inserted | null): void {
    if (!inserted) {
      this.rest();
      this.dismissed = false;
      return;
    }
    if (!holdsBlock(words)) {
      this.rest();
      return;
    }
    const standing = letters(words);
    const whole = plain(words).includes(plain(inserted.block));
    const hits = inserted.hits.filter((hit) => whole || standing.includes(letters(hit.text).slice(0, 40)));
    // Out of the state at once: a new chat's address changes while it is being sent.
    this.inserted = null;
    const { conversation } = this.place();
    const check = (tries: number) => {
      // Still there: the site did not send (it may be busy with an answer).
      if (field.isConnected && holdsBlock(readText(field))) {
        if (tries) setTimeout(() => check(tries - 1), 400);
        else this.inserted = inserted;
        return;
      }
      this.dismissed = false;
      this.report(inserted.injection, hits.map((hit) => hit.id), conversation ?? this.place().conversation);
      this.showSent(hits.length);
    };
    setTimeout(() => check(20), 150);
  }

  private showSent(count: number): void {
    if (this.offer || this.inserted || this.warning) return;
    this.sentUntil = Date.now() + SENT_SHOWN_MS;
    const close = { label: "✕", name: text("close"), press: () => this.dismiss() };
    this.overlay.show(this.field, chip({ label: wasInserted(count), buttons: [close] }));
    setTimeout(() => this.render(), SENT_SHOWN_MS);
  }

  private report(injection: string, hits: string[], conversation: string | null): void {
    void tell({ do: "inserted", injection, hits, conversation });
    this.unplaced = conversation === null ? { injection, hits, until: Date.now() + UNPLACED_MS } : null;
  }

  // Showing

  private dismiss(): void {
    this.dismissed = true;
    this.sentUntil = 0;
    this.warning = null;
    this.offer = null;
    this.overlay.hide();
    this.field?.focus({ preventScroll: true });
  }

  private openPanel(): void {
    if (!this.offer) return;
    this.offer.open = true;
    this.render();
    this.overlay.focus();
    void this.compose();
  }

  private closePanel(): void {
    if (this.offer) {
      this.offer.open = false;
      this.offer.note = null;
    }
    this.render();
    this.field?.focus({ preventScroll: true });
  }

  private offerLabel(offer: Offer): string {
    const count = offer.chosen.size;
    if (!count) return text("fits_special", offer.context.hits.length);
    return this.mode === "auto" ? goesAlong(count) : fits(count);
  }

  private render(): void {
    const { offer, inserted } = this;
    if (offer?.open && this.overlay.editing) return;
    if (inserted) {
      const held = this.holding !== null;
      const undo: ChipButton = held
        ? { label: text("take_back"), press: () => void this.takeBack() }
        : { label: text("undo"), press: () => void this.undo() };
      const label = held ? text("sending_with", inserted.hits.length) : wasInserted(inserted.hits.length);
      this.overlay.show(this.field, chip({ label, ...(held ? { key: "Esc" } : {}), buttons: [undo] }));
    } else if (offer) {
      const count = offer.chosen.size;
      const small = chip({
        label: this.offerLabel(offer),
        ...(this.mode === "auto" || !count || offer.open ? {} : { key: "Tab" }),
        expanded: offer.open,
        press: () => (offer.open ? this.closePanel() : this.openPanel()),
        buttons: [
          ...(count && this.mode !== "auto" ? [{ label: text("insert"), press: () => void this.insert() }] : []),
          { label: "✕", name: text("not_now"), press: () => this.dismiss() },
        ],
      });
      this.overlay.show(this.field, ...(offer.open ? [this.panel(offer)] : []), small);
    } else if (!this.warning && Date.now() >= this.sentUntil) this.overlay.hide();
  }

  private panel(offer: Offer): HTMLElement {
    const state = {
      context: offer.context,
      chosen: offer.chosen,
      block: offer.chosen.size ? (offer.shown?.ids === idsOf(offer.chosen) ? offer.shown.block : null) : "",
      tokens: offer.shown?.tokens ?? offer.context.tokens,
      note: offer.note,
      open: offer.unfolded,
    };
    const done = async (answer: Promise<unknown>): Promise<string | null> => {
      if (failed(await answer)) return text("daemon_failed");
      await this.ask(offer.asked, true);
      return null;
    };
    return preview(
      state,
      {
        toggle: (id, on) => {
          if (on) offer.chosen.add(id);
          else offer.chosen.delete(id);
          offer.note = null;
          this.render();
          void this.compose();
        },
        unfold: (open) => {
          offer.unfolded = open;
        },
        insert: () => void this.insert(),
        close: () => this.closePanel(),
        correct: (id, words) => (words ? done(tell({ do: "correct", id, text: words })) : Promise.resolve(text("empty_text"))),
        forget: (id) => done(tell({ do: "forget", id })),
        settled: () => this.render(),
      },
      this.mode === "auto",
    );
  }
}

function isQuestion(words: string): boolean {
  const dense = words.replace(/\s+/g, "");
  return dense.length >= (/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(dense) ? SHORTEST_CJK : SHORTEST);
}
