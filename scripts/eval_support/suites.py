"""What the measured files hold: told apart by their content, read into conversations and what should come of them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from eval_support import files, labels, scoring
from eval_support.labels import Labelled, Labels
from eval_support.running import SOME_DAY, Conversation, Turn
from eval_support.scoring import Gold
from satchel.times import parse_iso

SEED = 20

OPENERS = (
    "Hi! Hope you can help me with something.",
    "Ok, next thing.",
    "thanks for the last answer, that was useful.",
    "Quick one before lunch.",
    "Right, so here's what I'm stuck on.",
    "Let me give you a bit of background first.",
    "Good evening!",
    "Not sure where to start.",
    "Hey, me again.",
    "So.",
    "hello there",
    "Sorry for the long message.",
    "Different topic now.",
    "Morning! Hope the servers are treating you well.",
)
MIDDLES = (
    "I need some ideas.",
    "I've been going back and forth on this all week and could use a second opinion.",
    "The last list you gave was a bit too long.",
    "I asked a search engine and got ten different answers.",
    "It's for this afternoon, so nothing fancy.",
    "My first attempt at wording this was a mess.",
    "I read the article twice and still don't get the second half.",
    "Here's the situation, in case it matters:",
    "This may be a silly question.",
    "I'd rather ask now than be sorry later.",
)
QUESTIONS = (
    "Could you suggest three things to do on a rainy weekend?",
    "What would be a sensible next step here?",
    "Can you put together a short list for me?",
    "How long does something like that usually take?",
    "Write me a friendly message I can send to the group.",
    "What's the weather usually like in Lisbon in March?",
    "Anyway, which of the two would you pick?",
    "Is there a difference between baking soda and baking powder?",
    "how do I convert a PDF to a spreadsheet",
    "What should the subject line say?",
    "Explain it as if to a ten-year-old.",
    "Which one is cheaper in the long run?",
)
CLOSERS = (
    "Please keep it to one paragraph this time.",
    "Give me the pros and cons in a table.",
    "Thanks in advance!",
    "No rush.",
    "If you need more details just ask.",
    "Bullet points are fine.",
    "cheers",
    "Short answer please, I have a meeting in five minutes.",
)


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is measured."""

    name: str


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One of our exchanges."""

    conversation: Conversation
    domain: str
    trap: str
    memories: tuple[dict[str, Any], ...]

    def golds(self, contents: Sequence[str]) -> list[Gold]:
        """The gold memories, their quotes found in the turns as the log keeps them (or as they were said)."""
        return [self._gold(memory, contents) for memory in self.memories]

    def _gold(self, memory: dict[str, Any], contents: Sequence[str]) -> Gold:
        turn, quote = int(memory["turn"]), str(memory["quote"])
        start = contents[turn].find(quote)
        if start < 0:
            start = self.conversation.turns[turn].content.find(quote)
        if start < 0:
            raise SystemExit(f"{self.conversation.id}: the quote {quote[:60]!r} does not stand in its turn.")
        return Gold(
            turn=turn,
            start=start,
            end=start + len(quote),
            kind=memory["kind"],
            statement=memory["statement"],
            correction=bool(memory.get("correction")),
            date=memory.get("date"),
        )


class Exchanges(Suite, frozen=True, kw_only=True):
    items: tuple[Exchange, ...]


class Framed(msgspec.Struct, frozen=True, kw_only=True):
    """A statement at `[start:end]` of a longer everyday turn."""

    conversation: Conversation
    statement: str
    start: int
    end: int

    @property
    def said(self) -> str:
        """The whole turn."""
        return self.conversation.turns[0].content


class Personas(Suite, frozen=True, kw_only=True):
    items: tuple[Framed, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that shows a preference in its turn number `turn` without anybody having asked."""

    conversation: Conversation
    preference: str
    turn: int


class Preferences(Suite, frozen=True, kw_only=True):
    """`unplaced`: how many persona-driven conversations have no word of their preference in a user's turn."""

    explicit: tuple[Framed, ...]
    chosen: tuple[Shown, ...]
    lived: tuple[Shown, ...]
    unplaced: int


class Chats(Suite, frozen=True, kw_only=True):
    items: tuple[Conversation, ...]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a memory that holds a `right` word is what counts now, and none that holds a `wrong` one."""

    about: str
    question: str
    right: tuple[str, ...]
    wrong: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something else was so before: only then there is a wrong value."""
        return bool(self.wrong)


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether no living memory says anything with one of the `words` (or their beginnings) of the user."""

    about: str
    words: tuple[str, ...]


class HalfYear(Suite, frozen=True, kw_only=True):
    """Conversations and checks in the order in which they come."""

    steps: tuple[Conversation | Check | Absent, ...]


class LabelledTurns(Suite, frozen=True, kw_only=True):
    items: tuple[Labelled, ...]

    @property
    def sources(self) -> list[str]:
        """The names of the labelled files."""
        return list(dict.fromkeys(item.label.source for item in self.items))


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for. `limit`: items of each part, drawn with a fixed seed."""

    limit: int | None = None
    domains: frozenset[str] = frozenset()

    def of(self, items: Sequence[Any]) -> list[Any]:
        """At most `limit` of the items, in their order."""
        if self.limit is None or self.limit >= len(items):
            return list(items)
        chosen = sorted(random.Random(SEED).sample(range(len(items)), self.limit))
        return [items[number] for number in chosen]


def read_all(given: Sequence[Path], choice: Choice) -> list[Suite]:
    """What the files hold. Exits naming a file it does not know.

    A folder stands for its exchanges. Labels take the files that they name with them, from among the files, their
    folders or beside the labels; those are then not measured otherwise, nor are such a folder's exchanges.
    """
    found = {path: loaded for path in given if (loaded := _labels(path)) is not None}
    sources = {path: _sources(path, loaded, given) for path, loaded in found.items()}
    taken = {place for named in sources.values() for source in named.values() for place in (source, source.parent)}
    suites: list[Suite] = []
    for path in given:
        if path in found:
            suites.append(_labelled(path, found[path], sources[path], choice))
        elif path not in taken:
            suites += [read(file, choice) for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    return suites


def _labels(path: Path) -> Labels | None:
    if path.suffix != ".json" or path.is_dir():
        return None
    loaded = files.parsed(path, files.read_text(path))
    return labels.read(path, loaded) if labels.is_labels(loaded) else None


def _sources(path: Path, read: Labels, given: Sequence[Path]) -> dict[str, Path]:
    return {name: labels.find(name, path, given) for name in dict.fromkeys(item.source for item in read.items)}


def read(path: Path, choice: Choice) -> Suite:
    """What one file holds."""
    text = files.read_text(path)
    if path.suffix == ".jsonl":
        lines = _lines(path, text)
        if any("check" in line for line in lines):
            return _half_year(path.name, lines)
        if lines and all("memories" in line and "turns" in line for line in lines):
            return _exchanges(path.name, lines, choice)
    elif path.suffix == ".txt" and "your persona: " in text:
        return _personas(path.name, text, choice)
    elif path.suffix == ".json":
        loaded = files.parsed(path, text)
        if isinstance(loaded, dict) and all(isinstance(part, dict) and "explicit" in part for part in loaded.values()):
            return _preferences(path.name, loaded, choice)
        if isinstance(loaded, list) and all(isinstance(chat, dict) and "conversation" in chat for chat in loaded):
            return Chats(name=path.name, items=tuple(choice.of(_chats(loaded))))
    raise SystemExit(
        f"{path}: not a kind of file that is measured here. There are exchanges and half-year scripts (.jsonl), "
        "persona dialogues (.txt), PrefEval, real chats and labels (.json); see --help."
    )


def _lines(path: Path, text: str) -> list[dict[str, Any]]:
    lines = [files.parsed(path, line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(line, dict) for line in lines):
        raise SystemExit(f"{path}: each line must be a JSON object.")
    return lines


# Our own exchanges, and the half-year


def _exchanges(name: str, lines: Sequence[dict[str, Any]], choice: Choice) -> Exchanges:
    wanted = [line for line in lines if not choice.domains or line["domain"] in choice.domains]
    return Exchanges(name=name, items=tuple(choice.of([_exchange(line) for line in wanted])))


def _exchange(line: dict[str, Any]) -> Exchange:
    conversation = Conversation(
        id=line["id"],
        turns=files.turns_of(line["turns"]),
        at=parse_iso(line["sent_at"]) if line.get("sent_at") else SOME_DAY,
    )
    return Exchange(
        conversation=conversation,
        domain=line.get("domain", ""),
        trap=line.get("trap") or "plain",
        memories=tuple(line["memories"]),
    )


def _half_year(name: str, lines: Sequence[dict[str, Any]]) -> HalfYear:
    return HalfYear(name=name, steps=tuple(_step(line) for line in lines))


def _step(line: dict[str, Any]) -> Conversation | Check | Absent:
    if "check" not in line:
        return Conversation(
            id=line["id"], turns=files.turns_of(line["turns"]), at=parse_iso(line["at"]), site=line.get("site", "eval")
        )
    if line["check"] == "absent":
        return Absent(about=line["about"], words=tuple(line["words"]))
    if line["check"] != "current":
        raise SystemExit(f'A check {line["check"]!r} is not known; there are "current" and "absent".')
    return Check(
        about=line["about"],
        question=line["question"],
        right=tuple(line["right"]),
        wrong=tuple(line.get("wrong", ())),
    )


# Statements in longer turns


def frame(statement: str, chooser: random.Random, name: str) -> Framed:
    """The statement in the middle of an everyday turn, none of whose other sentences is worth remembering."""
    before = [chooser.choice(OPENERS)] + ([chooser.choice(MIDDLES)] if chooser.random() < 0.4 else [])
    after = [chooser.choice(QUESTIONS)] + ([chooser.choice(CLOSERS)] if chooser.random() < 0.5 else [])
    gap = "\n\n" if chooser.random() < 0.15 else " "
    head = gap.join(before) + gap
    return Framed(
        conversation=Conversation(id=name, turns=(Turn("user", head + statement + gap + gap.join(after)),)),
        statement=statement,
        start=len(head),
        end=len(head) + len(statement),
    )


def _framed(statements: Sequence[str], choice: Choice) -> tuple[Framed, ...]:
    chooser = random.Random(SEED)
    return tuple(frame(text, chooser, f"framed {number}") for number, text in enumerate(choice.of(statements)))


def _personas(name: str, text: str, choice: Choice) -> Personas:
    marked = re.findall(r"^your persona: (.+?)(?:\t|$)", text, re.MULTILINE)
    return Personas(name=name, items=_framed(sorted({files.spaced(statement) for statement in marked}), choice))


def _preferences(name: str, topics: dict[str, dict[str, list[dict[str, Any]]]], choice: Choice) -> Preferences:
    def part(called: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            (f"{topic}/{called}/{number}", item)
            for topic, parts in topics.items()
            for number, item in enumerate(parts[called])
        ]

    stated = sorted({item["preference"].strip() for _, item in part("explicit")})
    lived = [_lived(called, item) for called, item in choice.of(part("implicit_persona_driven"))]
    return Preferences(
        name=name,
        explicit=_framed(stated, choice),
        chosen=tuple(_chosen(called, item) for called, item in choice.of(part("implicit_choice_based"))),
        lived=tuple(shown for shown in lived if shown is not None),
        unplaced=lived.count(None),
    )


def _chosen(name: str, item: dict[str, Any]) -> Shown:
    said = item["conversation"]
    turns = (
        Turn("user", said["query"]),
        Turn("assistant", said["assistant_options"]),
        Turn("user", said["user_selection"]),
        Turn("assistant", said["assistant_acknowledgment"]),
    )
    return Shown(conversation=Conversation(id=name, turns=turns), preference=item["preference"], turn=2)


def _lived(name: str, item: dict[str, Any]) -> Shown | None:
    turns = tuple(turn for _, turn in files.persona_pairs(item["conversation"]))
    turn = most_alike(item["preference"], turns)
    if turn is None:
        return None
    return Shown(conversation=Conversation(id=name, turns=turns), preference=item["preference"], turn=turn)


def most_alike(preference: str, turns: Sequence[Turn]) -> int | None:
    """The user's turn that shows the preference: the one with most of its content words, the first of equals.

    None when no turn has any: then nothing says where the preference is shown.
    """
    wanted = set(scoring.content(preference))
    shared = {
        number: len(wanted & set(scoring.content(turn.content)))
        for number, turn in enumerate(turns)
        if turn.role == "user"
    }
    best = max(shared, key=lambda number: (shared[number], -number), default=None)
    return None if best is None or not shared[best] else best


# Chats and labels


def _chats(loaded: Sequence[dict[str, Any]]) -> list[Conversation]:
    return [
        Conversation(id=str(chat.get("conversation_id", number)), turns=files.turns_of(chat["conversation"]))
        for number, chat in enumerate(loaded)
    ]


def _labelled(path: Path, read: Labels, sources: dict[str, Path], choice: Choice) -> LabelledTurns:
    parts = [
        labels.labelled(source, choice.of([item for item in read.items if item.source == name]))
        for name, source in sources.items()
    ]
    return LabelledTurns(name=path.name, items=tuple(item for part in parts for item in part))
