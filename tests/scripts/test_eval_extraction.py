"""What scripts/eval_extraction.py calls right and wrong, faithful and unfaithful: the pure parts, without a model."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from eval_support import baseline, labels, scoring, suites
from eval_support.running import Conversation, Share, Turn
from eval_support.scoring import Faith, Gold, Made, Match, Place

TURN = "I live in Porto and keep bees. What is a good hive?"
HOME = "I live in Porto"
BEES = "keep bees"


def place(quote: str, turn: int = 0, role: Any = "user") -> Place:
    start = TURN.index(quote)
    return Place(turn, start, start + len(quote), quote, role)


def made(*places: Place, kind: Any = "fact", text: str = "", **others: Any) -> Made:
    return Made(kind=kind, text=text, places=places, **others)


def gold(quote: str, kind: Any = "fact", turn: int = 0, date: str | None = None) -> Gold:
    start = TURN.index(quote)
    return Gold(turn=turn, start=start, end=start + len(quote), kind=kind, date=date)


def test_an_item_is_right_when_every_gold_memory_is_found_and_nothing_else_is_made() -> None:
    both = [gold(HOME), gold(BEES)]
    assert scoring.judge(both, [made(place(HOME)), made(place(BEES))]).right
    assert not scoring.judge(both, [made(place(HOME))]).right
    assert not scoring.judge([gold(HOME)], [made(place(HOME)), made(place("What is a good hive?"))]).right
    assert scoring.judge([], []).right
    assert not scoring.judge([], [made(place(HOME))]).right


def test_one_memory_of_a_sentence_finds_the_two_that_stand_in_it() -> None:
    judged = scoring.judge([gold(HOME), gold(BEES)], [made(place("I live in Porto and keep bees"))])
    assert judged.right
    assert judged.fitting == 1


def test_what_a_later_turn_replaced_counts_against_nobody() -> None:
    replaced = made(place(HOME), status="superseded")
    assert scoring.judge([gold(BEES)], [made(place(BEES)), replaced]).right
    assert scoring.judge([gold(HOME)], [replaced]).right


def test_a_memory_is_found_only_by_words_of_the_user_in_the_same_turn() -> None:
    assert not scoring.judge([gold(HOME)], [made(place(HOME, role="assistant"))]).right
    assert not scoring.judge([gold(HOME)], [made(place(HOME, turn=2))]).right
    neighbour = Place(0, len(HOME), len(HOME) + 4, TURN[len(HOME) : len(HOME) + 4])
    assert scoring.overlap(made(neighbour), 0, 0, len(HOME)) == 0, "side by side is no overlap"
    assert scoring.overlap(made(place("live in Porto and")), 0, 0, len(HOME)) == len("live in Porto")


def test_the_find_is_the_memory_with_most_of_the_quote_and_among_equals_the_one_of_its_kind() -> None:
    little, right, wrong = made(place("Porto")), made(place(HOME)), made(place(HOME), kind="event")
    (match,) = scoring.judge([gold(HOME)], [little, wrong, right]).matches
    assert match.made is right


def test_a_memory_of_anothers_words_is_misattributed() -> None:
    theirs = place(HOME, turn=1, role="assistant")
    assert scoring.is_misattributed(made(theirs, place(BEES)))
    assert scoring.is_misattributed(made())
    assert not scoring.is_misattributed(made(place(BEES), theirs))
    assert scoring.turns_of([made(theirs, place(BEES, turn=2))]) == {2}


@pytest.mark.parametrize(
    ("date", "right"), [("2026-03-13", True), ("2026-03", True), ("2026", True), ("2026-03-12", False), (None, False)]
)
def test_a_date_is_right_within_its_day_month_or_year(date: str | None, right: bool) -> None:
    friday = made(place(HOME), event_time=1_773_360_000_000)  # 2026-03-13
    assert scoring.dated_right(Match(gold(HOME, date=date), friday)) is right
    assert not scoring.dated_right(Match(gold(HOME, date="2026"), made(place(HOME))))
    assert not scoring.dated_right(Match(gold(HOME, date="2026"), None))


@pytest.mark.parametrize(
    ("text", "quote", "others", "faith"),
    [
        ("The user lives in Porto.", "I live in Porto", (), Faith()),
        ("The user said: “no emojis, ever”", "no emojis, ever", (), Faith()),
        ("The user tries to use the bus on Fridays.", "I try to use the bus on Fridays", (), Faith()),
        ("The user is flying to Lima tomorrow [2026-03-04].", "I'm flying to Lima tomorrow", (), Faith()),
        ("The user needs 14-22 eggs and doesn't have any.", "i need 14–22 eggs and dont have any", (), Faith()),
        ("The user lives in sunny Porto.", "I live in Porto", (), Faith(added=("sunni",))),
        ("The user lives in sunny Porto.", "I live in Porto", ("is it sunny there?",), Faith()),
        ("The user lives in Porto.", "I live in Porto with Ana", (), Faith(lost=("ana",))),
        ("The user eats meat.", "I don't eat meat", (), Faith(negation=True)),
        ("The user does not eat meat.", "I eat meat", (), Faith(negation=True)),
        ("The user never eats meat.", "I don't eat meat", (), Faith()),
        ("用户住在里斯本。", "我住在里斯本", (), Faith()),
    ],
)
def test_a_statement_is_faithful_when_it_says_what_its_words_say(
    text: str, quote: str, others: tuple[str, ...], faith: Faith
) -> None:
    assert scoring.faith(text, quote, others) == faith


def test_what_is_inferred_loses_nothing() -> None:
    said = "The quiet one, then"
    assert scoring.faith("The user may prefer quiet.", said).lost
    assert scoring.faith("The user may prefer quiet.", said, inferred=True) == Faith()


def test_a_wrong_value_is_current_unless_the_right_one_stands_beside_it() -> None:
    texts = ["The user lives in Lisbon.", "The user moved from Lisbon to Porto.", "The user likes Lisboners."]
    assert scoring.still_wrong(texts, ["Porto"], ["Lisbon"]) == texts[:1]


def test_two_memories_are_duplicates_when_meaning_and_words_agree() -> None:
    texts = ["The user lives in Porto.", "In Porto lives the user.", "The user lives in Rome."]
    near = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.float32)
    assert scoring.duplicates(texts, near) == [(texts[0], texts[1])]
    apart = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    assert scoring.duplicates(texts, apart) == []


def test_a_framed_statement_stands_where_it_is_said_to_and_the_same_in_every_run() -> None:
    framed = [suites.frame("I keep bees.", random.Random(7), "one") for _ in range(2)]
    assert framed[0] == framed[1]
    (turn,) = framed[0].conversation.turns
    assert turn.content[framed[0].start : framed[0].end] == "I keep bees."
    assert 0 < framed[0].start < framed[0].end < len(turn.content)


def test_the_turn_that_shows_a_preference_is_the_users_with_most_of_its_words() -> None:
    turns = [
        Turn("user", "Any tips for dinner?"),
        Turn("assistant", "Seafood, or loud restaurants?"),
        Turn("user", "I skip seafood."),
        Turn("user", "I skip loud restaurants."),
    ]
    assert suites.most_alike("I avoid loud restaurants.", turns) == 3
    assert suites.most_alike("I like jazz.", turns) is None


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    said = [{"role": "user", "content": TURN}]
    exchange = {"id": "a-1", "domain": "a", "trap": None, "turns": said}
    memory = {"turn": 0, "quote": BEES, "kind": "fact", "statement": "The user keeps bees."}
    lines = [exchange | {"memories": [memory]}, exchange | {"id": "b-1", "domain": "b", "memories": []}]
    path = tmp_path / "items.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    read = suites.read(path, suites.Choice(domains=frozenset({"a"})))
    assert isinstance(read, suites.Exchanges)
    assert [item.golds([TURN]) for item in read.items] == [
        [msgspec.structs.replace(gold(BEES), statement="The user keeps bees.")]
    ]
    check = {"check": "current", "about": "home", "question": "Where?", "right": ["Porto"]}
    path.write_text(
        "\n".join([json.dumps({"id": "c", "at": "2026-01-01T00:00:00Z", "turns": said}), json.dumps(check)])
    )
    half_year = suites.read(path, suites.Choice())
    assert isinstance(half_year, suites.HalfYear)
    assert [type(step) for step in half_year.steps] == [Conversation, suites.Check]


def test_checks_of_what_changed_are_told_from_the_others(tmp_path: Path) -> None:
    moved = {"check": "current", "about": "home", "question": "Where?", "right": ["Porto"], "wrong": ["Rome"]}
    lines = [moved, moved | {"wrong": []}, {"check": "absent", "about": "sport", "words": ["skydiv"]}]
    path = tmp_path / "half.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    half_year = suites.read(path, suites.Choice())
    assert isinstance(half_year, suites.HalfYear)
    changed, constant, absent = half_year.steps
    assert isinstance(changed, suites.Check)
    assert isinstance(constant, suites.Check)
    assert (changed.changed, constant.changed) == (True, False)
    assert absent == suites.Absent(about="sport", words=("skydiv",))
    path.write_text(json.dumps({"check": "strange"}))
    with pytest.raises(SystemExit, match="strange"):
        suites.read(path, suites.Choice())


@pytest.mark.parametrize("text", ['{"some": "thing"}', "no JSON", "[1, 2]"])
def test_an_unknown_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(SystemExit, match=r"strange\.json"):
        suites.read_all([path], suites.Choice())


TALK = """your persona: i keep bees .
1\thi there !
2\ti keep bees .\t['i', 'has', 'bees']
your persona: i am old .
1\thow old are you ?
2\tolder than you .
3\ti am thirty .
"""
SAID = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
ASKED = [{"role": "user", "content": "I keep bees."}]
SOURCES: dict[str, Any] = {
    "chats.json": [{"conversation": SAID}, {"conversation": [*SAID, *ASKED, *SAID]}],
    "beam.json": {
        "7": {"chat": [{"turns": [[turn | {"id": at} for at, turn in enumerate([*SAID, *ASKED])]]}, {"turns": []}]}
    },
    "prefeval.json": {
        "pets": {
            "explicit": [],
            "implicit_persona_driven": [
                {"conversation": {"0": {"user": "Hi.", "assistant": "Hello."}, "1": {"user": "I keep bees."}}}
            ],
        }
    },
}


def write_sources(folder: Path) -> None:
    (folder / "talk.txt").write_text(TALK)
    for name, content in SOURCES.items():
        (folder / name).write_text(json.dumps(content))


def write_labels(folder: Path, *items: tuple[str, str, str | None]) -> Path:
    path = folder / "labels.json"
    labelled = [dict(zip(("source", "id", "kind"), item, strict=True)) for item in items]
    path.write_text(json.dumps({"rule": "as drawn", "items": labelled}))
    return path


@pytest.mark.parametrize(
    ("source", "name"),
    [("chats.json", "1/2"), ("beam.json", "7/2"), ("prefeval.json", "pets/0/1")],
)
def test_a_labelled_turn_comes_last_after_those_before_it(tmp_path: Path, source: str, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_sources(data)
    labelled = write_labels(tmp_path, (source, name, "fact"))
    (read,) = suites.read_all([labelled, data], suites.Choice())
    assert isinstance(read, suites.LabelledTurns)
    (item,) = read.items
    assert item.label.kind == "fact"
    assert [turn.content for turn in item.conversation.turns] == ["Hi.", "Hello.", "I keep bees."]


def test_the_speaker_of_a_labelled_line_is_the_user_and_the_other_the_assistant() -> None:
    lines = TALK.split("\n")
    assert labels.dialogue_until(lines, 2) == [Turn("user", "hi there!")]
    assert labels.dialogue_until(lines, 7) == [
        Turn("user", "how old are you?"),
        Turn("assistant", "older than you."),
        Turn("user", "i am thirty."),
    ]
    assert labels.dialogue_until(lines, 4) == [], "a persona is said by nobody"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("talk.txt", "4"),
        ("talk.txt", "0"),
        ("talk.txt", "two"),
        ("chats.json", "1/1"),
        ("chats.json", "-1/0"),
        ("beam.json", "7/9"),
        ("prefeval.json", "pets/0/2"),
    ],
)
def test_an_id_that_no_turn_of_a_user_has_is_named(tmp_path: Path, source: str, name: str) -> None:
    write_sources(tmp_path)
    with pytest.raises(SystemExit, match=repr(name)):
        suites.read_all([write_labels(tmp_path, (source, name, "none"))], suites.Choice())


def test_labels_take_the_files_they_name_with_them_and_a_limit_holds_for_each(tmp_path: Path) -> None:
    write_sources(tmp_path)
    items = [("talk.txt", "2", "none"), ("talk.txt", "3", "fact"), ("chats.json", "0/0", "none")]
    given = [write_labels(tmp_path, *items), tmp_path / "talk.txt", tmp_path / "chats.json"]
    (read,) = suites.read_all(given, suites.Choice(limit=1))
    assert isinstance(read, suites.LabelledTurns)
    assert read.sources == ["talk.txt", "chats.json"]
    assert len(read.items) == 2


def test_labels_that_say_no_source_or_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    write_sources(tmp_path)
    with pytest.raises(SystemExit, match=r"labels\.json"):
        suites.read_all([write_labels(tmp_path, ("talk.txt", "2", None))], suites.Choice())
    with pytest.raises(SystemExit, match=r"other\.txt"):
        suites.read_all([write_labels(tmp_path, ("other.txt", "2", "none"))], suites.Choice())
    (tmp_path / "labels.json").write_text(json.dumps({"source": "talk.txt", "items": [{"id": "0:1", "kind": None}]}))
    with pytest.raises(SystemExit, match=r"labels\.json"):
        suites.read_all([tmp_path / "labels.json"], suites.Choice())


def test_the_baseline_keeps_the_sentences_that_begin_with_the_speaker() -> None:
    turn = "Hello there. I live in Porto! It rains\n- my bees don\u2019t mind. I\u2019ve a hive; Is it mine? Icy."
    assert [turn[start:end].strip() for start, end in baseline.kept(turn)] == [
        "I live in Porto!",
        "- my bees don\u2019t mind.",
        "I\u2019ve a hive; Is it mine?",
    ]
    start = turn.index("in Porto")
    assert baseline.keeps(turn, start, start + 2)
    assert not baseline.keeps(turn, 0, 5)
    assert baseline.beside(turn, start, start + 2) == 2
    assert baseline.kept("Is this it?") == []


def test_a_word_is_absent_unless_a_memory_says_it_of_the_user() -> None:
    texts = [
        "The user is a keen skydiver.",
        "The user lives in Porto.",
        "The user's friend Tom went skydiving.",
        "The user said: “my boss hates skydiving”",
    ]
    absence = scoring.absence("sport", ["skydiv"], texts)
    assert absence.of_user == (texts[0],)
    assert absence.of_others == (texts[2], texts[3])
    assert not absence.right
    assert scoring.absence("sport", ["skydiv"], texts[1:]).right
    assert scoring.absence("port", ["ort"], texts).right, "a word is found from its beginning"


def test_what_the_users_family_does_is_said_of_the_user() -> None:
    text = "The user's daughter goes skydiving with a friend."
    assert scoring.absence("sport", ["skydiv"], [text]).of_user == (text,)


def test_words_of_the_question_and_of_the_antecedent_are_held_by_their_memory() -> None:
    asked = Place(0, 0, 16, "How heavy is it?", "assistant")
    answer = Place(1, 0, 15, "about 1.8 kilos")
    text = "Asked “How heavy is it?”, the user said: “about 1.8 kilos”"
    assert scoring.faith_of(made(asked, answer, text=text)) == Faith()
    assert scoring.faith_of(made(answer, asked, text=text)) == Faith()
    assert scoring.faith_of(made(answer, text=text)).added == ("how", "heavi")
    ana = Place(0, 0, 13, "my sister Ana")
    visits = Place(1, 0, 16, "she lives in Rome")
    assert scoring.faith_of(made(visits, ana, text="The user's sister Ana lives in Rome.")) == Faith()
    told = made(visits, text="The user's sister Ana lives in Rome.", elsewhere=("my sister Ana",))
    assert scoring.faith_of(told) == Faith()


def test_a_share_of_nothing_is_no_percentage() -> None:
    assert (str(Share(1, 2)), str(Share(0, 0))) == ("50.0% (1/2)", "none")
