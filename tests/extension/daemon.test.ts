/** What the worker asks of the daemon, and how long it waits for it. */

import "./browser-stub";
import assert from "node:assert/strict";
import { test } from "node:test";
import { call } from "../../extension/src/worker/daemon";

test("forgetting is waited for until its bytes are gone, anything else for half a minute", async (t) => {
  const limits: number[] = [];
  t.mock.method(AbortSignal, "timeout", (ms: number) => {
    limits.push(ms);
    return new AbortController().signal;
  });
  const headers = { "X-Satchel-Version": "0.1.0" };
  t.mock.method(globalThis, "fetch", () => Promise.resolve(new Response("{}", { headers })));
  await call("DELETE", "/v1/memories/a");
  await call("PATCH", "/v1/memories/a", { body: {} });
  await call("DELETE", "/v1/pair");
  assert.deepEqual(limits, [300_000, 30_000, 30_000]);
});
