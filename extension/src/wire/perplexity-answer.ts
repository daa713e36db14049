/** The answer among the blocks of a finished Perplexity entry. Plans, searches and follow-ups stand in other blocks. */

import { ShapeError } from "../types";
import { asArray, asObject, asString, type JsonObject, maybeString, parse } from "./shape";
import { within } from "./within";

/** "" where an entry has none, as when it only made a picture. */
export function answerOf(entry: JsonObject): string {
  const blocks = entry.blocks === undefined || entry.blocks === null ? [] : asArray(entry.blocks, "the blocks");
  if (!blocks.length) return answerInText(entry);
  const markdown = new Map<string, string>();
  let workflow: string | null = null;
  for (const each of blocks) {
    const block = asObject(each, "a block");
    const usage = maybeString(block.intended_usage) ?? "";
    const text = within(block.markdown_block, "a text block");
    if (text && usage.startsWith("ask_text")) markdown.set(usage, asString(text.answer, "the answer"));
    const root = within(block.workflow_block, "a workflow");
    if (root) workflow = answerInWorkflow(root);
  }
  // "ask_text" is the whole; "ask_text_0_markdown" and its like are the same in parts.
  const answer = markdown.get("ask_text") ?? (markdown.size ? [...markdown.values()].join("\n\n") : workflow);
  if (answer === null) throw new ShapeError("no block of a finished entry is its answer");
  return answer;
}

/** Since mid-2026 an answer may come as an item of the workflow that led to it. */
function answerInWorkflow(root: JsonObject): string {
  const said: string[] = [];
  for (const step of root.steps === undefined ? [] : asArray(root.steps, "the steps")) {
    const items = asObject(step, "a step").items;
    for (const each of items === undefined ? [] : asArray(items, "the items")) {
      const item = asObject(each, "an item");
      const text = within(within(item.payload, "a payload")?.text_payload, "a text");
      if (text && (item.variant ?? text.variant) === "answer") said.push(asString(text.text, "a text"));
    }
  }
  return said.join("\n\n");
}

/** Without blocks, the steps stand in `text` as JSON, and the answer in the last of them, once more as JSON. */
function answerInText(entry: JsonObject): string {
  const text = maybeString(entry.text);
  if (text === null) return "";
  for (const each of asArray(parse(text, "the steps"), "the steps")) {
    const step = asObject(each, "a step");
    if (step.step_type !== "FINAL") continue;
    const answer = asString(asObject(step.content, "the final step").answer, "the answer");
    return answer.startsWith("{") ? asString(asObject(parse(answer, "the answer"), "the answer").answer, "the answer") : answer;
  }
  return "";
}
