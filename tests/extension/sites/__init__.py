"""The servers' sides of the chat sites that the extension is tested on."""

from __future__ import annotations

from extension.sites.chat import ChatSite
from extension.sites.chatgpt import ChatGpt
from extension.sites.claude import Claude
from extension.sites.deepseek import DeepSeek
from extension.sites.gemini import Gemini
from extension.sites.grok import Grok
from extension.sites.kimi import Kimi
from extension.sites.perplexity import Perplexity
from extension.sites.qwen import Qwen

#: Every site by its id, as in the extension's `sites.ts`. The page is `tests/extension/pages/<id>.ts` or `.tsx`.
SITES: dict[str, type[ChatSite]] = {
    site.id: site for site in (ChatGpt, Claude, DeepSeek, Gemini, Perplexity, Grok, Kimi, Qwen)
}
