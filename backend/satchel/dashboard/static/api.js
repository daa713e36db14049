// Asking the daemon. Each request carries the key of `satchel open`; the cookie goes along by itself.

import { pageKey } from "./key.js";

/** What went wrong, as the daemon says it. `status` 0: it did not answer; 401: this browser is not let in any more. */
export class Problem extends Error {
  /** @param {number} status @param {string} title @param {string} detail */
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, query?: Record<string, any>, signal?: AbortSignal, keepalive?: boolean}} [more]
 *   of `query`, what is null, undefined or "" is left out
 * @returns {Promise<Response>} one that succeeded; throws Problem, and AbortError
 */
export async function request(method, path, { body, query, signal, keepalive } = {}) {
  const asked = Object.entries(query ?? {}).filter(([, value]) => value != null && value !== "");
  const address = asked.length ? `${path}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}` : path;
  /** @type {Record<string, string>} */
  const headers = { "X-Satchel-Page": pageKey() };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(address, { method, headers, signal, keepalive, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") {
      throw error;
    }
    throw new Problem(0, "Satchel does not answer", "");
  }
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    const problem = new Problem(response.status, told.title ?? response.statusText, told.detail ?? "");
    if (response.status === 401) {
      dispatchEvent(new CustomEvent("signed-out"));
    }
    throw problem;
  }
  return response;
}

/** The decoded answer. @param {string} method @param {string} path @param {Parameters<typeof request>[2]} [more] */
export async function call(method, path, more) {
  return (await request(method, path, more)).json();
}

export const get = (/** @type {string} */ path, /** @type {Record<string, any>} */ query = {}, /** @type {AbortSignal | undefined} */ signal = undefined) =>
  call("GET", path, { query, signal });

/** An id as one segment of a path. @param {string} folder @param {string} id */
export const at = (folder, id) => `${folder}/${encodeURIComponent(id)}`;
