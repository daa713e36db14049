"""The generator's part: saying in a sentence about the user what the user left without a subject or a verb.

Asked to word forty clauses with the little words left to it, the small default model passed the check on 32, and
about half of those still read wrong ("I, a widower, cook for one" became "has a cook for one"); rules word full
first-person sentences right, and choose better keys and tags. What rules cannot do is "Two kids and a dog" or
"Dutch, living in Graz": is the user that, or do they have it, and is the first word a name? There the model
chooses, under a grammar made for the clause: the clause's own words stand as they are, and only the link between
"The user" and the first of them is free. So it can neither add nor lose a thing.

A larger model, known by its chat format, words in its own way whatever rules cannot; the check decides.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import msgspec

from satchel.extract.checking.check import How, check
from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import plain, words
from satchel.extract.saying import rewrite
from satchel.models import prompts
from satchel.types import Kind

if TYPE_CHECKING:
    from satchel.models import Generator
    from satchel.models.registry import PromptFormat

PROMPT_VERSION = "say-2"
"""Stored with every memory; changed with any change to the prompt or the grammar."""

MAX_WORDS = 40
"""The longest clause, in words, that the generator is asked about: a longer one is no fragment."""

MAX_TOKENS = 24
"""A link is at most three tokens; the rest is room for a first word spelled in pieces."""

_INSTRUCTIONS = "Write what the user said as one sentence about the user, in the third person. Add nothing.\n"
_EXAMPLES = (
    ("Lactose intolerant and tired of it", "The user is lactose intolerant and tired of it."),
    ("Two sons, both left-handed", "The user has two sons, both left-handed."),
    ("Keen gardener with a bad back", "The user is a keen gardener with a bad back."),
    ("Been playing the oboe since school", "The user has been playing the oboe since school."),
    ("Not one for crowds", "The user is not one for crowds."),
    ("A bad knee from football", "The user has a bad knee from football."),
    ("Swedish, based in Oslo", "The user is Swedish, based in Oslo."),
)

_TASK = (
    'Rewrite what the user said as one short sentence about the user, in the third person, beginning with "The user". '
    "Use the user's own words, with all names, numbers and negations. Add nothing and explain nothing."
)
_COMPOSED = (
    *_EXAMPLES[1:3],
    ("Since my knee won't bend I garden sitting", "The user gardens sitting since their knee won't bend."),
    ("no coriander in anything, ever", "The user has no coriander in anything, ever."),
    ("Peanuts are off the menu: our son reacts to them", "The user's son reacts to peanuts, they are off the menu."),
)
MAX_COMPOSED_TOKENS = 80

_ABOUT_A_PERSON = re.compile(
    r"^(?:not|never|allergic|big|huge|keen|fond|into|obsessed|always|been|bad|good|happy|lifelong)\b|\b(?:person|fan|vegan"
    r"|vegetarian|addict|type|intolerant|\w+(?:lover|eater|drinker|reader|owner|hater|goer|ist))\b",
    re.IGNORECASE,
)
"""Marks of a fragment that says what the user is, "big fan of ...", rather than what they want, "window
seat"."""


class Worded(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, and who worded it: the generator, a rule, or the quote itself."""

    text: str
    how: How


async def word(quote: str, kind: Kind, generator: Generator | None, *, prompt_format: PromptFormat = "plain") -> Worded:
    """The statement for `quote`: by rule, by the generator where rules do not reach, else the quote itself.

    Each is checked against the quote; what fails gives way to the next. Without a generator, rules alone.
    Raises ModelError when the generator is there and fails.
    """
    composes = generator is not None and prompt_format not in {"plain", "none"}
    if kind not in {"instruction", "explicit_preference"} or not _commands(quote):
        by_rule = rewrite.third_person(quote)
        if by_rule is not None and check(by_rule, quote).ok:
            return Worded(text=by_rule, how="rule")
        if kind != "instruction" and rewrite.is_fragment(quote):
            if kind == "explicit_preference" and not _ABOUT_A_PERSON.search(quote):
                wish = f"For the user: {rewrite.pronouns(_lower_start(_one_line(quote)))}."
                if check(wish, quote).ok:
                    return Worded(text=wish, how="rule")
            elif (only := _openings(quote)) and len(only) == 1:
                plainly = read(" ".join(only[0]), quote)
                if plainly is not None and check(plainly, quote).ok:
                    return Worded(text=plainly, how="rule")
            elif generator is not None and not composes and (said := await ask(quote, generator)) is not None:
                return Worded(text=said, how="model")
    if generator is not None and composes and kind != "instruction":
        composed = await compose(quote, generator, prompt_format)
        if composed is not None:
            return Worded(text=composed, how="model")
    return Worded(text=rewrite.quoted(quote, asks=kind == "instruction"), how="quote")


async def compose(quote: str, generator: Generator, prompt_format: PromptFormat) -> str | None:
    """A larger model's own wording of any clause, when it passes the check."""
    turns: list[prompts.Turn] = []
    for said, statement in _COMPOSED:
        turns += [("user", said), ("assistant", statement)]
    turns.append(("user", prompts.plain(_one_line(quote))))
    asked = prompts.format_chat(prompt_format, turns, system=_TASK) + "The user"
    answer = await generator.generate(asked, grammar=None, max_tokens=MAX_COMPOSED_TOKENS, stop=("\n",))
    statement = f"The user{answer.text.rstrip()}"
    return statement if answer.finish == "stop" and check(statement, quote).ok else None


async def ask(quote: str, generator: Generator) -> str | None:
    """The generator's wording of a fragment, when it passes the check."""
    rules = grammar(quote)
    if rules is None:
        return None
    answer = await generator.generate(prompt(quote), grammar=rules, max_tokens=MAX_TOKENS)
    statement = read(answer.text, quote)
    return statement if statement is not None and check(statement, quote).ok else None


def _commands(quote: str) -> bool:
    """ "Always answer in metric": an order has no subject to put in the third person."""
    first = next(iter(words(quote)), "").casefold()
    return first in english.VERBS or first in {"always", "never", "don't", "please", "let", "no", "use", "avoid"}


def _lower_start(text: str) -> str:
    first = text.split()[0] if text.split() else ""
    return text[:1].lower() + text[1:] if first.casefold() in _LOWER else text


def prompt(fragment: str) -> str:
    """The fixed instructions and examples first, so that their KV prefix is kept from call to call. Plain text: a
    base-like tiny model continues it better than it follows a chat."""
    shown = "".join(f"\nUser: {said}\nStatement: {statement}\n" for said, statement in _EXAMPLES)
    return f"{_INSTRUCTIONS}{shown}\nUser: {prompts.plain(_one_line(fragment))}\nStatement: The user"


def grammar(fragment: str) -> str | None:
    """GBNF for what follows "The user": a link, then the fragment's first word, in capitals or not.

    None when there is nothing to ask: no word at all, or a clause too long to be a fragment.
    """
    openings = _openings(fragment)
    if not openings:
        return None
    return "root ::= " + " | ".join(_literal(f"{link} {first}") for link, first in openings) + "\n"


def _openings(fragment: str) -> list[tuple[str, str]]:
    """Every way in which "The user ..." may begin: links, each with the first word as written and in lower case."""
    line = _one_line(fragment)
    every = words(line)
    first = line.split()[0] if line else ""
    if not every or len(every) > MAX_WORDS or len(first) > 60:
        return []
    forms = [first, first[:1].lower() + first[1:]] if first[1:].islower() else [first]
    if every[0].casefold() in _LOWER or every[0].endswith(("ed", "ing")):
        forms = forms[-1:]
    return [(link, form) for link in _links([word.casefold() for word in every]) for form in dict.fromkeys(forms)]


def _links(every: list[str]) -> tuple[str, ...]:
    """The links that can stand before a fragment; a participle leaves no doubt about its auxiliary."""
    first, second = every[0], every[1] if len(every) > 1 else ""
    if first == "been" or (first == "never" and second == "been"):
        return (" has",)
    if "-" in first and first.endswith(("ing", "ed")) and len(every) > 1 and not _names_a_person(every):
        return ()  # "north-facing windowsills": nobody is that
    if first.endswith(("ing", "ed")) and not _names_a_person(every):
        return (" is",)
    if _LEADS_ON.match(" ".join(every)):
        return ()
    if first in english.PREPOSITIONS or second in {"at", "about", "by"}:
        return (" is",)
    if first in _NO_ARTICLE or first[:1].isdigit() or english.is_adverb(first):
        return (" is", " has")
    article = " an" if first[:1] in "aeiou" else " a"
    if _names_a_person(every):
        return (f" is{article}",)
    # "a Pixel 6a, second-hand": what does not name a person is had, whatever the model thinks of it.
    return (" is", " has", f" has{article}")


_LEADS_ON = re.compile(
    r"(?:in (?:terms|general|case|addition|short|particular|other|regards?|that|this)|for (?:example|instance|now|once)"
    r"|by the way|at (?:least|most|first)|on (?:top|the other)|as (?:for|to)|with regards?|about|apart from|according"
    r"|instead|because|due|like|such|including|regarding|concerning|per|via|than)\b"
)
"""Openings that join something to what was said, and say nothing of anybody."""


def _names_a_person(every: list[str]) -> bool:
    """ "Retired teacher from Ghent": what comes before the first preposition ends in a word for a person."""
    head = list(itertools.takewhile(lambda word: word not in english.PREPOSITIONS | {"and", "who", "two"}, every))
    return bool(head) and _PERSON.search(head[-1]) is not None and head[-1] not in _NO_PERSON


_PERSON = re.compile(
    r"(?:er|ist|ian|mum|mom|dad|parent|fan|nurse|student|person|addict|diabetic|widow|introvert|native|expat|lover)$"
)
_NO_PERSON = listed(
    "never over after under either other better sober tender older younger eager water dinner paper winter summer "
    "number whatever ever hotter longer shorter computer butter beer user tier fever cancer order corner"
)
_LOWER = english.FUNCTION_WORDS | english.ADVERBS | english.VERBS | english.PREPOSITIONS | {"no", "short", "black"}
_NO_ARTICLE = listed("a an the not my our half one two three four five six seven eight nine ten no many several")


def read(answer: str, fragment: str) -> str | None:
    """The whole sentence: "The user", the answer's link and first word, the rest of the fragment in code.

    None when the answer is none of those that `grammar(fragment)` allows.
    """
    line = _one_line(fragment)
    rest = line.partition(" ")[2]
    link, _, begun = answer.rstrip().rpartition(" ")
    if (link, begun) not in _openings(fragment):
        return None
    return f"The user{link} {rewrite.pronouns(f'{begun} {rest}'.strip())}."


def _one_line(text: str) -> str:
    line = re.sub(r"\s+", " ", plain(rewrite.plain_marks(text))).strip().rstrip(".!;,: ")
    return _HERE.sub("", line)


_HERE = re.compile(r"(?<=\w) here(?=$|,)", re.IGNORECASE)
"""Who introduces themselves by it: "single dad here"."""


def _literal(text: str) -> str:
    """`text` as a GBNF string: quotes and backslashes escaped, and whatever a grammar file may not hold as
    is."""
    return '"' + "".join(_escape(character) for character in text) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    if 32 <= code < 127:
        return character
    return f"\\x{code:02X}" if code < 0x80 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
