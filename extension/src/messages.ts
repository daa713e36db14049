/** What the content script, the extension's own pages and the worker say to each other. */

import type { Exchange, Site, Turn } from "./types";

export type Mode = "off" | "suggest" | "auto";
export const MODES: readonly Mode[] = ["off", "suggest", "auto"];

export type HitKind = "fact" | "event" | "explicit_preference" | "implicit_preference" | "instruction" | "turn";
export const KINDS: readonly HitKind[] = [
  "fact",
  "event",
  "explicit_preference",
  "implicit_preference",
  "instruction",
  "turn",
];

/** A memory or turn that the daemon offers; the fields of its API that are read here. */
export interface Hit {
  type: "memory" | "turn";
  id: string;
  kind: HitKind;
  text: string;
  said_by: "user" | "assistant" | "document";
  site: string | null;
  time: string;
  status: string;
  reasoning: string | null;
  /** Special categories it touches: health, politics, religion, sex. */
  special: string[];
}

export interface Context {
  /** The block between the marker lines; "" when nothing is relevant. */
  context: string;
  hits: Hit[];
  tokens: number;
  injection_id: string;
}

export type DaemonState = "ok" | "unreachable" | "unpaired" | "outdated";

/** What the content script needs to know about its page. */
export interface PageState {
  site: Site | null;
  /** Rows that the page may turn out to be, where it has none of its own. */
  hosted: readonly Site[];
  mode: Mode;
  /** Nothing is captured here, nor asked for. */
  paused: boolean;
  /** This conversation is not to be remembered. */
  unremembered: boolean;
  daemon: DaemonState;
  /** The composer was not found when this site was last looked at. */
  lostComposer: boolean;
}

/** Where a content script is: its page's conversation by the address, null in a chat that has none yet. */
export interface Place {
  conversation: string | null;
  title: string;
  url: string;
  temporary: boolean;
}

export type Unreadable = "wire" | "composer" | "turns" | "insert";

/** From a content script. Each has an answer; one that failed is `{ error }`. */
export type FromPage =
  | { do: "hello"; place: Place }
  | { do: "exchange"; place: Place; exchange: Exchange }
  | { do: "turns"; place: Place; turns: Turn[] }
  | { do: "ask"; place: Place; text: string; automatic: boolean; fresh?: boolean }
  | { do: "compose"; place: Place; text: string; only: string[] }
  | { do: "inserted"; injection: string; hits: string[]; conversation: string | null }
  | { do: "correct"; id: string; text: string }
  | { do: "forget"; id: string }
  | { do: "unreadable"; what: Unreadable; detail: string }
  | { do: "readable" }
  | { do: "wake" };

/** Whether turns were kept. `kept`: how many were new. `readable` false: the site's format has changed. */
export interface Kept {
  kept: number;
  readable: boolean;
  /** The store is full: nothing was kept, and the page holds on to it. */
  full?: boolean;
  /** The answer did not come over the wire: it has to be read from the page. */
  elsewhere?: boolean;
}

/** From the extension's own pages. */
export type FromOwnPage =
  | { do: "state"; tab?: number }
  | { do: "set"; settings: Partial<Settings> }
  | { do: "set-site"; site: string; settings: Partial<SiteSettings> }
  | { do: "remember-conversation"; site: string; conversation: string; remember: boolean }
  | { do: "pair"; client: string }
  | { do: "paired" }
  | { do: "unpair" }
  | { do: "drain" };

export interface SiteSettings {
  /** null: the mode of all sites. */
  mode: Mode | null;
  paused: boolean;
  profile: string;
  /** Kinds that may be inserted there. */
  kinds: HitKind[];
  /** Sites (by id) of which nothing may be inserted there. */
  notFrom: string[];
}

export interface Settings {
  port: number;
  mode: Mode;
  paused: boolean;
  sites: Record<string, SiteSettings>;
}

/** What popup and options show. */
export interface Overview {
  daemon: DaemonState;
  version: string;
  daemonVersion: string | null;
  settings: Settings;
  waiting: number;
  refused: number;
  lastError: LastError | null;
  profiles: string[];
  here: {
    /** null: Satchel has no row for this page and was not let in. */
    site: Site | null;
    host: string;
    conversation: string | null;
    temporary: boolean;
    unremembered: boolean;
    today: number;
    unreadable: boolean;
  } | null;
}

export interface LastError {
  /** A key of `_locales`; its remedy is the same key with `_remedy`. */
  name: string;
  detail: string;
  at: number;
}

/** From the worker to content scripts. */
export type ToPage = { tell: "state" } | { tell: "changed" } | { tell: "insert" } | { tell: "place" };

export type Failed = { error: string };
export function failed(answer: unknown): answer is Failed {
  return typeof answer === "object" && answer !== null && "error" in answer;
}
