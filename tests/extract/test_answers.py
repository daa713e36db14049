"""One fact of two turns: what the assistant asked or guessed of the user, and what the user says to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking import align
from satchel.extract.choosing.clauses import Clause
from satchel.extract.dialogue import answers, correcting
from satchel.types import Draft, Message, Role


def conversation(*turns: tuple[Role, str]) -> list[Message]:
    return [
        Message(id=f"m{at}", conversation_id="c", role=role, content=content, time=0, position=at)
        for at, (role, content) in enumerate(turns)
    ]


def answered(asked: str, said: str, first: str = "Can you help me?") -> Draft | None:
    *before, turn = conversation(("user", first), ("assistant", asked), ("user", said))
    found = answers.drafts(turn, before)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("asked", "said", "text"),
    [
        ("Lovely. What's your daughter's name?", "Mia", "The user's daughter is called Mia."),
        ("What is the name of your dog?", "Bruno.", "The user's dog is called Bruno."),
        ("What are your twins' names?", "Ada and Finn", "The user's twins are called Ada and Finn."),
        ("And what's your name?", "Oh, Priya", "The user's name is Priya."),
        ("How old is your son?", "nine", "The user's son is nine."),
        ("How old are you?", "61, sadly", "The user is 61, sadly."),
        ("Where are you based?", "Ghent", "The user is based in Ghent."),
        ("Sure. Where do you live?", "near Lille", "The user lives near Lille."),
        ("Where are you from?", "Tromsø", "The user is from Tromsø."),
        ("Where did you grow up?", "on a farm", "The user grew up on a farm."),
        ("Which city do you live in?", "Turku", "The user lives in Turku."),
        ("Do you have any allergies?", "just peanuts", "The user has allergies: just peanuts."),
        ("Do you have any allergies?", "none", "The user has no allergies."),
        ("Do you have any pets?", "two cats", "The user has two cats."),
        ("Any dietary restrictions?", "halal", "The user has dietary restrictions: halal."),
        (
            "How many days a week can you train?",
            "three, never Sundays",
            "The user can train three days a week, never Sundays.",
        ),
        ("How many children do you have?", "four", "The user has four children."),
        ("How long have you been playing the oboe?", "ten years", "The user has been playing the oboe for ten years."),
        ("How long have you lived there?", "since 2011", "The user has lived there since 2011."),
        ("What do you do for a living?", "locksmith and key cutter", "The user is a locksmith and key cutter."),
        ("What's your job?", "a midwife", "The user is a midwife."),
        ("What do you drive?", "an old Panda. sorry", "The user drives an old Panda."),
        ("Which instrument do you play?", "the viola", "The user plays the viola."),
        ("What languages do you speak?", "Basque and Spanish", "The user speaks Basque and Spanish."),
        ("Which operating system are you on?", "Debian", "The user is on Debian."),
        ("What's your shoe size?", "42", "The user's shoe size is 42."),
        ("What's your favourite colour?", "ochre", "The user's favourite colour is ochre."),
        ("So you're based in Porto?", "yes exactly", "The user is based in Porto."),
        ("It sounds like you live alone.", "spot on, 12 years now", "The user lives alone, 12 years now."),
        ("Are you vegetarian?", "yes", "The user is vegetarian."),
        ("Do you keep hens, by any chance?", "yep, eleven of them", "The user keeps hens, eleven of them."),
        ("I take it you work nights.", "That's right.", "The user works nights."),
        ("You mentioned you have two kids, right?", "correct", "The user has two kids."),
        ("I'm guessing you run a bakery?", "good guess! so which oven?", "The user runs a bakery."),
        ("That's a lot of wool. Presumably you keep sheep?", "bingo", "The user keeps sheep."),
        ("You seem to avoid motorways, is that right?", None, None),
    ],
)
def test_a_short_answer_makes_a_fact_of_the_question(asked: str, said: str | None, text: str | None) -> None:
    if said is None:
        return
    found = answered(asked, said)
    assert found is not None
    assert found.text == text
    assert [source.message_id for source in found.sources] == ["m2", "m1"]
    assert found.sources[0].quote in said
    assert found.sources[1].quote in asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Should I make it shorter?", "yes"),
        ("Which format?", "csv"),
        ("What's the word count?", "900"),
        ("What is the name of your file?", "report"),
        ("What is your character's name?", "Mordrel"),
        ("What's your daughter's name?", "why do you ask"),
        ("What's your daughter's name?", "none of your business"),
        ("What's your daughter's name?", "I don't know yet"),
        ("Do you have any allergies?", "what does that change?"),
        ("Do you have any questions?", "two"),
        ("Do you have any allergies or injuries?", "yes"),
        ("How old are you, and where do you live?", "40, Ghent"),
        ("How old are you? Where do you live?", "Ghent"),
        ("How old are you?", "old enough"),
        ("How many words do you want?", "300"),
        ("Do you have any experience with the script?", "two years"),
        ("What do you play at the moment?", "a demo"),
        ("How are you?", "fine"),
        ("Are you sure?", "yes"),
        ("Are you looking for a table?", "yes"),
        ("Do you want me to go on?", "yes please"),
        ("Have you tried restarting?", "yes twice"),
        ("What do you mean?", "the second paragraph"),
        ("What do you use it for?", "work"),
        ("Where are you stuck?", "at step 3"),
        ("Where are you based?", "I'm in Ghent"),
        ("Where are you based?", "can you just list them"),
        ("Where are you based?", "it depends"),
        ("You're using the old version?", "yes"),
        ("So you want a list?", "exactly"),
        ("Since you're vegan, I left out the honey.", "thanks, and how long in the oven?"),
        ("Since you're vegan, I left out the honey. Do you want a dessert?", "yes"),
        ("Since you're vegan, I left out the honey.", "not vegan, it was on offer"),
        ("So you're based in Porto?", "no, in Braga"),
        ("So you're based in Porto?", "yes but only until May"),
        ("So you're based in Porto?", "who told you that"),
        ("Are you vegetarian?", "no, I eat meat"),
        ("Are you a morning person or an owl?", "yes"),
        ("As a result, you live longer.", "exactly"),
        ("I'm guessing you run the old version?", "good guess"),
        ("My guess is you live alone.", "wrong guess"),
    ],
)
def test_what_is_about_the_task_denied_or_passed_over_gives_nothing(asked: str, said: str) -> None:
    assert answered(asked, said) is None


@pytest.mark.parametrize(
    "first",
    [
        "Let's play twenty questions",
        "Quiz me please",
        "role-play: you are the clerk",
        "help me write a story about a cook",
    ],
)
def test_in_play_and_fiction_nobody_answers_for_the_user(first: str) -> None:
    assert answered("How old are you?", "ninety", first) is None


CLAUSE = "CLAUSE"


def is_correction(said: str, *before: tuple[Role, str]) -> bool:
    """`said` marks the clause with `|`: "no, |I moved to Porto|"."""
    start, end = said.index("|"), said.rindex("|") - 1
    bare = said.replace("|", "")
    *earlier, turn = conversation(*before, ("user", bare))
    return correcting.corrects(Clause(start, end, bare[start:end]), turn, earlier)


LISBON = (("user", "We live in Lisbon"), ("assistant", "As you live in Lisbon, try the tram."))
BEGINNER = (("user", "paper for watercolour?"), ("assistant", "As a beginner, start cheap."))
OFFERED = (("user", "music?"), ("assistant", "You could book an organist or a soprano."))


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("|no, I moved to Porto|", LISBON),
        ("no, |I moved to Porto|", LISBON),
        ("|actually it's Thursday|", LISBON),
        ("|I meant 40 a week|", LISBON),
        ("|Porto, not Lisbon|", LISBON),
        ("that's wrong, |my sister lives there|", LISBON),
        ("scratch that, |we live in Porto|", LISBON),
        ("my bad, |it's the north bank|", LISBON),
        ("sorry, |75|", LISBON),
        ("wait, |it's 20 years|", LISBON),
        ("typo, |the house is in Porto|", LISBON),
        ("not a beginner, |I taught it for years|", BEGINNER),
        ("|I'm not a beginner|", BEGINNER),
        ("We have three. Scratch that, |we have four cats|", ()),
    ],
)
def test_what_is_put_right_is_a_correction(said: str, before: tuple[tuple[Role, str], ...]) -> None:
    assert is_correction(said, *before)


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("|I live in Porto|", LISBON),
        ("|I actually like trams|", LISBON),
        ("no thanks, |I like trams|", OFFERED),
        ("|not the soprano, please|", OFFERED),
        ("no, |I hate organs|", OFFERED),
        ("sorry, one more thing: |my mother comes along|", LISBON),
        ("|I prefer trains, not planes|", LISBON),
        ("|I don't eat fish|", LISBON),
        ("no, |I have two cats|", ()),
        ("|I never learnt to swim|", BEGINNER),
        ("wait for me, |I live in Porto|", OFFERED),
    ],
)
def test_what_only_denies_or_refuses_is_none(said: str, before: tuple[tuple[Role, str], ...]) -> None:
    assert not is_correction(said, *before)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no, I moved to Porto", "I moved to Porto"),
        ("Scratch that, it's 20", "it's 20"),
        ("no sugar for me", "no sugar for me"),
        ("Actually, no, my son is nine", "my son is nine"),
        ("sorry", "sorry"),
    ],
)
def test_the_announcement_is_cut_from_the_statement(said: str, kept: str) -> None:
    assert said[correcting.opening(said) :] == kept


@given(st.text(max_size=200), st.text(max_size=80))
def test_no_text_raises_and_every_source_stands(asked: str, said: str) -> None:
    for question in (asked, f"{asked} How old are you?", f"So you live in {asked}?", f"Do you have any {asked}?"):
        *before, turn = conversation(("user", said), ("assistant", question), ("user", said))
        by_id = {one.id: one for one in (*before, turn)}
        for found in answers.drafts(turn, before):
            assert all(align.stands(source, by_id[source.message_id]) for source in found.sources)
        if said:
            correcting.corrects(Clause(0, len(said), said), turn, before)
            assert 0 <= correcting.opening(said) < len(said)


def test_only_the_end_of_a_long_turn_is_read() -> None:
    far = "Are you vegetarian? " + "The oven is hot. " * 1000
    assert answered(far, "yes") is None
    assert answered("The oven is hot. " * 1000 + "Are you vegetarian?", "yes") is not None
