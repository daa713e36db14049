/** The way to the worker. After an update of the extension this script is an orphan: it says so once and retires. */

import { api } from "../api";
import { failed, type Failed, type FromPage } from "../messages";

const orphaned = new AbortController();

/** Aborted when the extension was updated or removed under this page. */
export const gone: AbortSignal = orphaned.signal;

export function retire(): void {
  orphaned.abort();
}

/** The worker's answer; `{ error }` where it failed, or where there is no extension any more. */
export async function tell<T>(message: FromPage): Promise<T | Failed> {
  if (gone.aborted) return { error: "gone" };
  if (!api.runtime?.id) {
    retire();
    return { error: "gone" };
  }
  try {
    const answer: unknown = await api.runtime.sendMessage(message);
    return failed(answer) ? answer : (answer as T);
  } catch (error) {
    if (!api.runtime?.id) retire();
    return { error: String(error) };
  }
}
