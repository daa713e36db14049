#!/usr/bin/env python3
"""Measures choosing, saying, checking and reconciling end to end, with the real models, store and worker.

    .venv/bin/python scripts/eval_extraction.py FILE... [--limit N] [--list] [--json OUT]   (more with --help)

What a file is shows in its content:

exchanges         (.jsonl: turns with gold memories, models/corpus/exchanges and the trap suites) recall and precision,
                  kinds, dates, who said it; an item is right when every gold memory is found and nothing else is made
persona dialogues (.txt) persona statements in the middle of longer everyday turns, and what is invented beside them
PrefEval          (.json) preferences stated in the middle of longer turns, and preferences shown in conversations: by
                  a choice, or in the user's turn that shares most content words with the preference
real chats        (.json) what is remembered of them, each one listed: hardly anything should be
half-year         (.jsonl with "check" lines) whether the memories that recall finds say what is so now, and whether
                  what the user never said of themselves is absent from all
labels            (.json: {"rule", "items": [{"source", "id", "kind"}]}) with the files that it labels, or their folder:
                  which turns are remembered, and as what; each turn is read with those before it as context

Of exchanges and statements, the baseline is told beside: "sentences that begin with I, My, I'm, I've, I'd, I'll".
Nothing here trains or tunes anything. For all: is each statement faithful to its quote?
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from eval_support import baseline, scoring, suites
from eval_support.labels import Label
from eval_support.running import (
    Cell,
    Conversation,
    CountingRuntime,
    Derived,
    Progress,
    Session,
    Share,
    Table,
    generator,
    show,
)
from eval_support.scoring import ACTIVE, LIVING, PREFERENCES, Absence, Faith, Judged, Made
from satchel.times import to_iso
from satchel.types import SatchelError

FOUND = 10
"""Memories that recall is asked for in a check of what is current."""
MOST_DOMAINS = 25
"""Domains whose table is printed unasked."""
MOST_FAILURES = 3
"""Conversations that may fail: figures of a pipeline that stands still would look precise."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked to see. `listing`: what is wrong; `domains`: their table, however many there are."""

    listing: bool = False
    domains: bool = False


class Run:
    """One file being measured: its session, and what all files are measured by."""

    def __init__(self, session: Session, name: str, asked: Asked) -> None:
        self._session = session
        self._name = name
        self.asked = asked
        self.seconds = 0.0
        self.made: list[Made] = []
        self.errors: list[str] = []

    @property
    def session(self) -> Session:
        return self._session

    async def derive(self, conversations: Sequence[Conversation], *, last_only: bool = False) -> list[Derived]:
        progress = Progress(self._name, len(conversations))
        derived = []
        for conversation in conversations:
            derived.append(await self.one(conversation, last_only=last_only))
            progress.step()
        return derived

    def notes(self, lines: Iterable[str]) -> Iterable[str]:
        """The lines, when listing was asked for."""
        return lines if self.asked.listing else ()

    async def one(self, conversation: Conversation, *, profile: str | None = None, last_only: bool = False) -> Derived:
        before = asyncio.get_running_loop().time()
        derived = await self._session.derive(conversation, profile=profile, last_only=last_only)
        self.seconds += asyncio.get_running_loop().time() - before
        self.made += derived.made
        if derived.error is not None:
            self.errors.append(f"{conversation.id}: {derived.error}")
        if len(self.errors) > MOST_FAILURES:
            raise SatchelError("Too many conversations fail:\n" + "\n".join(self.errors))
        return derived


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--generate", metavar="NAME", help="another generator: its name, or the path of a GGUF")
    parser.add_argument("--limit", type=int, help="so many items of each part, drawn with a fixed seed")
    parser.add_argument("--domains", default="", help="of exchanges, only these domains (a,b)")
    parser.add_argument("--domains-table", action="store_true", help=f"also when there are more than {MOST_DOMAINS}")
    parser.add_argument("--list", action="store_true", help="list what is wrong, and what is remembered of chats")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    domains = frozenset(filter(None, arguments.domains.split(",")))
    choice = suites.Choice(limit=arguments.limit, domains=domains)
    measured = suites.read_all(arguments.files, choice)
    asked = Asked(listing=arguments.list, domains=arguments.domains_table)
    try:
        tables = asyncio.run(measure_all(measured, arguments.generate, asked))
    except SatchelError as error:
        raise SystemExit(str(error)) from None
    if arguments.json:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(tables), indent=2, ensure_ascii=False) + "\n", "utf-8")


async def measure_all(measured: Sequence[suites.Suite], generate: str | None, asked: Asked) -> list[Table]:
    """Prints and returns the tables of every file; several files of exchanges are one."""
    tables: list[Table] = []
    with generator(generate) as (folder, name):
        async with CountingRuntime(folder, generate=name) as runtime:
            for suite in _joined(measured):
                with tempfile.TemporaryDirectory() as data:
                    async with Session(Path(data), runtime) as session:
                        for table in await measure(suite, Run(session, suite.name, asked)):
                            show(table)
                            tables.append(table)
    return tables


def _joined(measured: Sequence[suites.Suite]) -> list[suites.Suite]:
    exchanges = [suite for suite in measured if isinstance(suite, suites.Exchanges)]
    if len(exchanges) < 2:
        return list(measured)
    items = tuple(item for suite in exchanges for item in suite.items)
    joined = suites.Exchanges(name=f"{len(exchanges)} files of exchanges", items=items)
    return [joined, *(suite for suite in measured if suite not in exchanges)]


async def measure(suite: suites.Suite, run: Run) -> list[Table]:
    """The tables of one file."""
    match suite:
        case suites.Exchanges():
            tables = await _exchanges(suite, run)
        case suites.Personas():
            tables = await _framed(f"{suite.name}: statements in longer turns", suite.items, run)
        case suites.Preferences():
            tables = await _preferences(suite, run)
        case suites.Chats():
            tables = [await _chats(suite, run)]
        case suites.HalfYear():
            tables = [await _half_year(suite, run)]
        case suites.LabelledTurns():
            tables = [await _labelled(suite, run)]
        case _:
            raise TypeError(suite)
    return [*tables, _faithfulness(suite.name, run)]


def _figures(title: str, rows: dict[str, Cell], notes: Iterable[str] = ()) -> Table:
    return Table(title, ("", "figure"), tuple(rows.items()), tuple(notes))


def _beside(title: str, rows: dict[str, tuple[Cell, Cell]]) -> Table:
    """Our figures and the baseline's."""
    cells = tuple((name, ours, theirs) for name, (ours, theirs) in rows.items())
    return Table(f"{title}, beside “{baseline.NAME}”", ("", "ours", "baseline"), cells)


# Exchanges


class _Item(msgspec.Struct, frozen=True):
    exchange: suites.Exchange
    contents: tuple[str, ...]
    made: tuple[Made, ...]
    judged: Judged

    @property
    def asked(self) -> list[str]:
        """The user's turns."""
        return [turn.content for turn in self.exchange.conversation.turns if turn.role == "user"]

    @property
    def gold_turns(self) -> set[int]:
        return {match.gold.turn for match in self.judged.matches}

    @property
    def made_turns(self) -> set[int]:
        return scoring.turns_of([one for one in self.made if one.status in LIVING])


async def _exchanges(suite: suites.Exchanges, run: Run) -> list[Table]:
    derived = await run.derive([item.conversation for item in suite.items])
    items = [
        _Item(exchange, done.contents, done.made, scoring.judge(exchange.golds(done.contents), done.made))
        for exchange, done in zip(suite.items, derived, strict=True)
    ]
    domains = len({item.exchange.domain for item in items})
    tables = [
        _figures(f"{suite.name}: {len(items)} items", _overall(items), run.notes(_wrong(items))),
        _beside(suite.name, _beside_items(items)),
        _by(f"{suite.name}, by trap", items, lambda item: item.exchange.trap),
    ]
    if run.asked.domains or domains <= MOST_DOMAINS:
        tables.append(_by(f"{suite.name}, by domain", items, lambda item: item.exchange.domain))
    return tables


def _beside_items(items: Sequence[_Item]) -> dict[str, tuple[Cell, Cell]]:
    golds = [(match, item.contents[match.gold.turn]) for item in items for match in item.judged.matches]
    found = sum(match.made is not None for match, _ in golds)
    overlapped = sum(baseline.keeps(said, match.gold.start, match.gold.end) for match, said in golds)
    empty = [item for item in items if not item.judged.matches]
    kept = sum(any(map(baseline.kept, item.asked)) for item in empty)
    return {
        "gold memories found": (Share(found, len(golds)), Share(overlapped, len(golds))),
        "items without memories in which something is kept": (
            Share(sum(bool(item.judged.extra) for item in empty), len(empty)),
            Share(kept, len(empty)),
        ),
    }


def _overall(items: Sequence[_Item]) -> dict[str, Cell]:
    matches = [match for item in items for match in item.judged.matches]
    found = [(match.gold, match.made) for match in matches if match.made is not None]
    dated = [match for match in matches if match.gold.date is not None]
    corrections = [match for match in matches if match.gold.correction]
    made = [one for item in items for one in item.made]
    both = sum(len(item.gold_turns & item.made_turns) for item in items)
    return {
        "items right": Share(sum(item.judged.right for item in items), len(items)),
        "items with a memory right": _share_right([item for item in items if item.judged.matches]),
        "items without right": _share_right([item for item in items if not item.judged.matches]),
        "memorable turns: recall": Share(both, sum(len(item.gold_turns) for item in items)),
        "memorable turns: precision": Share(both, sum(len(item.made_turns) for item in items)),
        "memories: recall": Share(len(found), len(matches)),
        "memories: precision": _precision(items),
        "kind right among the found": Share(sum(gold.kind == one.kind for gold, one in found), len(found)),
        "found ones that share a memory": len(found) - len({id(one) for _, one in found}),
        "dates right, of all with a date": Share(sum(map(scoring.dated_right, dated)), len(dated)),
        "dates right, of the found": _dates_of_found(items),
        "corrections found": Share(sum(match.made is not None for match in corrections), len(corrections)),
        "corrections flagged": Share(
            sum(match.made is not None and match.made.correction for match in corrections), len(corrections)
        ),
        "flagged, but none": sum(one.correction for one in made)
        - sum(match.made is not None and match.made.correction for match in corrections),
        "attribution errors": sum(map(scoring.is_misattributed, made)),
    }


def _dates_of_found(items: Sequence[_Item]) -> Share:
    dated = [match for item in items for match in item.judged.matches if match.gold.date and match.made]
    return Share(sum(map(scoring.dated_right, dated)), len(dated))


def _share_right(items: Sequence[_Item]) -> Share:
    return Share(sum(item.judged.right for item in items), len(items))


def _precision(items: Sequence[_Item]) -> Share:
    fitting = sum(item.judged.fitting for item in items)
    return Share(fitting, fitting + sum(len(item.judged.extra) for item in items))


def _by(title: str, items: Sequence[_Item], group: Callable[[_Item], str]) -> Table:
    groups: dict[str, list[_Item]] = defaultdict(list)
    for item in items:
        groups[group(item)].append(item)
    rows = tuple(
        (
            name,
            len(among),
            _share_right(among),
            Share(
                sum(match.made is not None for item in among for match in item.judged.matches),
                sum(len(item.judged.matches) for item in among),
            ),
            _precision(among),
        )
        for name, among in sorted(groups.items())
    )
    return Table(title, ("", "items", "right", "recall", "precision"), rows)


def _wrong(items: Sequence[_Item]) -> list[str]:
    lines: list[str] = []
    for item in items:
        matches, extra = item.judged.matches, item.judged.extra
        said = item.exchange.conversation
        told = [f"  missed {match.gold.kind}: {match.gold.statement}" for match in matches if match.made is None]
        told += [f"  made {_told(one)}" for one in extra]
        told += [
            f"  {match.made.kind} instead of {match.gold.kind}: {_told(match.made)}"
            for match in matches
            if match.made is not None and match.made.kind != match.gold.kind
        ]
        told += [
            f"  dated {_day(match.made)} instead of {match.gold.date}: {_told(match.made)}"
            for match in matches
            if match.made is not None and match.gold.date is not None and not scoring.dated_right(match)
        ]
        if told:
            lines += [f"{said.id} ({item.exchange.trap}): {said.turns[-1].content[:160]!r}", *told]
    return lines


def _day(made: Made) -> str:
    return "nothing" if made.event_time is None else to_iso(made.event_time)[:10]


def _told(made: Made) -> str:
    quote = made.places[0].quote if made.places else ""
    return f"{made.kind}: {made.text[:160]}  <- {quote[:160]!r}"


# Statements in longer turns


async def _framed(title: str, items: Sequence[suites.Framed], run: Run, *, preferences: bool = False) -> list[Table]:
    derived = await run.derive([item.conversation for item in items])
    whole = well = kinds = beside = 0
    notes: list[str] = []
    for item, done in zip(items, derived, strict=True):
        over = [one for one in done.made if scoring.overlap(one, 0, item.start, item.end)]
        apart = [one for one in over if not scoring.is_whole(one, 0, len(item.said))]
        invented = [one for one in done.made if one not in over]
        whole += bool(over) and not apart
        well += bool(apart)
        kinds += any(one.kind in PREFERENCES for one in apart)
        beside += len(invented)
        notes += [] if apart else [f"missed: {item.statement}"]
        notes += [f"invented {_told(one)}" for one in invented]
    rows: dict[str, Cell] = {"statements that became memories": Share(well, len(items))}
    if preferences:
        rows["as preferences"] = Share(kinds, len(items))
    rows |= {"merely the whole turn": whole, "invented from the frame, per 100 turns": _per_100(beside, len(items))}
    return [_figures(title, rows, run.notes(notes)), _beside(title, _beside_framed(items, well, beside))]


def _beside_framed(items: Sequence[suites.Framed], well: int, beside: int) -> dict[str, tuple[Cell, Cell]]:
    overlapped = sum(baseline.keeps(item.said, item.start, item.end) for item in items)
    apart = sum(baseline.beside(item.said, item.start, item.end) for item in items)
    return {
        "statements found": (Share(well, len(items)), Share(overlapped, len(items))),
        "kept from the frame, per 100 turns": (_per_100(beside, len(items)), _per_100(apart, len(items))),
    }


def _per_100(count: int, of: int) -> float:
    return 100 * count / max(of, 1)


async def _preferences(suite: suites.Preferences, run: Run) -> list[Table]:
    lived = f"{suite.name}: implicit, in a persona's talk ({suite.unplaced} left out: no turn shares a word)"
    return [
        *await _framed(f"{suite.name}: explicit, in longer turns", suite.explicit, run, preferences=True),
        await _shown(f"{suite.name}: implicit, by a choice", suite.chosen, run),
        await _shown(lived, suite.lived, run),
    ]


async def _shown(title: str, items: Sequence[suites.Shown], run: Run) -> Table:
    derived = await run.derive([item.conversation for item in items])
    in_turn = as_implicit = any_kind = anywhere = made = 0
    notes: list[str] = []
    for item, done in zip(items, derived, strict=True):
        there = [one for one in done.made if any(place.turn == item.turn for place in one.places)]
        hit = [one for one in there if one.kind in PREFERENCES]
        in_turn += bool(hit)
        as_implicit += any(one.kind == "implicit_preference" for one in hit)
        any_kind += bool(there)
        anywhere += any(one.kind in PREFERENCES for one in done.made)
        made += len(done.made)
        if not hit:
            notes.append(f"missed: {item.preference}\n  in {item.conversation.turns[item.turn].content[:200]!r}")
            notes += [f"  made {_told(one)}" for one in done.made]
    rows: dict[str, Cell] = {
        "a preference from the turn that shows it": Share(in_turn, len(items)),
        "as an implicit one": Share(as_implicit, len(items)),
        "anything from that turn": Share(any_kind, len(items)),
        "a preference from any turn": Share(anywhere, len(items)),
        "memories a conversation": made / max(len(items), 1),
    }
    return _figures(title, rows, run.notes(notes))


# Chats


async def _chats(suite: suites.Chats, run: Run) -> Table:
    derived = await run.derive(suite.items)
    turns = sum(conversation.asked for conversation in suite.items)
    made = [one for done in derived for one in done.made]
    invented = sum(any(one.kind in PREFERENCES for one in done.made) for done in derived)
    rows: dict[str, Cell] = {
        "user turns": turns,
        "memories": len(made),
        "memories per 100 user turns": _per_100(len(made), turns),
        "conversations with a preference": Share(invented, len(derived)),
        "conversations with anything": Share(sum(bool(done.made) for done in derived), len(derived)),
    }
    return _figures(f"{suite.name}: {len(derived)} chats", rows, [f"made {_told(one)}" for one in made])


# The half-year


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What recall found for a check. `held`: the right value, active; `known`: it stands in an active memory, found or
    not; `stale`: active texts with a wrong one."""

    check: suites.Check
    held: bool
    known: bool
    stale: list[str]
    past: bool

    @property
    def right(self) -> bool:
        return self.held and not self.stale

    @property
    def told(self) -> list[str]:
        values = "/".join(self.check.right)
        found = "found" if self.held else "known, but not found" if self.known else "not known"
        return [
            f"{self.check.about}: {self.check.question} {values} {found}",
            *(f"  still active: {text}" for text in self.stale),
        ]


async def _half_year(suite: suites.HalfYear, run: Run) -> Table:
    progress = Progress(suite.name, len(suite.steps))
    answers: list[_Answer] = []
    absences: list[Absence] = []
    for step in suite.steps:
        match step:
            case Conversation():
                await run.one(step, profile="me")
            case suites.Check():
                answers.append(await _answer(step, run))
            case suites.Absent():
                living = await run.session.memories("me", LIVING)
                absences.append(scoring.absence(step.about, step.words, [memory.text for memory in living]))
        progress.step("steps")
    texts = [memory.text for memory in await run.session.memories("me", ACTIVE)]
    pairs = scoring.duplicates(texts, np.asarray(await run.session.runtime.embed(texts)))
    rows = _checked(answers, absences)
    rows |= {"active memories": len(texts), "duplicates among them (pairs)": len(pairs)}
    notes = [line for answer in answers if not answer.right for line in answer.told]
    notes += [line for absence in absences for line in _present(absence)]
    notes += [f"twice: {one} | {other}" for one, other in pairs]
    return _figures(suite.name, rows, run.notes(notes))


async def _answer(check: suites.Check, run: Run) -> _Answer:
    hits = await run.session.ask(check.question, profile="me", limit=FOUND)
    active = [hit for hit in hits if hit.type == "memory" and hit.status == "active"]
    living = await run.session.memories("me", ACTIVE)
    # An event says what was so on its day, not what is so now.
    lasting = [hit.text for hit in active if hit.kind != "event"]
    return _Answer(
        check=check,
        held=any(scoring.holds(hit.text, check.right) for hit in active),
        known=any(scoring.holds(memory.text, check.right) for memory in living),
        stale=scoring.still_wrong(lasting, check.right, check.wrong),
        past=any(hit.status == "superseded" for hit in hits),
    )


def _checked(answers: Sequence[_Answer], absences: Sequence[Absence]) -> dict[str, Cell]:
    changed = [answer for answer in answers if answer.check.changed]
    constant = [answer for answer in answers if not answer.check.changed]
    return {
        "checks right": _answered_right(answers),
        "checks right, of what changed": _answered_right(changed),
        "checks right, of what never changed": _answered_right(constant),
        "right value in an active memory": Share(sum(answer.known for answer in answers), len(answers)),
        "right value found by recall": Share(sum(answer.held for answer in answers), len(answers)),
        "superseded value offered as current": Share(sum(bool(answer.stale) for answer in answers), len(answers)),
        "superseded memory among the hits": Share(sum(answer.past for answer in answers), len(answers)),
        "absent checks right": Share(sum(absence.right for absence in absences), len(absences)),
        "absent words remembered of somebody else": sum(len(absence.of_others) for absence in absences),
    }


def _answered_right(answers: Sequence[_Answer]) -> Share:
    return Share(sum(answer.right for answer in answers), len(answers))


def _present(absence: Absence) -> list[str]:
    return [
        *(f"not absent: {absence.about}: {text}" for text in absence.of_user),
        *(f"remembered of somebody else: {absence.about}: {text}" for text in absence.of_others),
    ]


# Labels


class _Read(msgspec.Struct, frozen=True):
    """A labelled turn and what was made of its own words."""

    label: Label
    text: str
    made: tuple[Made, ...]

    @property
    def memorable(self) -> bool:
        return self.label.kind != "none"

    @property
    def found(self) -> bool:
        return self.memorable and bool(self.made)

    @property
    def kind_right(self) -> bool:
        """Whether a memory has the label's kind: the label tells that of the main one only."""
        return any(one.kind == self.label.kind for one in self.made)


async def _labelled(suite: suites.LabelledTurns, run: Run) -> Table:
    derived = await run.derive([item.conversation for item in suite.items], last_only=True)
    read = [
        _Read(item.label, item.conversation.turns[-1].content, done.made)
        for item, done in zip(suite.items, derived, strict=True)
    ]
    sources = {source: [one for one in read if one.label.source == source] for source in suite.sources}
    rows = tuple(_label_row(name, among) for name, among in {**sources, "together": read}.items())
    header = ("", "turns", "memorable", "precision", "recall", "kind right among the found")
    return Table(suite.name, header, rows, tuple(run.notes(_mislabelled(read))))


def _label_row(name: str, read: Sequence[_Read]) -> tuple[Cell, ...]:
    found = [one for one in read if one.found]
    memorable = sum(one.memorable for one in read)
    return (
        name,
        len(read),
        memorable,
        Share(len(found), sum(bool(one.made) for one in read)),
        Share(len(found), memorable),
        Share(sum(one.kind_right for one in found), len(found)),
    )


def _mislabelled(read: Sequence[_Read]) -> list[str]:
    lines: list[str] = []
    for one in read:
        called = f"{one.label.source} {one.label.id}"
        if one.memorable and not one.made:
            lines.append(f"{called}: missed {one.label.kind}: {one.text[:160]!r}")
        elif one.found and not one.kind_right:
            lines += [f"{called}: not {one.label.kind}, made {_told(made)}" for made in one.made]
        elif not one.memorable:
            lines += [f"{called}: made {_told(made)}" for made in one.made]
    return lines


# All of them


def _faithfulness(name: str, run: Run) -> Table:
    turns, asking = run.session.read_and_asking
    faiths = [(one, scoring.faith_of(one)) for one in run.made if one.places]
    unfaithful = [(one, faith) for one, faith in faiths if faith != Faith()]
    count = len(faiths)
    rows: dict[str, Cell] = {
        "statements": count,
        "with words added": Share(sum(bool(faith.added) for _, faith in faiths), count),
        "with words lost": Share(sum(bool(faith.lost) for _, faith in faiths), count),
        "with a negation changed": Share(sum(faith.negation for _, faith in faiths), count),
        **{
            f"worded by {how}": Share(sum(one.how == how for one in run.made), len(run.made))
            for how in ("rule", "model", "quote")
        },
        "user turns that reached the generator": Share(asking, turns),
        "user turns a second": turns / max(run.seconds, 1e-9),
        "conversations that failed": len(run.errors),
    }
    notes = [f"failed {error}" for error in run.errors[:10]]
    notes += run.notes(_unfaithful(one, faith) for one, faith in unfaithful)
    return _figures(f"{name}: faithfulness and speed", rows, notes)


def _unfaithful(made: Made, faith: Faith) -> str:
    changed = [
        *(["added " + ", ".join(faith.added)] if faith.added else []),
        *(["lost " + ", ".join(faith.lost)] if faith.lost else []),
        *(["negation changed"] if faith.negation else []),
    ]
    return f"{'; '.join(changed)} | {_told(made)}"


if __name__ == "__main__":
    main()
