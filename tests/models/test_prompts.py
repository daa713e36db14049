"""Chat formats."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.models.prompts import CLOSE, OPEN, format_chat, split_template, template
from satchel.models.registry import PromptFormat

STYLES = get_args(PromptFormat)


def shown(prompt: str) -> str:
    return "".join(text for text, _ in split_template(prompt))


def test_chatml() -> None:
    prompt = format_chat("chatml", [("user", "Hi"), ("assistant", "Yes?"), ("user", "Tea")], system="Be brief.")
    assert shown(prompt) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nTea<|im_end|>\n<|im_start|>assistant\n"
    )


def test_formats_without_a_system_turn_put_it_first() -> None:
    assert shown(format_chat("gemma", [("user", "Hi")], system="Be brief.")) == (
        "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n"
    )
    assert shown(format_chat("mistral", [("user", "Hi")], system="Be brief.")) == "[INST] Be brief.\n\nHi [/INST]"


def test_plain_has_no_template_at_all() -> None:
    assert split_template(format_chat("plain", [("user", "Hi")])) == [("User: Hi\n\nAssistant:", False)]


@pytest.mark.parametrize("style", STYLES)
@given(said=st.text(), system=st.text(min_size=1))
def test_what_is_said_never_becomes_template(style: PromptFormat, said: str, system: str) -> None:
    calm = [
        text for text, is_template in split_template(format_chat(style, [("user", "a")], system="b")) if is_template
    ]
    prompt = format_chat(style, [("user", said)], system=system)
    assert [text for text, is_template in split_template(prompt) if is_template] == calm


@given(st.text(st.sampled_from(f"ab{OPEN}{CLOSE}")))
def test_marks_never_reach_the_model(prompt: str) -> None:
    assert OPEN not in shown(prompt)
    assert CLOSE not in shown(prompt)


def test_template_parts_are_told_apart() -> None:
    assert split_template(f"a{template('<b>')}c") == [("a", False), ("<b>", True), ("c", False)]
