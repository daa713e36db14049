"""The gate keeps what is about the user and lets the rest go, whatever either begins with and stands beside."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.choosing import window
from satchel.extract.choosing.clauses import Clause
from satchel.extract.choosing.gate import CLASSES, Gate, Verdict, worth_reading
from satchel.extract.pipeline import judge_clauses
from satchel.models import Runtime
from satchel.types import ModelError

ROOT = Path(__file__).parents[2]
SUITES = Path(__file__).with_name("suites")

MEMORABLE = [
    ("My son Ravi is allergic to cashews.", "fact"),
    ("I'm a locksmith in Dundee", "fact"),
    ("As a single dad I shop on Sundays", "fact"),
    ("Our goat Petunia eats the washing", "fact"),
    ("Living in Tromsø, we hardly see the sun in January", "fact"),
    ("Diabetic since 2003", "fact"),
    ("we have two kids, eight and eleven", "fact"),
    ("I've been a vegetarian for ten years", None),
    ("Soy milk for me, never cow's", "explicit_preference"),
    ("I can't stand crowded beaches", "explicit_preference"),
    ("I prefer aisle seats on long flights.", "explicit_preference"),
    ("Loud restaurants ruin my evening", "explicit_preference"),
    ("I strongly dislike podcasts and would rather read", "explicit_preference"),
    ("my favourite season is autumn", "explicit_preference"),
    ("I got my driving licence last Friday", "event"),
    ("My grandmother died on 4 May", "event"),
    ("I have decided to spend the summer in Guangzhou", "fact"),
    ("always give me temperatures in Celsius", "instruction"),
    ("From now on, answer me in Italian.", "instruction"),
    ("I use a wheelchair", "fact"),
    ("I work night shifts at a hospital", "fact"),
    ("my husband and I rent a flat in Riga", "fact"),
    ("I'm learning Finnish", "fact"),
    ("Ich wohne in Bern und habe zwei Katzen", "fact"),
    ("我住在北京,有一个女儿", "fact"),
    ("J'habite à Nantes avec mon mari", "fact"),
    ("Retired teacher, sixty-eight, from Goa", "fact"),
    ("i play bass in a ska band", "fact"),
    ("I want to become a pastry chef one day", "fact"),
    ("My knees are bad so I avoid stairs", None),
]
EMPTY = [
    "I need a function that removes duplicates from an array",
    "I get a 404 when I open the page",
    "I want you to write a limerick about cheese",
    "My code prints nothing",
    "I'm looking for a synonym of clever",
    "I have a list of tuples and need the second item of each",
    "I'm trying to install numpy on Windows",
    "My loop never ends",
    "I'd like a table of the planets",
    "I think that's wrong",
    "I don't understand step three",
    "I have a question about tenses",
    "just this once, in two lines",
    "my boss hates coffee",
    "You are a sailor in a tavern.",
    "The wizard said he loved silver.",
    "If I had a boat, I'd sail to Fiji",
    "thanks, that worked",
    "What is the tallest mountain in Africa?",
    "Write an essay about friendship.",
    "Explain photosynthesis to a child",
    "The committee adopted the report on Monday.",
    "const total = items.reduce((a, b) => a + b)",
    "Which of the following is an even number?",
    "translate it into Dutch",
    "make it funnier",
    "Dear Ms Novak, I am writing to apply for the position.",
    "Use short sentences and avoid jargon.",
    "The museum opens at nine.",
    "In my story the duke is blind",
    "写一首关于月亮的诗",
    "Wie hoch ist der Eiffelturm?",
]


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.load()


def judge(folder: Path, gate: Gate, *turns: tuple[str, str]) -> list[Verdict]:
    """The verdict on each turn, (text, what was heard before), taken as one clause."""

    async def read() -> np.ndarray:
        async with Runtime(folder) as runtime:
            return await runtime.read(
                [
                    passage
                    for text, before in turns
                    for passage in window.passages(text, [Clause(0, len(text), text)], before)
                ]
            )

    return gate.judge(asyncio.run(read()))


def test_the_tests_sentences_are_not_the_corpus() -> None:
    corpus = {
        json.loads(line)["text"].casefold().strip(" .!")
        for folder in ("gate", "plain")
        for file in (ROOT / "models" / "corpus" / folder).glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    corpus |= {turn["content"].casefold().strip(" .!") for turn in turns_of(ROOT / "models" / "corpus" / "exchanges")}
    corpus -= {"thanks, that worked"}  # anybody says this
    ours = {text.casefold().strip(" .!") for text in [*EMPTY, *(text for text, _ in MEMORABLE)]}
    ours |= {turn["content"].casefold().strip(" .!") for turn in turns_of(SUITES) if len(turn["content"]) > 60}
    assert not ours & corpus


def turns_of(folder: Path) -> list[dict[str, str]]:
    files = sorted(folder.glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [turn for line in lines for turn in line.get("turns", []) if turn["role"] == "user"]


def test_most_that_is_about_the_user_is_kept(gate: Gate, models_folder: Path) -> None:
    async def kept() -> list[bool]:
        async with Runtime(models_folder) as runtime:
            return [any(one.verdict.kind for one in await judge_clauses(text, runtime, gate)) for text, _ in MEMORABLE]

    missed = [text for (text, _), found in zip(MEMORABLE, asyncio.run(kept()), strict=True) if not found]
    assert len(missed) <= 0.15 * len(MEMORABLE), missed


def test_little_that_is_not_is_kept(gate: Gate, models_folder: Path) -> None:
    verdicts = judge(models_folder, gate, *((text, "") for text in EMPTY))
    kept = [text for text, verdict in zip(EMPTY, verdicts, strict=True) if verdict.kind and worth_reading(text)]
    assert len(kept) <= 0.1 * len(EMPTY), kept


def test_what_is_kept_gets_the_right_kind(gate: Gate, models_folder: Path) -> None:
    asked = [(text, kind) for text, kind in MEMORABLE if kind]
    verdicts = judge(models_folder, gate, *((text, "") for text, _ in asked))
    judged = [(verdict.kind, kind, text) for verdict, (text, kind) in zip(verdicts, asked, strict=True) if verdict.kind]
    wrong = [item for item in judged if item[0] != item[1]]
    assert len(wrong) <= 0.2 * len(judged), wrong


def test_the_same_words_in_a_game_are_not_the_user_s(gate: Gate, models_folder: Path) -> None:
    said = "I've been a baker for twelve years and I have two sons."
    alone, played = judge(
        models_folder,
        gate,
        (said, ""),
        (said, "Let's do a role-play: you are the landlady and I rent a room from you.\nSo, what do you do, stranger?"),
    )
    assert alone.kind == "fact"
    assert played.probability < alone.probability / 2


def test_probabilities_are_probabilities(gate: Gate) -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 384)).astype(np.float32)
    rows = gate.probabilities(vectors)
    assert rows.shape == (40, len(CLASSES))
    assert np.allclose(rows.sum(axis=1), 1)
    assert rows.min() >= 0


def test_nothing_in_nothing_out(gate: Gate) -> None:
    assert gate.judge(np.zeros((0, 384), dtype=np.float32)) == []


def test_vectors_of_another_width_are_an_error(gate: Gate) -> None:
    with pytest.raises(ValueError, match="width 384"):
        gate.judge(np.zeros((2, 768), dtype=np.float32))


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "Thanks!",
        "谢谢",
        "I" * 701,
        "",
        "  ",
        "Hello there",
        "August",
        "I think.",
        "?!",
        "other ways to say big",
        "Is it far?",
    ],
)
def test_what_is_plainly_nothing_is_not_read(text: str) -> None:
    assert not worth_reading(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ok, imagine I'm a widow with two houses",
        "say we had three million users",
        "Stell dir vor, ich wäre Bürgermeister",
        "I think the ending was rushed",
        "I read somewhere that eels can walk",
        "The tram is a disgrace, in my opinion",
        "and in the oven, how long",
        "Looking for a quiet keyboard",
    ],
)
def test_what_is_supposed_thought_sought_or_asked_is_not_read(text: str) -> None:
    assert not worth_reading(text)


@pytest.mark.parametrize(
    "text",
    [
        "I think my knee will never be the same",
        "I'm looking for a flat in Ghent",
        "I believe in ghosts and always have",
        "I find crowds hard on my nerves",
        "The commute is killing me, if you ask me",
        "I say grace before meals",
    ],
)
def test_what_says_something_of_the_user_in_such_words_is_read(text: str) -> None:
    assert worth_reading(text)


def test_statements_are_read() -> None:
    assert [text for text, _ in MEMORABLE if not worth_reading(text)] == []


def test_a_single_word_is_read_when_it_answers() -> None:
    assert worth_reading("Ghent", answers=True)
    assert not worth_reading("Ghent")
    assert not worth_reading("...", answers=True)


@given(st.text(max_size=1000))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert worth_reading(text) <= worth_reading(text, answers=True)


def test_weights_for_other_kinds_are_refused(tmp_path: Path) -> None:
    trained = msgspec.json.decode((ROOT / "models" / "gate.json").read_bytes())
    trained["classes"] = trained["classes"][:-1]
    file = tmp_path / "gate.json"
    file.write_bytes(msgspec.json.encode(trained))
    with pytest.raises(ModelError, match="train_gate"):
        Gate.load(file)


@pytest.mark.parametrize("data", [b"", b"{}", b"not json"])
def test_damaged_weights_say_what_to_do(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "gate.json"
    file.write_bytes(data)
    with pytest.raises(ModelError, match="train_gate"):
        Gate.load(file)


def test_importing_the_gate_does_not_import_numpy() -> None:
    import subprocess

    code = (
        "import sys, satchel.extract.choosing.gate, satchel.extract.choosing.clauses; sys.exit('numpy' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "backend")}, check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    "clause",
    [
        "My boss flies to Osaka next Wednesday and comes back that Sunday.",
        "A friend of mine just went keto",
        "One of my pupils is afraid of dogs",
        "Considering ditching social media at some point, we'll see.",
        "I've been thinking about going vegan",
        "I'd rather eat my own shoes than read that clause again.",
        "Oh wonderful, another update that moved the button.",
        "No I'm not.",
        "It's for my grandfather.",
        "Five films from the seventies, two hours at most.",
        "Teşekkürler!",
    ],
)
def test_what_says_nothing_of_the_user_is_told_by_its_form(clause: str) -> None:
    assert not worth_reading(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "My boss gave me Fridays off",
        "My manager is called Priya",
        "I'd rather have a small dinner at home than a big party",
        "I'm not allowed any salt",
        "It's been my home since 2011",
        "Two kids, five hens and a tortoise",
        "My student flat has no kitchen",
        "Our client base is in Asia",
        "I LOVE hiking with my dog",
        "Oh yes, I'm a vegetarian",
        "My favourite sport is rowing, a team sport",
        "I'm just looking for a flat in Leeds",
    ],
)
def test_what_only_looks_like_it_is_read(clause: str) -> None:
    assert worth_reading(clause)
