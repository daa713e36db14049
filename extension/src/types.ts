/** The vocabulary of the extension: what travels between the page, the content script, the worker and the daemon. */

export type Role = "user" | "assistant";

/**
 * One exchange between the page and its own server, as the page's world saw it. Nothing in it is to be trusted: a
 * script of the page may have made it up.
 */
export interface Exchange {
  method: string;
  /** Absolute. */
  url: string;
  status: number;
  /** The request's body, where it is text; "" otherwise. */
  request: string;
  /** The whole of the response's body, a streamed one joined together. */
  response: string;
  /** Whether the response came to its end. False: the page left, or the user stopped the answer. */
  complete: boolean;
  /** When the request was made, in ms since the epoch. */
  at: number;
}

/** A finished turn of a conversation. */
export interface Turn {
  /** The site's own id of the message; null where it has none. */
  id: string | null;
  role: Role;
  content: string;
  /** ISO 8601; null where the site does not say. */
  sentAt: string | null;
}

/** What an exchange says about a conversation. */
export interface Reading {
  /** The site's id of the conversation, as it stands in the page's address; null: the address decides. */
  conversation: string | null;
  title?: string | null;
  /** The branch that is shown, in its order. A new exchange gives what is new; a history gives all. */
  turns: Turn[];
  /** A temporary or incognito chat, of which nothing may be kept. */
  temporary?: boolean;
  /** The answer goes to the page another way than this exchange. */
  elsewhere?: boolean;
}

/**
 * Reads an exchange of one wire format. null: it holds no turns (yet), and that is as it should be.
 * Throws ShapeError where it is not built as the format says: then the site has changed.
 */
export type Read = (exchange: Exchange) => Reading | null;

/** What a site sends no longer has the shape we know. The message names the place, never its content. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** Which exchanges of a site hold turns. `url` is the source of a RegExp tested against the whole address. */
export interface WireRule {
  method: "GET" | "POST";
  url: string;
}

/** How turns stand in the rendered page: CSS selectors. */
export interface TurnMarkup {
  /** Each turn of either side. */
  turn: string;
  /** Which of them the user said, and which the assistant: a turn matches, or holds, one of the two. */
  user: string;
  assistant: string;
  /** The attribute with the site's message id, on the turn or inside it, and what stands before the id there. */
  id?: string;
  idPrefix?: string;
  /** Inside a turn, what holds its words, where the turn has buttons and labels beside them; several are joined. */
  text?: string;
}

/** A chat site: everything that is particular to it. */
export interface Site {
  id: string;
  name: string;
  /** Host names, exact; none for software that people host themselves. */
  hosts: readonly string[];
  /** Where on these hosts the chat lives, if not everywhere: the beginning of the path. */
  path?: string;
  /** For software that people host themselves: a selector that tells it apart, on a site that the user let in. */
  recognise?: string;
  /** Source of a RegExp with one group, the conversation's id, tested against the path and query. */
  conversation: string;
  /** Where nothing may be kept: a RegExp source tested against the path and query, and a selector. */
  temporary?: { url?: string; selector?: string };
  /** Selectors, the first that is found counts. */
  composer: readonly string[];
  send: readonly string[];
  /** Shown only while an answer is being written. */
  busy?: string;
  turns?: TurnMarkup;
  wire?: readonly WireRule[];
  /** The name of the format in `wire/`. */
  format?: string;
  /** Not tested against a page with the site's markup. */
  experimental?: true;
  /** What the row rests on and when it was read: goes into the extension's README. */
  evidence: { from: string; read: string };
}
