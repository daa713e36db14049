// What happens, told by the daemon as it happens (server-sent events, over fetch: EventSource cannot send our header).
//
// One tab keeps the stream and passes on what it hears: browsers open six connections to one address at the most, and six
// tabs would leave none for asking.
import { request } from "./api.js";

const LONGEST_WAIT_MS = 10_000;

/** @typedef {{name: string, profile: string | null, [field: string]: any}} Happening */

/** @type {Set<(happening: Happening) => void>} */
const listeners = new Set();
/** @type {Set<() => void>} */
const watchers = new Set();
let connected = true;
let wait = 500;
let over = false;
const tabs = new BroadcastChannel("satchel");
tabs.onmessage = ({ data }) => {
  if ("over" in data) {
    over = true; // as it was told, it is not told on
    dispatchEvent(new CustomEvent("signed-out"));
  } else {
    "connected" in data ? setConnected(data.connected) : tell(data);
  }
};
/** This browser is not let in any more: what one tab is told of it holds for all. */
addEventListener("signed-out", () => {
  if (!over) {
    over = true;
    tabs.postMessage({ over });
  }
});

/** Whether the daemon is there, as far as is known. */
export const isConnected = () => connected;

/** Calls on each event; also `{name: "again"}` after the connection was lost: anything may have happened meanwhile.
 * @param {(happening: Happening) => void} listener @returns {() => void} ends it */
export function listen(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Calls whenever the connection is lost or back. @param {() => void} watcher @returns {() => void} ends it */
export function watchConnection(watcher) {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

/** @param {Happening} happening */
function tell(happening) {
  for (const listener of [...listeners]) {
    listener(happening);
  }
}

/** @param {boolean} now */
function setConnected(now) {
  if (connected !== now) {
    connected = now;
    for (const watcher of [...watchers]) {
      watcher();
    }
    if (now) {
      tell({ name: "again", profile: null });
    }
  }
}

/** @param {string} block an event as it stands on the wire */
function parse(block) {
  const fields = block.split("\n").map((line) => /^(\w+): ?(.*)$/.exec(line.replace(/\r$/, ""))?.slice(1) ?? ["", ""]);
  const name = fields.find(([field]) => field === "event")?.[1];
  const data = fields.filter(([field]) => field === "data").map(([, text]) => text).join("\n");
  return name ? { name, ...JSON.parse(data || "{}") } : null;
}

/** @param {boolean} now */
function noteConnected(now) {
  if (connected !== now) {
    tabs.postMessage({ connected: now });
    setConnected(now);
  }
}

async function stream() {
  const response = await request("GET", "/v1/events");
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    noteConnected(true);
    wait = 500;
    rest += decoder.decode(value, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const happening = parse(block);
      if (happening) {
        tell(happening);
        tabs.postMessage(happening);
      }
    }
  }
}

/** Listens until the page is closed, or this browser is not let in any more. */
export async function live() {
  const opened = performance.now();
  await navigator.locks.request("satchel.stream", async () => {
    if (performance.now() - opened > 1000) {
      tell({ name: "again", profile: null }); // another tab kept the stream until now, and something may lie between
    }
    while (!over) {
      try {
        await stream();
      } catch {
        // Whatever ended it: it is tried again, and the banner says so meanwhile.
      }
      if (!over) {
        noteConnected(false);
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      }
    }
  });
}
