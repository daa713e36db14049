"""From new messages to drafts: choose, say, check, date, align.

Only the user's turns give memories; what others said is context, and lends words where it was asked or
guessed. Nothing is stored here, and nothing here knows what is stored: `reconcile` decides that."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from satchel.capture.redact import holds_mask
from satchel.extract.checking import align, dates
from satchel.extract.checking.check import check, quote_check
from satchel.extract.choosing import clauses, gate, window
from satchel.extract.dialogue import answers, choices, correcting, pronouns
from satchel.extract.language.words import words
from satchel.extract.reconciling import ending
from satchel.extract.saying import keys, rewrite, say
from satchel.models import Passage
from satchel.types import Draft, Kind, Message, Source

if TYPE_CHECKING:
    from satchel.models import Generator, Reader
    from satchel.models.registry import PromptFormat

MAX_DRAFTS = 8
"""Memories from one message, the likeliest ones: who says more than that at once has pasted something. A
choice's two come on top."""

CONTEXT_TURNS = 8
"""Earlier turns that are looked at."""

LARGE = 20_000
"""Code points from which a message is cut and judged in a thread, to leave the event loop free."""

MAX_QUOTE = 600
"""Code points. A longer clause is not a statement: nothing is made of it."""


TASTE = 0.15
"""The gate's probability from which taking an option is believed to show a taste."""

OVER = 0.05
"""The gate's probability from which a clause is heard when it says that something is over."""

DOUBT = 0.25
"""The gate's probability from which a clause that it turns away is looked at again, by itself."""

ALONE, NOBODY_S = 0.25, 0.35
"""How much its own reading counts beside that in its place, which is right more often; and that of a clause which has
no "I" or "my" in it."""

EVEN = 0.5

BARE = 0.25
"""The same for a turn that is one bare statement: who asks for nothing with it is telling something."""

MAYBE = 0.12
"""The same for a clause that is remembered only where it ends something: what is known of somebody tells better than
the gate whether "Traded the truck" is news of them."""

MAX_QUESTION = 200
"""Code points of a question that a few words answer."""

FEW_WORDS = 6
"""An answer of at most so many words says little without its question."""


_OWN = re.compile(
    r"\b(?:my|our) \w|^\W*they(?:['’](?:ve|re|d)| have| had)? .*\b(?:me|us)\b"
    r"|^\W*(?:it['’]?s|it is|it was) .*\b(?:that )?(?:i|we) [a-z]",
    re.IGNORECASE,
)
"""Where a pronoun for a subject leaves nothing open: "they moved my shift", "they've put me on it", "it's tea that I
drink"."""


_ASIDE = re.compile(r"(?:it|that|this)(?: (?:works|worked|helps|helped|is|was)|['’]s) [^,.;]{0,30}?(?:but|though)[ ,]+"
                    r"|(?:it|that|this) (?:works|worked|helps|helped)[ ,]+(?:but )?", re.IGNORECASE)  # fmt: skip
"""What is said of the answer before an order: "it works but no emojis, ever"."""


class Judged(msgspec.Struct, frozen=True):
    clause: clauses.Clause
    verdict: gate.Verdict


class Picked(msgspec.Struct, frozen=True):
    """A clause worth remembering: its place in the message without politeness, its kind, and how sure that
    is."""

    start: int
    end: int
    kind: Kind
    probability: float
    tentative: bool = False


async def extract(
    new: Sequence[Message],
    context: Sequence[Message],
    *,
    reader: Reader,
    generator: Generator | None,
    gate: gate.Gate,
    now: int,
    prompt_format: PromptFormat = "plain",
) -> list[Draft]:
    """The drafts that `new` messages give, in their order; `context` are the turns before them.

    Every draft's sources stand in its messages letter for letter. `now` (ms) bounds `valid_from`. With
    `generator` None, rules alone word the statements. Raises ModelError when a model fails, so that the job
    is tried again."""
    history = list(context)
    found: list[Draft] = []
    for message in new:
        if message.role == "user" and message.content.strip():
            found += await _from_turn(
                message,
                context_of(history, len(history)),
                reader=reader,
                generator=generator,
                judge=gate,
                now=now,
                prompt_format=prompt_format,
            )
        history.append(message)
    return found


async def _from_turn(
    message: Message,
    before: Sequence[Message],
    *,
    reader: Reader,
    generator: Generator | None,
    judge: gate.Gate,
    now: int,
    prompt_format: PromptFormat,
) -> list[Draft]:
    heard = window.heard([(turn.role, turn.content) for turn in before])
    asked = _asked(before)
    judged = await judge_clauses(message.content, reader, judge, before=heard, answers=asked is not None)
    acted = [
        *(draft for draft in choices.drafts(message, before) if _shows_taste(_said(draft, message), judged)),
        *answers.drafts(message, before),
    ]
    spent = [_said(draft, message) for draft in acted]
    drafts: list[Draft] = []
    for picked in pick(judged):
        if any(source.start < picked.end and picked.start < source.end for source in spent):
            continue
        writer = None if picked.tentative else generator
        draft = await _draft(message, picked, before, asked, writer, now, prompt_format)
        if draft is not None:
            drafts.append(msgspec.structs.replace(draft, tentative=picked.tentative))
        await asyncio.sleep(0)
    known = {message.id: message, **{turn.id: turn for turn in before}}
    found = _once(drafts)
    found += [_placed(draft, message, now) for draft in acted]
    over = _said_over(judged)
    return [msgspec.structs.replace(draft, beside=over) for draft in found if _rests_on(draft, known)]


def _once(drafts: Sequence[Draft]) -> list[Draft]:
    """Each text once, from the draft that is sure of it where one is."""
    by_text: dict[str, Draft] = {}
    for draft in drafts:
        if draft.text not in by_text or (by_text[draft.text].tentative and not draft.tentative):
            by_text[draft.text] = draft
    return list(by_text.values())


def _said_over(judged: Sequence[Judged]) -> tuple[str, ...]:
    """The clauses that say that something is over, worded like statements. They need not be worth remembering: "off the
    ramipril" says which memory is no longer true."""
    said = []
    for one in judged:
        if one.verdict.probability >= OVER:
            start, end = rewrite.trim(one.clause.text)
            text = rewrite.third_person(one.clause.text[start:end]) or one.clause.text[start:end]
            if ending.ends(text):
                said.append(text)
    return tuple(said)


def context_of(turns: Sequence[Message], index: int) -> list[Message]:
    """What is looked at before `turns[index]`: the latest turns, and the first, where a scene may have been set."""
    recent = max(0, index - CONTEXT_TURNS)
    return [*turns[: min(1, recent)], *turns[recent:index]]


def _shows_taste(choice: Source, judged: Sequence[Judged]) -> bool:
    """Whether the gate does not rule out what was chosen: a word, a title or a next step tells nothing of a person."""
    return any(
        one.verdict.probability >= TASTE and one.clause.start < choice.end and choice.start < one.clause.end
        for one in judged
    )


def _asked(before: Sequence[Message]) -> Source | None:
    """The question with which the assistant's turn right before ends, if it ends with one."""
    if not before or before[-1].role != "assistant":
        return None
    said = before[-1].content
    end = len(said.rstrip())
    if not end or said[end - 1] not in "?？":
        return None
    start = max(said.rfind(mark, 0, end - 1) for mark in (". ", "! ", "? ", "\n", "。", "！", "？", ": ")) + 1
    while start < end and said[start].isspace():
        start += 1
    return align.source(before[-1], start, end) if end - start <= MAX_QUESTION else None


def _said(draft: Draft, message: Message) -> Source:
    """The words of this turn that make the choice or the answer: nothing else is made of them. The reason for a
    choice comes after it, and may be a memory of its own."""
    return next(source for source in draft.sources if source.message_id == message.id)


def _placed(draft: Draft, message: Message, now: int) -> Draft:
    """What another turn gave, dated like the rest."""
    when = dates.find(_said(draft, message).quote, message.time) if draft.kind in {"event", "fact"} else ()
    return msgspec.structs.replace(
        draft,
        text=dates.annotate(draft.text, when),
        event_time=when[0].time if when else None,
        valid_from=min(draft.valid_from, now),
    )


async def judge_clauses(
    text: str, reader: Reader, judge: gate.Gate, *, before: str = "", answers: bool = False
) -> list[Judged]:
    """What the gate says of each clause of `text`, in order.

    `before` is what was `heard` before it (see `window`), or empty; a single word is looked at when it `answers`.
    """
    cut = await asyncio.to_thread(_candidates, text, answers) if len(text) > LARGE else _candidates(text, answers)
    verdicts = judge.judge(await reader.read(window.passages(text, cut, before)))
    judged = [Judged(clause, verdict) for clause, verdict in zip(cut, verdicts, strict=True)]
    return _told_barely(text, await _looked_at_again(judged, reader, judge))


def _told_barely(text: str, judged: list[Judged]) -> list[Judged]:
    """The clause kept that is all of the turn and speaks of the user or has no subject, unless it asks."""
    if len(judged) != 1 or judged[0].verdict.kind is not None or judged[0].verdict.probability < BARE:
        return judged
    clause, verdict = judged[0].clause, judged[0].verdict
    whole = text.strip().rstrip(".!。！ ")
    if clause.text.strip().rstrip(".!。！ ") != whole or whole.endswith(("?", "？")):
        return judged
    if not gate.is_personal(whole) and not rewrite.is_fragment(whole):
        return judged
    return [Judged(clause, gate.Verdict(verdict.likeliest, verdict.probability, verdict.likeliest))]


async def _looked_at_again(judged: list[Judged], reader: Reader, judge: gate.Gate) -> list[Judged]:
    """Clauses that their surroundings leave in doubt are read by themselves as well, and the mean decides: what people
    plainly say of themselves stands beside anything, what a game or a letter rules out stays out, and what is nobody's
    is not the user's because it stands among such."""
    doubtful = [at for at, one in enumerate(judged) if _is_doubtful(one)]
    if not doubtful:
        return judged
    alone = judge.judge(await reader.read([Passage(((judged[at].clause.text, True),)) for at in doubtful]))
    for at, verdict in zip(doubtful, alone, strict=True):
        weight = ALONE if judged[at].verdict.kind is None else NOBODY_S
        mean = (1 - weight) * judged[at].verdict.probability + weight * verdict.probability
        kind = (judged[at].verdict.kind or verdict.kind) if mean >= EVEN else None
        judged[at] = Judged(judged[at].clause, gate.Verdict(kind, mean, judged[at].verdict.likeliest))
    return judged


def _is_doubtful(one: Judged) -> bool:
    """Nearly kept; or kept, though no "I" or "my" is in it: a lecture's sentences stand together like one's own."""
    if one.verdict.kind is None:
        return one.verdict.probability >= DOUBT
    return not gate.is_personal(one.clause.text)


def pick(judged: Sequence[Judged]) -> list[Picked]:
    """The clauses that are worth remembering, in their order, at most `MAX_DRAFTS`, and those that may be."""
    picked: list[Picked] = []
    for one in judged:
        tentative = one.verdict.kind is None
        if tentative and not _may_be(one):
            continue
        start, end = rewrite.trim(one.clause.text)
        if start < end:
            at, kind = one.clause.start, one.verdict.kind or one.verdict.likeliest
            picked.append(Picked(at + start, at + end, kind, one.verdict.probability, tentative))
    likeliest = sorted(picked, key=lambda one: -one.probability)[:MAX_DRAFTS]
    return sorted(likeliest, key=lambda one: one.start)


def _may_be(one: Judged) -> bool:
    text = one.clause.text.rstrip()
    return (
        one.verdict.probability >= MAYBE
        and not text.endswith(("?", "？"))
        and (gate.is_personal(text) or rewrite.is_fragment(text))
    )


def _candidates(text: str, answers: bool) -> list[clauses.Clause]:
    return [
        clause
        for clause in clauses.split(text)
        if len(clause.text) <= MAX_QUOTE
        and gate.worth_reading(clause.text, answers=answers)
        and not holds_mask(clause.text)
    ]


async def _draft(
    message: Message,
    picked: Picked,
    before: Sequence[Message],
    asked: Source | None,
    generator: Generator | None,
    now: int,
    prompt_format: PromptFormat,
) -> Draft | None:
    """The draft of one clause; None when nobody can say whom it speaks of, or no wording passes the check."""
    start = picked.start + correcting.opening(message.content[picked.start : picked.end])
    if picked.kind == "instruction" and (aside := _ASIDE.match(message.content, start, picked.end)):
        start = aside.end()
    source = align.source(message, start, picked.end)
    clause = clauses.Clause(start, picked.end, source.quote)
    if asked and len(words(source.quote)) <= FEW_WORDS and not rewrite.speaks_of_me(source.quote):
        return _answer(message, source, asked, picked.kind, now)
    named = pronouns.resolve(clause, message, before)
    if named is None and _OWN.search(source.quote):
        named = pronouns.Resolved(source.quote)  # "they moved my shift to Sundays": whose it is, is said
    if named is None:
        return None
    lent = named.antecedent.quote if named.antecedent else ""
    worded = await say.word(named.text, picked.kind, generator, prompt_format=prompt_format)
    when = dates.find(source.quote, message.time)
    if worded.how == "quote":
        said = pronouns.quoted(source.quote, named) if lent else worded.text
        text = dates.annotate(said, when)
        sound = quote_check(said, source.quote, context=lent)
    else:
        text = dates.annotate(worded.text, when)
        sound = check(text, source.quote, context=lent, dates=dates.labels(when)).ok
    if not sound:
        return None
    return Draft(
        kind=_settled(picked.kind, source.quote, when),
        text=text,
        key=keys.key(named.text),
        tags=keys.tags(named.text),
        sources=(source,) if named.antecedent is None else (source, named.antecedent),
        event_time=when[0].time if when and picked.kind in {"event", "fact"} else None,
        valid_from=min(message.time, now),
        how=worded.how,
        correction=correcting.corrects(clause, message, before),
    )


_HAPPENED = re.compile(
    r"\b(?:i|we|my \w+|our \w+|he|she) (?:just |finally |only |recently )?(?:moved|switched|changed|started"
    r"|joined|got|broke|tore"
    r"|had|bought|sold|adopted|married|graduated|passed|won|lost|quit|left|retired|ran|finished|began|signed|flew|met)\b",
    re.I,
)
_LASTS = re.compile(
    r"\b(?:still|ever since|since then|to this day|never healed|(?:has|have)n['’]?t|won['’]?t|and now|so now"
    r"|these days)\b",
    re.I,
)
_SOME_TIME = re.compile(
    r"\b(?:in (?:the )?(?:spring|summer|autumn|fall|winter)|at (?:christmas|easter)|over the holidays)\b", re.I
)


_KEEPS_TO = re.compile(
    r"\b(?:i|we)(?:['’]d| would)? (?:\w+ly |only |always |also |just )?"
    r"(?:avoid|refuse|prefer|prioriti[sz]e|steer clear|shun|favou?r|opt for|insist)\b"
    r"|\b(?:and|so) (?:\w+ly |only |always )?(?:avoid|refuse|prefer)\b"
    r"|\b(?:i|we) (?:\w+ly )?only (?:eat|dine|buy|use|drink|watch|read|wear|shop|stay)\b"
    r"|\b(?:i|we) (?:\w+ly )?(?:follow|keep|eat|observe) (?:a |an )?(?:strict )?"
    r"(?:kosher|halal|vegan|vegetarian|keto|paleo|gluten-free|plant-based|low-carb)\b",
    re.I,
)
"""A restriction that the user follows or a leaning, whatever fact it rests on."""


def _settled(kind: Kind, quote: str, when: Sequence[dates.When]) -> Kind:
    """A fact that tells when something happened is an event, one that says what the user keeps to is a preference; an
    event whose consequence lasts is a fact."""
    if kind in {"fact", "event"} and not when and _KEEPS_TO.search(quote):
        return "explicit_preference"
    if kind == "fact" and _HAPPENED.search(quote) and (when or _SOME_TIME.search(quote)) and not _LASTS.search(quote):
        return "event"
    return "fact" if kind == "event" and _LASTS.search(quote) else kind


def _answer(message: Message, said: Source, asked: Source, kind: Kind, now: int) -> Draft:
    """A few words that say something only with the question they answer; the assistant's question is told as such."""
    question = rewrite.inside(asked.quote)
    when = dates.find(said.quote, message.time)
    return Draft(
        kind=kind,
        text=dates.annotate(f"Asked “{question}”, the user said: “{rewrite.inside(said.quote)}”", when),
        key=keys.key(f"{asked.quote} {said.quote}"),
        tags=keys.tags(f"{said.quote} {asked.quote}"),
        sources=(said, asked),
        event_time=when[0].time if when and kind in {"event", "fact"} else None,
        valid_from=min(message.time, now),
        how="quote",
    )


def _rests_on(draft: Draft, known: dict[str, Message]) -> bool:
    return bool(draft.sources) and all(
        source.message_id in known and align.stands(source, known[source.message_id]) for source in draft.sources
    )
