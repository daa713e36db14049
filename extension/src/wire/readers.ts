/** The wire formats by name, as rows of `sites.ts` call them. */

import type { Read } from "../types";
import { readChatGpt } from "./chatgpt";
import { readClaude } from "./claude";
import { readDeepSeek } from "./deepseek";
import { readGemini } from "./gemini";
import { readGrok } from "./grok";
import { readKimi } from "./kimi";
import { readPerplexity } from "./perplexity";
import { readQwen } from "./qwen";

export const READERS: Readonly<Record<string, Read>> = {
  chatgpt: readChatGpt,
  claude: readClaude,
  deepseek: readDeepSeek,
  gemini: readGemini,
  grok: readGrok,
  kimi: readKimi,
  perplexity: readPerplexity,
  qwen: readQwen,
};
