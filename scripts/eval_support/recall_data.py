"""What recall is measured with: LoCoMo, PrefEval, BEAM, MemoryBank and the LongMemEval sample, read into lives and
questions.

A life is what one user's store holds when the questions are asked. Evidence is the places (a conversation and a turn's
number in it) that a question's answer rests on, as each set's authors marked them;
MemoryBank's were read out of it for Satchel (`memorybank_evidence.json`).
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec

from eval_support import files, suites
from eval_support.running import SOME_DAY, Conversation, Turn
from satchel.types import Kind, Role

SEED = suites.SEED
HOUR = 3_600_000
"""Milliseconds."""

TOLD = 50
"""PrefEval: preferences that one user told."""

OTHERS = 100
"""PrefEval: turns of the same user that tell none."""

APART = 7 * HOUR
"""PrefEval: from one of the user's conversations to the next (ms)."""

PREFERRED: tuple[Kind, ...] = ("explicit_preference", "implicit_preference", "instruction")
"""The kinds among which a preference is looked for."""

LOCOMO = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
"""LoCoMo's categories; the fifth has no answer in the conversation, so no evidence."""

EVIDENCE = Path(__file__).with_name("memorybank_evidence.json")
"""MemoryBank: per language, user and question (numbers, in the files' order) the turns that answer it."""

Place = tuple[str, int]
"""A conversation's id and the number of a turn in it, from 0."""

Span = tuple[int, int]
"""`[start:end]` of a turn, in code points."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    category: str
    evidence: frozenset[Place]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """`spans`: of some turns, the words that count; a memory of others in that turn is no evidence."""

    conversations: tuple[Conversation, ...]
    questions: tuple[Question, ...]
    spans: Mapping[Place, Span] = {}


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is measured. With `kinds`, memories of these kinds alone are searched, and the questions count whose
    evidence extraction kept. `unit`: what is counted as found; of sessions, evidence names their turn 0."""

    name: str
    lives: tuple[Life, ...]
    unit: Literal["turns", "sessions", "preferences"] = "turns"
    kinds: tuple[Kind, ...] | None = None

    @property
    def steps(self) -> int:
        """Conversations and questions."""
        return sum(len(life.conversations) + len(life.questions) for life in self.lives)


def read(path: Path, limit: int | None) -> Suite:
    """What a file holds, with at most `limit` of its questions. Exits in one sentence on a file it cannot use."""
    loaded = files.parsed(path, files.read_text(path))
    called, reader = _reader(path, loaded)
    try:
        suite = reader(path.name, loaded, limit)
    except (msgspec.ValidationError, ValueError) as error:
        raise SystemExit(f"{path} looks like {called}, but cannot be read as such: {error}.") from None
    if not suite.lives:
        raise SystemExit(f"{path} is {called}, but holds no question with evidence.")
    return suite


def _reader(path: Path, loaded: Any) -> tuple[str, Callable[[str, Any, int | None], Suite]]:
    """The name of the set that a file is of, told by its content, and who reads it."""
    if _all_have(loaded if isinstance(loaded, list) else (), "qa", "conversation"):
        return "LoCoMo", _locomo
    if isinstance(loaded, dict):
        if _all_have(loaded.values(), "explicit"):
            return "PrefEval", _prefeval
        if _all_have(loaded.values(), "chat", "probing_questions"):
            return "BEAM", _beam
        if _all_have(loaded.get("data") or (), "question_type", "conversation"):
            return "the LongMemEval sample", _longmemeval
        if _all_have(loaded.values(), "history", "name"):
            return "MemoryBank", functools.partial(_memorybank, path)
    raise SystemExit(
        f"{path}: recall is measured with LoCoMo, PrefEval, BEAM, MemoryBank and the LongMemEval sample; see --help."
    )


def _all_have(parts: Any, *names: str) -> bool:
    parts = list(parts)
    return bool(parts) and all(isinstance(part, dict) and all(name in part for name in names) for part in parts)


def _chosen(lives: Sequence[Life], limit: int | None) -> tuple[Life, ...]:
    """The lives with at most `limit` of all their questions, drawn with a fixed seed; none without a question."""
    numbered = [(number, question) for number, life in enumerate(lives) for question in life.questions]
    drawn = suites.Choice(limit=limit).of(numbered)
    narrowed = (
        msgspec.structs.replace(life, questions=tuple(question for owner, question in drawn if owner == number))
        for number, life in enumerate(lives)
    )
    return tuple(life for life in narrowed if life.questions)


def _ms(text: str, pattern: str) -> int:
    """Raises ValueError, naming the text, where it does not fit the pattern."""
    return round(datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp() * 1000)


# LoCoMo


class _Turn(msgspec.Struct, frozen=True):
    speaker: str
    dia_id: str
    text: str


class _Asked(msgspec.Struct, frozen=True):
    question: str
    category: int
    evidence: tuple[str, ...] = ()


class _Sample(msgspec.Struct, frozen=True):
    qa: tuple[_Asked, ...]
    conversation: dict[str, Any]


def _locomo(name: str, loaded: Any, limit: int | None) -> Suite:
    lives = [_locomo_life(sample) for sample in msgspec.convert(loaded, tuple[_Sample, ...])]
    return Suite(name=name, lives=_chosen(lives, limit))


def _locomo_life(sample: _Sample) -> Life:
    """Each session is a conversation of its own, as a chat site would have it."""
    user = sample.conversation.get("speaker_a")
    conversations: list[Conversation] = []
    places: dict[str, Place] = {}
    for session in _sessions(sample.conversation):
        said = msgspec.convert(sample.conversation[session], tuple[_Turn, ...])
        places |= {turn.dia_id: (session, number) for number, turn in enumerate(said)}
        turns = tuple(Turn("user" if turn.speaker == user else "assistant", turn.text) for turn in said)
        at = _ms(str(sample.conversation.get(f"{session}_date_time")), "%I:%M %p on %d %B, %Y")
        conversations.append(Conversation(id=session, turns=turns, at=at))
    asked = (
        Question(text=one.question, category=LOCOMO[one.category], evidence=_cited(one.evidence, places))
        for one in sample.qa
        if one.category in LOCOMO
    )
    return Life(conversations=tuple(conversations), questions=tuple(one for one in asked if one.evidence))


def _sessions(conversation: Mapping[str, Any]) -> list[str]:
    named = [name for name in conversation if re.fullmatch(r"session_\d+", name)]
    return sorted(named, key=lambda name: int(name.rpartition("_")[2]))


def _cited(evidence: Sequence[str], places: Mapping[str, Place]) -> frozenset[Place]:
    """The turns cited. Some citations hold several ids or a colon too many, and one names a turn that is not there."""
    found = (f"D{session}:{turn}" for cited in evidence for session, turn in re.findall(r"D:?(\d+):(\d+)", cited))
    return frozenset(places[dia_id] for dia_id in found if dia_id in places)


# PrefEval


class _Preference(msgspec.Struct, frozen=True):
    preference: str
    question: str


class _Topic(msgspec.Struct, frozen=True):
    explicit: tuple[_Preference, ...]


def _prefeval(name: str, loaded: Any, limit: int | None) -> Suite:
    """Users who told 50 preferences each, of all topics; those asked are the first `limit`, so that a short run has few
    users, and each of them told all the same."""
    unique: dict[str, tuple[str, str]] = {}
    for topic, part in msgspec.convert(loaded, dict[str, _Topic]).items():
        for item in part.explicit:
            unique.setdefault(item.preference.strip(), (topic, item.question))
    told = sorted(unique)
    chooser = random.Random(SEED)
    chooser.shuffle(told)
    lives: list[Life] = []
    for start in range(0, len(told), TOLD):
        asked = TOLD if limit is None else max(limit - start, 0)
        lives.append(_prefeval_life(told[start : start + TOLD], asked, unique, chooser))
    return Suite(name=name, lives=tuple(life for life in lives if life.questions), unit="preferences", kinds=PREFERRED)


def _prefeval_life(
    told: Sequence[str], asked: int, known: Mapping[str, tuple[str, str]], chooser: random.Random
) -> Life:
    """`known`: topic and question of each preference."""
    framed = {text: suites.frame(text, chooser, f"told {number}") for number, text in enumerate(told)}
    spoken = [item.conversation for item in framed.values()]
    spoken += [_nothing_told(chooser, f"other {number}") for number in range(OTHERS)]
    chooser.shuffle(spoken)
    return Life(
        conversations=tuple(
            msgspec.structs.replace(conversation, at=SOME_DAY + number * APART)
            for number, conversation in enumerate(spoken)
        ),
        questions=tuple(
            Question(
                text=known[text][1], category=known[text][0], evidence=frozenset({(framed[text].conversation.id, 0)})
            )
            for text in told[:asked]
        ),
        spans={(item.conversation.id, 0): (item.start, item.end) for item in framed.values()},
    )


def _nothing_told(chooser: random.Random, name: str) -> Conversation:
    """The frame without a statement, and without the gap that is left in its place."""
    said = re.sub(r"(\s)\s+", r"\1", suites.frame("", chooser, name).said)
    return Conversation(id=name, turns=(Turn("user", said),))


# BEAM


class _Said(msgspec.Struct, frozen=True):
    role: Role
    id: int
    content: str
    time_anchor: str | None = None


class _Batch(msgspec.Struct, frozen=True):
    batch_number: int
    turns: tuple[tuple[_Said, ...], ...]


class _Probe(msgspec.Struct, frozen=True):
    question: str
    source_chat_ids: Any = None


class _Chat(msgspec.Struct, frozen=True):
    chat: tuple[_Batch, ...]
    probing_questions: dict[str, tuple[_Probe, ...]]


def _beam(name: str, loaded: Any, limit: int | None) -> Suite:
    lives = [_beam_life(chat) for chat in msgspec.convert(loaded, dict[str, _Chat]).values()]
    return Suite(name=name, lives=_chosen(lives, limit))


def _beam_life(chat: _Chat) -> Life:
    """Each batch, which has one date, is a conversation. Probes without cited turns (abstention) are left out."""
    conversations: list[Conversation] = []
    places: dict[int, Place] = {}
    for batch in chat.chat:
        called = f"batch {batch.batch_number}"
        said = [turn for group in batch.turns for turn in group]
        places |= {turn.id: (called, number) for number, turn in enumerate(said)}
        turns = tuple(Turn(turn.role, _unnumbered(turn.content)) for turn in said)
        conversations.append(Conversation(id=called, turns=turns, at=_anchor(said)))
    asked = (
        Question(
            text=probe.question,
            category=category.replace("_", " "),
            evidence=frozenset(places[number] for number in _numbers(probe.source_chat_ids) if number in places),
        )
        for category, probes in chat.probing_questions.items()
        for probe in probes
    )
    return Life(conversations=tuple(conversations), questions=tuple(one for one in asked if one.evidence))


def _anchor(said: Sequence[_Said]) -> int:
    return next((_ms(turn.time_anchor, "%B-%d-%Y") for turn in said if turn.time_anchor), SOME_DAY)


def _unnumbered(content: str) -> str:
    """Without the generating script's own mark at the end: " ->-> 1,12"."""
    return re.sub(r"\s*->->\s*[\w,]*\s*$", "", content)


def _numbers(cited: Any) -> Iterator[int]:
    """The turn numbers in cited ids: a list, lists in a list, or lists by role ("first_statement")."""
    if isinstance(cited, int):
        yield cited
    elif isinstance(cited, dict | list):
        for part in cited.values() if isinstance(cited, dict) else cited:
            yield from _numbers(part)


# LongMemEval


class _Dated(msgspec.Struct, frozen=True):
    role: Role
    content: str
    date: str


class _Sought(msgspec.Struct, frozen=True):
    question: str


class _Item(msgspec.Struct, frozen=True):
    id: str
    question_type: str
    conversation: tuple[_Dated, ...]
    questions: tuple[_Sought, ...]


class _Picked(msgspec.Struct, frozen=True):
    data: tuple[_Item, ...]


def _longmemeval(name: str, loaded: Any, limit: int | None) -> Suite:
    """One user with the sessions of all questions. The sample marks no turns, and all of a question's own sessions are
    its evidence: found is a session of which any turn is."""
    conversations: list[Conversation] = []
    questions: list[Question] = []
    for item in msgspec.convert(loaded, _Picked).data:
        sessions = _dated_sessions(item)
        conversations += sessions
        evidence = frozenset((session.id, 0) for session in sessions)
        questions += [
            Question(text=one.question, category=item.question_type, evidence=evidence) for one in item.questions
        ]
    conversations.sort(key=lambda conversation: conversation.at)
    life = Life(conversations=tuple(conversations), questions=tuple(questions))
    return Suite(name=name, lives=_chosen([life], limit), unit="sessions")


def _dated_sessions(item: _Item) -> list[Conversation]:
    """Turns of one date, one after the other, are a session."""
    return [
        Conversation(
            id=f"{item.id} {number}",
            turns=tuple(Turn(turn.role, turn.content) for turn in turns),
            at=_ms(re.sub(r"\s*\(\w+\)", "", date), "%Y/%m/%d %H:%M"),
        )
        for number, (date, turns) in enumerate(groupby(item.conversation, key=lambda turn: turn.date))
    ]


# MemoryBank


class _Exchange(msgspec.Struct, frozen=True):
    query: str
    response: str


class _Friend(msgspec.Struct, frozen=True):
    history: dict[str, tuple[_Exchange, ...]]


def _memorybank(path: Path, name: str, loaded: Any, limit: int | None) -> Suite:
    """Fifteen users' daily talks, in English or Chinese, with the probing questions that lie beside the file. The set
    marks no evidence: which turns answer was read out of them for Satchel. `category` is the language."""
    language = path.stem.rpartition("_")[2]
    asked_of = path.with_name(f"probing_questions_{language}.jsonl")
    marked = files.parsed(EVIDENCE, files.read_text(EVIDENCE))
    if language not in marked:
        raise SystemExit(f"{path}: MemoryBank is read as memory_bank_en.json or memory_bank_cn.json.")
    lines = [files.parsed(asked_of, line) for line in files.read_text(asked_of).splitlines() if line.strip()]
    friends = list(msgspec.convert(loaded, dict[str, _Friend]).values())
    lives = [
        _memorybank_life(friend, [text for texts in asked.values() for text in texts], evidence, language)
        for friend, asked, evidence in zip(friends, lines, marked[language].values(), strict=True)
    ]
    return Suite(name=name, lives=_chosen(lives, limit))


def _memorybank_life(
    friend: _Friend, asked: Sequence[str], evidence: Mapping[str, Sequence[str]], language: str
) -> Life:
    """Each day is a conversation. Evidence is "DATE:NUMBER:q" (the user's words of that exchange) or "...:r"."""
    conversations = tuple(
        Conversation(
            id=day,
            turns=tuple(
                turn
                for one in exchanges
                for turn in (Turn("user", one.query), Turn("assistant", one.response))
            ),
            at=_ms(day, "%Y-%m-%d") + 18 * HOUR,
        )
        for day, exchanges in sorted(friend.history.items())
        if exchanges  # one day of the English translation is empty
    )  # fmt: skip

    def place(cited: str) -> Place:
        day, number, part = cited.split(":")
        return day, 2 * int(number) + (part == "r")

    questions = (
        Question(text=text, category=language, evidence=frozenset(map(place, evidence.get(str(number), ()))))
        for number, text in enumerate(asked)
    )
    return Life(conversations=conversations, questions=tuple(one for one in questions if one.evidence))
