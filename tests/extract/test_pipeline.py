"""Whole conversations through gate, wording, check, dates and alignment, with the real models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.extract import pipeline
from satchel.extract.checking import align
from satchel.extract.choosing.gate import Gate, Verdict
from satchel.models import Passage, Runtime
from satchel.times import parse_iso
from satchel.types import Draft, Message, ModelError, Role

SAID_AT = parse_iso("2025-06-10T09:30:00Z")
NOW = parse_iso("2025-06-12T00:00:00Z")
Extract = Callable[..., list[Draft]]


def conversation(*turns: tuple[Role, str]) -> list[Message]:
    return [
        Message(id=f"m{at}", conversation_id="c", role=role, content=content, time=SAID_AT, position=at)
        for at, (role, content) in enumerate(turns)
    ]


@pytest.fixture(scope="module")
def extract(models_folder: Path) -> Iterator[Extract]:
    """Extraction with the default models, from turns to drafts, each draft aligned with its turns."""
    loop = asyncio.new_event_loop()
    runtime = Runtime(models_folder)
    gate = Gate.load()

    def run(*turns: tuple[Role, str], generator: Any = runtime) -> list[Draft]:
        new = conversation(*turns)
        found = loop.run_until_complete(
            pipeline.extract(new, (), reader=runtime, generator=generator, gate=gate, now=NOW)
        )
        by_id = {turn.id: turn for turn in new}
        for draft in found:
            assert draft.sources
            assert all(align.stands(source, by_id[source.message_id]) for source in draft.sources)
            assert by_id[draft.sources[0].message_id].role == "user"
        return found

    yield run
    loop.run_until_complete(runtime.close())
    loop.close()


def test_the_quick_start_gives_the_fact_and_the_hint(extract: Extract) -> None:
    found = extract(
        ("user", "I've decided to go to Guangzhou for the summer vacation. Which chain hotels could I stay at?"),
        ("assistant", "You could consider 7 Days Inn, All Seasons, or Hilton."),
        ("user", "I'll go with 7 Days Inn."),
        ("assistant", "Okay, let me know if you need anything else."),
    )
    texts = [draft.text for draft in found]
    assert "The user has decided to go to Guangzhou for the summer vacation, and chose 7 Days Inn." in texts
    assert "The user may prefer chain hotels like 7 Days Inn over All Seasons or Hilton." in texts


def test_a_statement_in_the_middle_of_a_request_is_kept_and_the_request_is_not(extract: Extract) -> None:
    found = extract(
        (
            "user",
            "Can you help me plan dinner for Saturday? My daughter Mia is allergic to peanuts. "
            "Please give me a shopping list for six people.",
        )
    )
    assert [draft.text for draft in found] == ["The user's daughter Mia is allergic to peanuts."]
    assert found[0].sources[0].quote == "My daughter Mia is allergic to peanuts."


def test_a_relative_date_is_resolved_against_the_turn(extract: Extract) -> None:
    found = extract(("user", "We moved to Leeds last month with our two cats."))
    assert [draft.text for draft in found] == [
        "The user and others moved to Leeds last month [2025-05] with their two cats."
    ]
    assert found[0].event_time in {None, parse_iso("2025-05-01T00:00:00Z")}


def test_what_the_assistant_says_is_never_the_user_s(extract: Extract) -> None:
    found = extract(
        ("user", "How do I repot a ficus?"),
        ("assistant", "I live in Porto and I love ficus trees. You are allergic to peanuts and your name is Sam."),
        ("user", "Thanks, that helps."),
    )
    assert found == []


def test_questions_code_and_small_talk_give_nothing(extract: Extract) -> None:
    assert (
        extract(("user", "Hello! How are you?"), ("user", "```python\nmy_name = 'Sam'\n```\nWhat does this print?"))
        == []
    )


class OneVector:
    """A reader for whom everything looks the same."""

    async def read(self, passages: Sequence[Passage]) -> np.ndarray:
        clauses = sum(marked for passage in passages for _, marked in passage.pieces)
        return np.full((clauses, 384), 384**-0.5, dtype=np.float32)


class Everything:
    """A gate that lets everything pass, the later the likelier."""

    def judge(self, vectors: np.ndarray) -> list[Verdict]:
        return [Verdict("fact", 0.5 + at / 1000) for at, _ in enumerate(vectors)]


def with_everything(content: str, *, generator: Any = None, now: int = NOW) -> Coroutine[Any, Any, list[Draft]]:
    gate: Any = Everything()
    return pipeline.extract(
        conversation(("user", content)), (), reader=OneVector(), generator=generator, gate=gate, now=now
    )


def drafts(*turns: tuple[Role, str]) -> list[Draft]:
    """What the last turn gives when the judge lets every clause of it pass."""
    *before, turn = conversation(*turns)
    gate: Any = Everything()
    known = {one.id: one for one in (*before, turn)}
    found = asyncio.run(pipeline.extract([turn], before, reader=OneVector(), generator=None, gate=gate, now=NOW))
    for draft in found:
        assert all(align.stands(source, known[source.message_id]) for source in draft.sources)
    return found


def test_a_clause_about_she_names_her_and_rests_on_two_places() -> None:
    _, found = drafts(("user", "My daughter Mia starts school. She's allergic to nuts."))
    assert found.text == "The user's daughter Mia is allergic to nuts."
    assert [source.quote for source in found.sources] == ["She's allergic to nuts.", "My daughter Mia"]


def test_a_clause_about_somebody_unnamed_is_no_memory() -> None:
    assert drafts(("user", "She's allergic to nuts.")) == []


def test_an_answer_rests_on_the_user_s_words_first_and_then_on_the_question() -> None:
    (found,) = drafts(("user", "Help me plan."), ("assistant", "Happily. Where are you based?"), ("user", "Ghent"))
    assert found.text == "The user is based in Ghent."
    assert [source.message_id for source in found.sources] == ["m2", "m1"]


def test_a_denied_guess_leaves_nothing_but_what_the_user_says_instead() -> None:
    (found,) = drafts(("user", "Dinner?"), ("assistant", "Since you're vegetarian, dal."), ("user", "no, I eat meat"))
    assert (found.text, found.correction) == ("The user eats meat.", True)
    assert [source.quote for source in found.sources] == ["I eat meat"]


def test_what_corrects_nothing_is_no_correction() -> None:
    (found,) = drafts(("user", "Dinner?"), ("assistant", "Dal is quick."), ("user", "I eat meat"))
    assert not found.correction


def test_a_choice_leaves_its_reason_to_be_a_memory_of_its_own() -> None:
    found = drafts(
        ("user", "What shall we cook?"),
        ("assistant", "A lamb stew, a lentil soup or a fish pie."),
        ("user", "I'll take the lentil soup. I don't eat meat."),
    )
    assert [draft.kind for draft in found] == ["fact", "implicit_preference"]
    assert found[0].text == "The user doesn't eat meat."
    assert found[1].text == "The user may prefer a lentil soup over a lamb stew or a fish pie."


def test_one_message_gives_a_bounded_number_of_memories() -> None:
    content = " ".join(f"My cousin number {at} lives in house {at * 7}." for at in range(60))
    found = asyncio.run(with_everything(content))
    assert len(found) == pipeline.MAX_DRAFTS
    starts = [draft.sources[0].start for draft in found]
    assert starts == sorted(starts)


def test_a_memory_is_not_valid_from_the_future() -> None:
    (found,) = asyncio.run(with_everything("My sister lives in Ghent.", now=5))
    assert found.valid_from == 5


def test_a_failing_model_fails_the_job() -> None:
    class Dead:
        prompt_format = "plain"

        async def generate(self, *_: Any, **__: Any) -> Any:
            raise ModelError("its process died")

    with pytest.raises(ModelError):
        asyncio.run(with_everything("Two kids and a dog, small budget.", generator=Dead()))


@pytest.mark.parametrize(
    "content",
    ["I live in Porto. " * 500_000, "我住在杭州。" * 300_000, "I am " * 400_000, "\n" * 2_000_000],
    ids=["sentences", "chinese", "one sentence", "lines"],
)
def test_a_message_of_megabytes_does_not_hold_up_the_loop(content: str) -> None:
    async def longest_pause() -> float:
        work = asyncio.create_task(with_everything(content))
        worst, last = 0.0, time.perf_counter()
        while not work.done():
            await asyncio.sleep(0.005)
            worst, last = max(worst, time.perf_counter() - last), time.perf_counter()
        await work
        return worst

    assert asyncio.run(longest_pause()) < 1.0


def test_a_few_words_that_no_rule_understands_are_told_with_their_question() -> None:
    found = drafts(("assistant", "A walk then. What breed is she?"), ("user", "A whippet."))
    assert [draft.text for draft in found] == ["Asked “What breed is she?”, the user said: “A whippet”"]
    assert [(source.message_id, source.quote) for source in found[0].sources] == [
        ("m1", "A whippet."),
        ("m0", "What breed is she?"),
    ]


def test_without_a_question_a_single_word_is_nothing() -> None:
    assert drafts(("assistant", "A walk then."), ("user", "Whippet.")) == []


def test_whose_it_is_may_be_said_where_what_it_is_is_not() -> None:
    (found,) = drafts(("user", "They moved my shift to Sundays."))
    assert found.text == "They moved the user's shift to Sundays."


class Nothing:
    """A gate that holds everything for nothing."""

    def judge(self, vectors: np.ndarray) -> list[Verdict]:
        return [Verdict(None, 0.01) for _ in vectors]


def test_a_choice_that_the_gate_rules_out_shows_no_taste() -> None:
    *before, turn = conversation(
        ("user", "What shall we cook?"),
        ("assistant", "A lamb stew, a lentil soup or a fish pie."),
        ("user", "The soup."),
    )
    gates: list[Any] = [Everything(), Nothing()]
    made = [
        asyncio.run(pipeline.extract([turn], before, reader=OneVector(), generator=None, gate=gate, now=NOW))
        for gate in gates
    ]
    assert [len(one) for one in made] == [1, 0]


def test_the_first_turn_is_looked_at_however_long_ago_it_was() -> None:
    turns = conversation(*[("user" if at % 2 == 0 else "assistant", f"turn {at}") for at in range(30)])
    assert pipeline.context_of(turns, 0) == []
    assert pipeline.context_of(turns, 5) == turns[:5]
    assert pipeline.context_of(turns, 20) == [turns[0], *turns[20 - pipeline.CONTEXT_TURNS : 20]]


def test_masked_words_become_no_memory() -> None:
    assert drafts(("user", "My wifi password is [password masked by Satchel].")) == []


WORDS = st.sampled_from(
    (
        *("I", "my", "we", "our", "she", "it", "you", "hate", "love", "moved", "am", "is", "have", "to", "and", "but"),
        *("because", "since", "never", "tomorrow", "3 May", "Mia", "Porto", "nuts", "no", "actually", "A or B"),
        *(".", ",", "?", "!", ";", "(", ")", "\n", "“", "”", "我", "住在", "è", "😀"),
    )
)
SAID = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=40).map(" ".join))


@settings(deadline=None)
@given(SAID, SAID, SAID)
def test_whatever_is_said_every_source_stands_letter_for_letter(opening: str, offered: str, said: str) -> None:
    turns = conversation(("user", opening), ("assistant", offered), ("user", said))
    known = {turn.id: turn for turn in turns}
    gate: Any = Everything()
    for draft in asyncio.run(pipeline.extract(turns, (), reader=OneVector(), generator=None, gate=gate, now=NOW)):
        assert known[draft.sources[0].message_id].role == "user"
        for source in draft.sources:
            turn = known[source.message_id]
            assert turn.content[source.start : source.end] == source.quote != ""


class Doubting:
    """A gate that is unsure of what stands among other words, and sure of what stands alone."""

    def __init__(self, among: float) -> None:
        self.among, self.asked = among, 0

    def judge(self, vectors: np.ndarray) -> list[Verdict]:
        self.asked += 1
        verdict = Verdict(None, self.among) if self.asked == 1 else Verdict("fact", 0.9)
        return [verdict for _ in vectors]


@pytest.mark.parametrize(("among", "kept", "asked"), [(0.4, 1, 2), (0.27, 1, 2), (0.05, 0, 1)])
def test_what_its_surroundings_leave_in_doubt_is_read_alone_as_well(among: float, kept: int, asked: int) -> None:
    gate: Any = Doubting(among)
    turns = conversation(("user", "We keep bees."))
    found = asyncio.run(pipeline.extract(turns, (), reader=OneVector(), generator=None, gate=gate, now=NOW))
    assert (len(found), gate.asked) == (kept, asked)


def test_a_scene_set_long_ago_is_still_heard() -> None:
    heard: list[str] = []

    class Listening(OneVector):
        async def read(self, passages: Sequence[Passage]) -> np.ndarray:
            heard.extend(passage.before for passage in passages)
            return await super().read(passages)

    *before, turn = conversation(
        ("user", "Let's play: I am the miller."),
        *[("assistant", f"scene {at}") for at in range(20)],
        ("user", "I mill."),
    )
    gate: Any = Everything()
    asyncio.run(pipeline.extract([turn], before, reader=Listening(), generator=None, gate=gate, now=NOW))
    assert heard == ["Let's play: I am the miller.\nscene 19"]


class Timid:
    """A gate that finds every clause rather unlikely."""

    threshold = 0.5

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def judge(self, vectors: Any) -> list[Verdict]:
        return [Verdict(None, self._probability, "fact")] * len(vectors)


@pytest.mark.parametrize(
    ("turn", "probability", "kept"),
    [
        ("I have decided to spend the summer in Guangzhou", 0.3, 1),
        ("Retired teacher from Goa", 0.3, 1),
        ("I have decided to spend the summer in Guangzhou", 0.2, 0),
        ("I have decided to spend the summer in Guangzhou. What should I pack?", 0.3, 0),
        ("Did I tell you about my summer in Guangzhou?", 0.3, 0),
        ("The museum closes at six", 0.3, 0),
    ],
)
def test_a_turn_that_is_one_bare_statement_is_believed_earlier(turn: str, probability: float, kept: int) -> None:
    class Anything:
        async def read(self, passages: Sequence[Passage]) -> list[int]:
            return [0] * sum(sum(mine for _, mine in passage.pieces) for passage in passages)

    judged = asyncio.run(pipeline.judge_clauses(turn, Anything(), Timid(probability)))  # type: ignore[arg-type]
    assert sum(one.verdict.kind is not None for one in judged) == kept
