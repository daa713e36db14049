/**
 * Runs in the page's own world, before the page's scripts: hands on what the page and its server say to each other,
 * for the few addresses that hold turns. It changes nothing, waits for nothing, and fails silently: a page must never
 * break because of it.
 *
 * The way to the content script is a DOM event whose name both sides agree on before any script of the page runs.
 */

import type { Exchange } from "./types";

const HELLO = "satchel:hello";
const READY = "satchel:ready";
const INSTALLED = Symbol.for("satchel.tap");

(() => {
  const world = globalThis as unknown as Record<symbol, unknown>;
  const rules = WIRE.find((site) => site.hosts.includes(location.hostname))?.wire.map((rule) => ({ method: rule.method, url: new RegExp(rule.url) }));
  if (!rules?.length || world[INSTALLED]) return;
  Object.defineProperty(world, INSTALLED, { value: true });

  // Kept from now on, before a page can put something else in their place.
  const Event = CustomEvent;
  const dispatch = EventTarget.prototype.dispatchEvent;
  const listen = EventTarget.prototype.addEventListener;
  const encode = JSON.stringify;
  const now = Date.now;
  const Decoder = TextDecoder;

  let channel = "";
  listen.call(document, HELLO, (event) => {
    const name: unknown = (event as CustomEvent<unknown>).detail;
    if (typeof name !== "string" || !/^satchel:[0-9a-f]{32}$/.test(name)) return;
    channel = name;
    dispatch.call(document, new Event("satchel:agreed"));
  });
  dispatch.call(document, new Event(READY));

  const waiting: string[] = [];
  const hand = (what: Exchange | { begun: string }) => {
    const text = encode(what);
    if (!channel) {
      if (waiting.length < 50) waiting.push(text);
      return;
    }
    for (const early of waiting.splice(0)) dispatch.call(document, new Event(channel, { detail: early }));
    dispatch.call(document, new Event(channel, { detail: text }));
  };
  const quietly = (run: () => void) => {
    try {
      run();
    } catch {
      // The page goes on as if nothing had been there.
    }
  };
  const wanted = (method: string, url: string) => rules.some((rule) => rule.method === method && rule.url.test(url));
  const textOf = (body: unknown): string => {
    if (typeof body === "string") return body;
    if (body instanceof URLSearchParams) return body.toString();
    return body instanceof ArrayBuffer || ArrayBuffer.isView(body) ? new Decoder().decode(body) : "";
  };

  /** Exchanges still going on: told as they stand when the page is left. */
  const open = new Map<object, () => Exchange>();
  listen.call(window, "pagehide", () =>
    quietly(() => {
      for (const state of open.values()) hand(state());
      open.clear();
    }),
  );

  const readStream = async (response: Response, exchange: Exchange) => {
    const parts: string[] = [];
    const decoder = new Decoder();
    const soFar = () => ({ ...exchange, response: parts.join("") });
    open.set(exchange, soFar);
    try {
      const reader = response.body?.getReader();
      while (reader) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(decoder.decode(value, { stream: true }));
      }
      parts.push(decoder.decode());
      exchange.complete = true;
    } catch {
      // The answer was stopped or the connection broke: what came is told as incomplete.
    }
    if (open.delete(exchange)) hand(soFar());
  };

  const pageFetch = window.fetch;
  window.fetch = new Proxy(pageFetch, {
    apply(target, self, parameters: Parameters<typeof fetch>) {
      let begun: Promise<Exchange> | null = null;
      quietly(() => {
        const [input, init] = parameters;
        const asked = input instanceof Request ? input : null;
        const url = new URL(asked ? asked.url : String(input), location.href).href;
        const method = (init?.method ?? asked?.method ?? "GET").toUpperCase();
        if (!wanted(method, url)) return;
        const exchange = { method, url, status: 0, request: textOf(init?.body), response: "", complete: false, at: now() };
        hand({ begun: url });
        // A Request's body can be read only beside the page's own reading of it.
        begun =
          asked?.body && !init?.body
            ? asked.clone().text().then((request) => ({ ...exchange, request }), () => exchange)
            : Promise.resolve(exchange);
      });
      const answer = Reflect.apply(target, self, parameters) as Promise<Response>;
      if (begun) {
        const known: Promise<Exchange> = begun;
        void answer.then(
          (response) =>
            quietly(() => {
              const copy = response.clone();
              void known.then((exchange) => readStream(copy, { ...exchange, status: response.status }));
            }),
          () => undefined,
        );
      }
      return answer;
    },
  });

  const asked = new WeakMap<XMLHttpRequest, Exchange>();
  const pageOpen = XMLHttpRequest.prototype.open;
  const pageSend = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.open = new Proxy(pageOpen, {
    apply(target, self: XMLHttpRequest, parameters: [string, string | URL]) {
      quietly(() => {
        const method = String(parameters[0]).toUpperCase();
        const url = new URL(String(parameters[1]), location.href).href;
        if (wanted(method, url))
          asked.set(self, { method, url, status: 0, request: "", response: "", complete: false, at: now() });
        else asked.delete(self);
      });
      return Reflect.apply(target, self, parameters) as void;
    },
  });
  XMLHttpRequest.prototype.send = new Proxy(pageSend, {
    apply(target, self: XMLHttpRequest, parameters: unknown[]) {
      quietly(() => {
        const known = asked.get(self);
        if (!known) return;
        const exchange = { ...known, request: textOf(parameters[0]), at: now() };
        hand({ begun: known.url });
        const answer = () => {
          if (self.responseType === "" || self.responseType === "text") return self.responseText;
          return self.responseType === "json" ? encode(self.response) : "";
        };
        open.set(exchange, () => ({ ...exchange, status: self.status, response: answer() }));
        const ended = (complete: boolean) =>
          quietly(() => {
            if (open.delete(exchange)) hand({ ...exchange, status: self.status, response: answer(), complete });
          });
        listen.call(self, "load", () => ended(true));
        for (const name of ["error", "abort", "timeout"]) listen.call(self, name, () => ended(false));
      });
      return Reflect.apply(target, self, parameters) as void;
    },
  });
})();
