/** What of a page goes to the worker: exchanges from the wire, and the rendered page where the wire tells nothing. */

import { failed, type FromPage, type Kept, type Place } from "../messages";
import type { Exchange, Site, Turn } from "../types";
import type { Heard } from "./channel";
import type { Field } from "./editor";
import { exchangeAfter } from "./structure";
import { isAnswered, readTurns, whenQuiet } from "./turns";
import { gone, tell } from "./worker";

/** How long the wire has to show itself before the page is read instead. */
const WIRE_BEGINS_MS = 3_000;
const HISTORY_MS = 5_000;
const RETRY_MS = 20_000;
const MOST_TRIES = 100;

export class Capture {
  /** Whether anything may be captured here at all. */
  on = false;
  /** Whether the worker wants to hear of exchanges: also of those it will not keep, for one may say that it is temporary. */
  listening = false;
  private heardAt = 0;
  /** The conversation of the last exchange that could be read. */
  private wired: string | null = null;
  private readonly held: { message: FromPage; tries: number }[] = [];
  private flushing: Promise<void> | null = null;
  private watching: AbortController | null = null;

  constructor(
    private readonly site: Site,
    private readonly place: () => Place,
    private readonly unreadable: (what: "wire" | "turns", detail: string) => void,
    private readonly full: () => void,
  ) {}

  heard(what: Heard): void {
    this.heardAt = performance.now();
    if (!("begun" in what)) void this.exchange(what);
  }

  private async exchange(exchange: Exchange): Promise<void> {
    if (!this.listening) return;
    const kept = await this.hand({ do: "exchange", place: this.place(), exchange });
    if (!kept) return;
    this.wired = this.place().conversation;
    if (kept.elsewhere) await this.readWhenQuiet();
    if (kept.readable || !this.on) return;
    this.unreadable("wire", "");
    await this.readPage();
  }

  private async readWhenQuiet(
    answered = () => isAnswered(this.site),
    then: () => Promise<void> = () => this.readPage(),
  ): Promise<void> {
    this.watching?.abort();
    const watching = (this.watching = new AbortController());
    await whenQuiet(this.site, answered, AbortSignal.any([watching.signal, gone]));
    if (!watching.signal.aborted && !gone.aborted && this.on) await then();
  }

  /** After the user sent something: when the wire stays silent, the page is watched until the answer stands there. */
  async sent(words: string, field: Field): Promise<void> {
    if (!this.on) return;
    const [sentAt, at] = [performance.now(), Date.now()];
    if (this.site.wire?.length) {
      await new Promise((done) => setTimeout(done, WIRE_BEGINS_MS));
      if (this.heardAt >= sentAt - 200) return;
    }
    if (this.site.turns) return this.readWhenQuiet();
    const read = () => exchangeAfter(words, field, at);
    await this.readWhenQuiet(() => read() !== null, async () => {
      const turns = read();
      if (turns) await this.turns(turns);
      else this.unreadable("turns", "structure");
    });
  }

  /** A conversation was opened: if its history does not come over the wire, it is read when the page has time. */
  opened(): void {
    this.watching?.abort();
    const { conversation } = this.place();
    if (conversation === null || !this.site.turns) return;
    setTimeout(() => {
      const silent = this.wired !== conversation && performance.now() - this.heardAt > HISTORY_MS;
      if (this.on && silent && this.place().conversation === conversation) void this.readPage(false);
    }, HISTORY_MS);
  }

  private async readPage(expected = true): Promise<void> {
    const turns = await readTurns(this.site);
    if (turns?.length) await this.turns(turns);
    else if (expected && this.site.turns) this.unreadable("turns", this.site.turns.turn);
  }

  private async turns(turns: Turn[]): Promise<void> {
    await this.hand({ do: "turns", place: this.place(), turns });
  }

  /** Hands it to the worker. Where its store is full the page holds on to it, and tries again before what comes next. */
  private async hand(message: FromPage): Promise<Kept | null> {
    await this.flush();
    const kept = this.held.length ? null : await this.send(message);
    if (kept || gone.aborted) return kept;
    this.held.push({ message, tries: 0 });
    setTimeout(() => void this.flush(), RETRY_MS);
    return null;
  }

  /** Another try for what could not be kept, in its order. */
  flush(): Promise<void> {
    this.flushing ??= this.sendHeld().finally(() => {
      this.flushing = null;
    });
    return this.flushing;
  }

  private async sendHeld(): Promise<void> {
    for (let [first] = this.held; first; [first] = this.held) {
      // What the worker fails on again and again must not keep the rest back.
      if (!(await this.send(first.message)) && ++first.tries < MOST_TRIES) return;
      this.held.shift();
    }
  }

  /** null: it was not kept. */
  private async send(message: FromPage): Promise<Kept | null> {
    const kept = await tell<Kept>(message);
    if (failed(kept)) return null;
    if (kept.full) this.full();
    return kept.full ? null : kept;
  }
}
