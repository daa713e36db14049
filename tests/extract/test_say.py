"""The generator words what rules cannot, under a grammar that lets it neither add nor lose anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.extract.checking.check import check
from satchel.extract.saying import say
from satchel.models import Generation, Runtime
from satchel.types import ModelError


@pytest.fixture(scope="module")
def vocabulary(models_folder: Path) -> Iterator[Any]:
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    (path,) = models_folder.glob("SmolLM2*.gguf")
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    yield llama_cpp.llama_model_get_vocab(model)
    llama_cpp.llama_model_free(model)


def parses(vocabulary: Any, grammar: str) -> bool:
    sampler = llama_cpp.llama_sampler_init_grammar(vocabulary, grammar.encode("utf-8"), b"root")
    if not sampler:
        return False
    llama_cpp.llama_sampler_free(sampler)
    return True


@settings(deadline=None)
@given(clause=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_the_grammar_of_any_clause_parses(vocabulary: Any, clause: str) -> None:
    grammar = say.grammar(clause)
    assert grammar is None or parses(vocabulary, grammar)


@pytest.mark.parametrize(
    "clause", ['"quoted" words', "back\\slash ::= root", "naïve 🦜 parrot", "a\0b c", "[x] (y) | z", "#1 fan"]
)
def test_what_means_something_in_a_grammar_is_only_text(vocabulary: Any, clause: str) -> None:
    grammar = say.grammar(clause)
    assert grammar is not None
    assert parses(vocabulary, grammar)


def test_a_clause_of_two_hundred_words_is_not_asked_about() -> None:
    assert say.grammar("mother " * 200) is None


def test_the_fixed_part_of_the_prompt_comes_first() -> None:
    one, other = say.prompt("Night owl, three cats"), say.prompt("Zither player")
    shared = next(at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert shared > len(one) * 0.9


class Scripted:
    """A generator that answers what it is told to."""

    prompt_format = "plain"

    def __init__(self, answer: str | ModelError) -> None:
        self.answer, self.asked = answer, 0

    async def generate(self, prompt: str, *, grammar: str | None, max_tokens: int, stop: Any = ()) -> Generation:
        self.asked += 1
        if isinstance(self.answer, ModelError):
            raise self.answer
        return Generation(
            text=self.answer, prompt_tokens=1, reused_tokens=0, completion_tokens=1, prompt_seconds=0, seconds=0,
            finish="stop",
        )  # fmt: skip

    async def count_tokens(self, texts: Any) -> list[int]:
        return [1 for _ in texts]


@pytest.mark.parametrize("answer", ["", " is", " is a Swede", " hates two", " has two sons and a yacht", "\n"])
def test_an_answer_outside_the_grammar_is_not_believed(answer: str) -> None:
    worded = asyncio.run(say.word("Two kids and a dog", "fact", Scripted(answer)))
    assert (worded.how, worded.text) == ("quote", "The user said: “Two kids and a dog”")


def test_a_link_that_was_not_offered_is_not_read() -> None:
    assert say.read(" has two", "Two kids and a dog") == "The user has two kids and a dog."
    assert say.read(" had two", "Two kids and a dog") is None


def test_rules_come_first_and_spare_the_call() -> None:
    generator = Scripted(" is I")
    worded = asyncio.run(say.word("I live in Porto", "fact", generator))
    assert (worded.how, worded.text, generator.asked) == ("rule", "The user lives in Porto.", 0)


def test_an_instruction_is_quoted_as_one() -> None:
    worded = asyncio.run(say.word("Always answer in metric.", "instruction", None))
    assert (worded.how, worded.text) == ("quote", "The user asks: “Always answer in metric”")


def test_a_wish_without_a_verb_is_the_user_s_all_the_same() -> None:
    worded = asyncio.run(say.word("Window seat, always", "explicit_preference", None))
    assert worded.text == "For the user: Window seat, always."


def test_a_model_that_fails_is_not_papered_over() -> None:
    with pytest.raises(ModelError):
        asyncio.run(say.word("Two kids and a dog", "fact", Scripted(ModelError("it died"))))


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (" has a kiln in the shed that fires on Fridays.", "model"),
        (" has a kiln in the shed.", "quote"),
        (" has a large kiln in the shed that fires on Fridays.", "quote"),
    ],
)
def test_a_larger_model_words_what_rules_cannot_and_is_checked(answer: str, how: str) -> None:
    generator = Scripted(answer)
    worded = asyncio.run(say.word("A kiln in the shed: fires on Fridays", "fact", generator, prompt_format="chatml"))
    assert (worded.how, generator.asked) == (how, 1)


def test_here_says_only_who_is_speaking() -> None:
    worded = asyncio.run(say.word("Retired teacher here", "fact", None))
    assert (worded.how, worded.text) == ("rule", "The user is a retired teacher.")


def test_the_end_of_a_sentence_is_not_given_another_subject() -> None:
    assert say.rewrite.third_person("is all I ever wear") is None


def test_what_names_no_person_is_never_what_the_user_is() -> None:
    assert say.read(" is a", "Pixel 6, second-hand") is None
    assert say.read(" is a keen", "Keen gardener with a bad back") == "The user is a keen gardener with a bad back."


@pytest.mark.parametrize(
    "clause",
    [
        "a Pixel 6, and the car's a Fabia",
        "and the dog",
        "one " * 20,
        "stays home with Nel",
        "the red one",
        "not the red one",
    ],
)
def test_what_is_no_fragment_is_not_worded_as_one(clause: str) -> None:
    assert not say.rewrite.is_fragment(clause)


FRAGMENTS = {
    "Two kids and a dog": "The user has two kids and a dog.",
    "Dutch, living in Graz": "The user is Dutch, living in Graz.",
    "Mother of three, night owl, chess addict": "The user is a mother of three, night owl, chess addict.",
    "Not a morning person": "The user is not a morning person.",
    "Big fan of slow cinema": "The user is a big fan of slow cinema.",
    "Self-employed since March, mostly carpentry": "The user is self-employed since March, mostly carpentry.",
    "No car, only a bike": "The user has no car, only a bike.",
}


def test_the_default_model_finds_the_verb_that_a_fragment_leaves_out(models_folder: Path) -> None:
    async def every() -> dict[str, say.Worded]:
        runtime = Runtime(models_folder)
        try:
            return {said: await say.word(said, "fact", runtime) for said in FRAGMENTS}
        finally:
            await runtime.close()

    worded = asyncio.run(every())
    assert all(check(one.text, said).ok for said, one in worded.items() if one.how != "quote")
    right = [said for said, statement in FRAGMENTS.items() if worded[said].text == statement]
    assert len(right) >= len(FRAGMENTS) - 1, worded
    assert "model" in {one.how for one in worded.values()}
