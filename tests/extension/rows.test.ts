/** The rows of `sites.ts`: their patterns fit the addresses that the sites have, and no others. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SITES, siteOf } from "../../extension/src/sites";
import { READERS } from "../../extension/src/wire/readers";

const UUID = "519dce3f-387b-47fa-bd14-4dfc4e30102a";

/** A host, a path, and the conversation in it. */
const PATHS: [string, string, string | null][] = [
  ["www.perplexity.ai", `/search/${UUID}`, UUID],
  ["www.perplexity.ai", "/search/longest-rivers-aB3_x.Y?focus=1", "longest-rivers-aB3_x.Y"],
  ["www.perplexity.ai", `/search/new/${UUID}`, null],
  ["www.perplexity.ai", "/search/new?q=x", null],
  ["www.perplexity.ai", "/library", null],
  ["grok.com", `/c/${UUID}`, UUID],
  ["grok.com", `/chat/${UUID}?rid=1`, UUID],
  ["grok.com", `/project/p1?chat=${UUID}`, UUID],
  ["grok.com", "/c", null],
  ["www.kimi.com", "/chat/d8oao64qdqelskm3v4og", "d8oao64qdqelskm3v4og"],
  ["www.kimi.com", "/chat/history", null],
  ["www.kimi.com", "/", null],
  ["chat.qwen.ai", `/c/${UUID}`, UUID],
  ["chat.qwen.ai", "/c/new-chat", null],
  ["chat.qwen.ai", "/c/guest", null],
  ["copilot.microsoft.com", "/chats/AbC12xyz", "AbC12xyz"],
  ["chat.mistral.ai", `/chat/${UUID}`, UUID],
  ["www.doubao.com", "/chat/38412345678901", "38412345678901"],
  ["www.doubao.com", "/chat/create-image", null],
  ["yuanbao.tencent.com", `/chat/naQivTmsDa/${UUID}`, UUID],
  ["yuanbao.tencent.com", "/chat/naQivTmsDa", null],
  ["poe.com", "/chat/2xk3abc", "2xk3abc"],
  ["poe.com", "/Claude", null],
  ["huggingface.co", "/chat/conversation/65f0c0ffee65f0c0ffee65f0", "65f0c0ffee65f0c0ffee65f0"],
  ["huggingface.co", "/models", null],
  ["www.meta.ai", `/prompt/${UUID}`, UUID],
];

/** What a page asks of its server, and whether it holds turns. */
const CALLS: ["GET" | "POST", string, boolean][] = [
  ["POST", "https://www.perplexity.ai/rest/sse/perplexity_ask", true],
  ["GET", `https://www.perplexity.ai/rest/sse/perplexity_ask/reconnect/${UUID}`, true],
  ["GET", `https://www.perplexity.ai/rest/thread/${UUID}?version=2.18`, true],
  ["GET", "https://www.perplexity.ai/rest/thread/list_recent?version=2.18", false],
  ["POST", "https://www.perplexity.ai/rest/thread/list_ask_threads?version=2.18", false],
  ["POST", "https://grok.com/rest/app-chat/conversations/new", true],
  ["POST", `https://grok.com/rest/app-chat/conversations/${UUID}/responses`, true],
  ["POST", `https://grok.com/rest/app-chat/conversations/${UUID}/load-responses`, true],
  ["GET", `https://grok.com/rest/app-chat/conversations/${UUID}/response-node?includeThreads=true`, false],
  ["GET", "https://grok.com/rest/app-chat/conversations?pageSize=60", false],
  ["POST", "https://www.kimi.com/apiv2/kimi.gateway.chat.v1.ChatService/Chat", true],
  ["POST", "https://www.kimi.com/apiv2/kimi.gateway.chat.v1.ChatService/ListMessages", true],
  ["POST", "https://www.kimi.com/apiv2/kimi.chat.v1.ChatService/ListChats", false],
  ["POST", `https://chat.qwen.ai/api/v2/chat/completions?chat_id=${UUID}`, true],
  ["GET", `https://chat.qwen.ai/api/v2/chats/${UUID}?direction=up&limit=10`, true],
  ["GET", `https://chat.qwen.ai/api/v2/chats/${UUID}/tags`, false],
  ["GET", "https://chat.qwen.ai/api/v2/chats/?page=1", false],
  ["POST", "https://chat.qwen.ai/api/v2/chats/new", false],
];

test("the conversation is found in the addresses that hold one, and in no others", () => {
  for (const [host, path, id] of PATHS) {
    const site = siteOf(host);
    assert.ok(site, host);
    assert.equal(new RegExp(site.conversation).exec(path)?.[1] ?? null, id, `${host}${path}`);
  }
});

test("only calls that hold turns are read", () => {
  for (const [method, url, holds] of CALLS) {
    const rules = siteOf(new URL(url).hostname)?.wire ?? [];
    assert.equal(rules.some((rule) => rule.method === method && new RegExp(rule.url).test(url)), holds, `${method} ${url}`);
  }
});

test("every row has a name of its own, hosts of its own, and a reader for its wire", () => {
  assert.equal(new Set(SITES.map(({ id }) => id)).size, SITES.length);
  const hosts = SITES.flatMap((site) => site.hosts);
  assert.equal(new Set(hosts).size, hosts.length);
  for (const { id, hosts, wire, format, experimental, evidence } of SITES) {
    assert.equal(Boolean(wire?.length), format !== undefined && format in READERS, id);
    assert.ok(experimental || wire, id);
    assert.ok(hosts.length || id === "openwebui", id);
    assert.match(evidence.read, /^20\d\d-\d\d$/);
  }
});

test("every pattern can be compiled and has one group where it must", () => {
  for (const { id, conversation, temporary, wire } of SITES) {
    assert.equal(new RegExp(`${conversation}|`).exec("")?.length, 2, id);
    if (temporary?.url) new RegExp(temporary.url);
    for (const { url } of wire ?? []) new RegExp(url);
  }
});
