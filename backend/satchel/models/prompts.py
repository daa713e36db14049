"""Chat formats, safe against text that imitates them.

The parts of a prompt that belong to the template stand between two control characters (STX and ETX); only
there do strings such as `<|im_end|>` become control tokens. Everything else is tokenized as plain text, so
nothing that a captured page holds can end the user's turn or pose as the system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from satchel.models.registry import PromptFormat

OPEN, CLOSE = "\x02", "\x03"
TEMPLATE = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
MARKS = str.maketrans("", "", OPEN + CLOSE)
Turn = tuple[Literal["user", "assistant"], str]


def template(text: str) -> str:
    """`text` marked as part of the template."""
    return f"{OPEN}{text}{CLOSE}"


def plain(text: str) -> str:
    """Text from outside, unable to mark itself as template."""
    return text.translate(MARKS)


def split_template(prompt: str) -> list[tuple[str, bool]]:
    """The prompt as (text, is it template) in order, without empty parts. Stray marks are dropped."""
    parts: list[tuple[str, bool]] = []
    for position, part in enumerate(TEMPLATE.split(prompt)):
        text = plain(part)
        if text:
            parts.append((text, position % 2 == 1))
    return parts


def format_chat(style: PromptFormat, turns: Sequence[Turn], *, system: str = "") -> str:
    """A prompt that ends where the assistant is to begin. Any text is safe in `turns` and `system`."""
    match style:
        case "chatml":
            said = [("system", system)] if system else []
            said += turns
            body = "".join(
                template(f"<|im_start|>{role}\n") + plain(text) + template("<|im_end|>\n") for role, text in said
            )
            return body + template("<|im_start|>assistant\n")
        case "llama3":
            said = [("system", system)] if system else []
            said += turns
            body = "".join(
                template(f"<|start_header_id|>{role}<|end_header_id|>\n\n") + plain(text) + template("<|eot_id|>")
                for role, text in said
            )
            return body + template("<|start_header_id|>assistant<|end_header_id|>\n\n")
        case "gemma":
            named = {"user": "user", "assistant": "model"}
            body = "".join(
                template(f"<start_of_turn>{named[role]}\n") + plain(text) + template("<end_of_turn>\n")
                for role, text in _fold_system(turns, system)
            )
            return body + template("<start_of_turn>model\n")
        case "mistral":
            return "".join(
                template("[INST]") + f" {plain(text)} " + template("[/INST]")
                if role == "user"
                else f" {plain(text)}" + template("</s>")
                for role, text in _fold_system(turns, system)
            )
        case "plain" | "none":
            parts = [plain(system)] if system else []
            parts += [f"{role.capitalize()}: {plain(text)}" for role, text in turns]
            return "\n\n".join([*parts, "Assistant:"])


def _fold_system(turns: Sequence[Turn], system: str) -> list[Turn]:
    """Formats without a system turn get its text at the head of the first user turn."""
    folded = list(turns)
    if system:
        first = next((at for at, (role, _) in enumerate(folded) if role == "user"), None)
        if first is None:
            folded.insert(0, ("user", system))
        else:
            folded[first] = ("user", f"{system}\n\n{folded[first][1]}")
    return folded
