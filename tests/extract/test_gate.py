"""The gate keeps what is about the user and lets the rest go, whatever either begins with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from satchel.extract.gate import FEATURES, Gate, features, worth_embedding
from satchel.types import ModelError

ROOT = Path(__file__).parents[2]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]

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


def test_these_sentences_are_not_the_corpus() -> None:
    corpus = {
        json.loads(line)["text"].casefold().strip(" .!")
        for file in (ROOT / "models" / "corpus" / "gate").glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    ours = {text.casefold().strip(" .!") for text in [*EMPTY, *(text for text, _ in MEMORABLE)]}
    assert not ours & corpus


def test_most_that_is_about_the_user_is_kept(gate: Gate, embed: Embed) -> None:
    texts = [text for text, _ in MEMORABLE]
    verdicts = gate.judge(texts, embed(texts))
    missed = [
        text for text, verdict in zip(texts, verdicts, strict=True) if not verdict.kind or not worth_embedding(text)
    ]
    assert len(missed) <= 0.15 * len(texts), missed


def test_little_that_is_not_is_kept(gate: Gate, embed: Embed) -> None:
    verdicts = gate.judge(EMPTY, embed(EMPTY))
    kept = [text for text, verdict in zip(EMPTY, verdicts, strict=True) if verdict.kind and worth_embedding(text)]
    assert len(kept) <= 0.1 * len(EMPTY), kept


def test_what_is_kept_gets_the_right_kind(gate: Gate, embed: Embed) -> None:
    asked = [(text, kind) for text, kind in MEMORABLE if kind]
    verdicts = gate.judge([text for text, _ in asked], embed([text for text, _ in asked]))
    judged = [(verdict.kind, kind, text) for verdict, (text, kind) in zip(verdicts, asked, strict=True) if verdict.kind]
    wrong = [item for item in judged if item[0] != item[1]]
    assert len(wrong) <= 0.2 * len(judged), wrong


def test_probabilities_are_probabilities(gate: Gate, embed: Embed) -> None:
    rows = gate.probabilities(EMPTY, embed(EMPTY))
    assert np.allclose(rows.sum(axis=1), 1)
    assert rows.min() >= 0


def test_nothing_in_nothing_out(gate: Gate) -> None:
    assert gate.judge([], np.zeros((0, 384), dtype=np.float32)) == []


def test_a_clause_without_its_vector_is_an_error(gate: Gate) -> None:
    with pytest.raises(ValueError, match="1 clauses but 2 vectors"):
        gate.judge(["I keep bees"], np.zeros((2, 384), dtype=np.float32))


def test_the_prefilter_turns_away_what_is_plainly_nothing() -> None:
    for text in [
        "ok",
        "Thanks!",
        "What is osmosis?",
        "Translate the leaflet",
        "x = foo(bar);",
        "谢谢",
        "I" * 701,
        "",
        "  ",
    ]:
        assert not worth_embedding(text), text


def test_the_prefilter_lets_statements_through() -> None:
    turned_away = [text for text, _ in MEMORABLE if not worth_embedding(text)]
    assert turned_away == []


def test_marks_have_names_and_stay_between_0_and_1() -> None:
    for text in [*EMPTY, "", "I" * 5000, "\x00"]:
        values = features(text)
        assert len(values) == len(FEATURES)
        assert all(0 <= value <= 1 for value in values)


def test_weights_for_other_marks_are_refused(tmp_path: Path) -> None:
    trained = msgspec.json.decode((ROOT / "models" / "gate.json").read_bytes())
    trained["features"] = trained["features"][:-1]
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

    code = "import sys, satchel.extract.gate, satchel.extract.clauses; sys.exit('numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "backend")}, check=False).returncode
        == 0
    )
