"""A pronoun is named when the user's own words leave one possibility, and its clause is no memory otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking import align
from satchel.extract.checking.check import quote_check
from satchel.extract.choosing.clauses import Clause
from satchel.extract.dialogue import pronouns
from satchel.types import Message, Role


def turns(*said: tuple[Role, str]) -> list[Message]:
    return [
        Message(id=f"m{at}", conversation_id="c", role=role, content=content, time=0, position=at)
        for at, (role, content) in enumerate(said)
    ]


def resolved(said: str, *before: tuple[Role, str]) -> pronouns.Resolved | None:
    """The clause is what stands after the bar in `said`."""
    start = said.index("|")
    bare = said.replace("|", "")
    *earlier, turn = turns(*before, ("user", bare))
    return pronouns.resolve(Clause(start, len(bare), bare[start:]), turn, earlier)


@pytest.mark.parametrize(
    ("said", "text", "antecedent"),
    [
        (
            "My daughter Mia starts school. |she turns seven in May",
            "my daughter Mia turns seven in May",
            "My daughter Mia",
        ),
        ("My daughter Mia is here. |She's allergic to nuts", "my daughter Mia is allergic to nuts", "My daughter Mia"),
        ("My son fell. |he's got a cast on his arm", "my son has got a cast on his arm", "My son"),
        ("our parrot Coco sings. |He hates the hoover", "our parrot Coco hates the hoover", "our parrot Coco"),
        ("My parents visit. |they both hate the sea", "my parents both hate the sea", "My parents"),
        ("My wife teaches. |her birthday is in June", "my wife's birthday is in June", "My wife"),
        ("Dad moved in. |he was a welder", "my dad was a welder", "Dad"),
        ("I've got a tortoise called Pym. |She eats clover", "my tortoise Pym eats clover", "tortoise called Pym"),
        ("My eldest, Tobias, rides. |he's scared of dogs", "my eldest Tobias is scared of dogs", "My eldest, Tobias"),
        (
            "My son Leo and my daughter Ana. |she'll start in May",
            "my daughter Ana will start in May",
            "my daughter Ana",
        ),
        (
            "My daughter Mia came. My daughter sings. |she plays the harp",
            "my daughter Mia plays the harp",
            "My daughter Mia",
        ),
        ("Our Staffie snores. |and he's fourteen", "our Staffie is fourteen", "Our Staffie"),
        ("My phone says it's full. |It's a Pixel 6 from 2021", "my phone is a Pixel 6 from 2021", "My phone"),
        ("What bed suits a whippet? |Ours is called Fay", "our whippet is called Fay", "a whippet"),
        ("How old does a grey parrot get? |Mine's forty", "my grey parrot is forty", "a grey parrot"),
    ],
)
def test_the_one_who_is_meant_is_named(said: str, text: str, antecedent: str) -> None:
    found = resolved(said)
    assert found is not None
    assert found.text == text
    assert found.antecedent is not None
    assert found.antecedent.quote == antecedent


@pytest.mark.parametrize(
    "said",
    [
        "|she turns seven in May",
        "My daughter and my wife sing. |she hates the sea",
        "My daughter Mia and my boss left. |she is vegan",
        "My son Leo paints. |she is seven",
        "The doctor rang. |he is retiring",
        "My friend Tom is here. |he eats no meat",
        "My son and our dog sleep. |he is nine",
        "Our Staffie took my husband's side. |he's fourteen",
        "My daughter Mia came. |she's allergic to it",
        "My daughter Mia came. |she takes him to school",
        "My parents came. |he is deaf",
        "My daughter came. |they are ill",
        "|it hums on the left",
        "My car is old. |it has 200,000 km",
        "|I hate it",
        "|I take it every morning",
        "Tom said hello. |he lives in Ghent",
        "Our Max and my brother play. |he's tall",
        "My daughter Mia came. |she can't stand this",
        "Is a cat or a dog better with toddlers? |Mine is scared of both",
        "I like it here. |Ours is bigger",
    ],
)
def test_where_nobody_can_say_who_it_is_there_is_no_memory(said: str) -> None:
    assert resolved(said) is None


@pytest.mark.parametrize(
    "clause",
    [
        "I live in Porto",
        "My daughter says she hates it there",
        "it's my birthday on Friday",
        "it takes me an hour to get to work",
        "it's been raining in my kitchen",
        "We keep bees because they calm me",
        "I can't eat gluten because it makes me ill",
        "Noise makes me lose the thread",
    ],
)
def test_what_needs_nobody_named_is_left_as_it_is(clause: str) -> None:
    assert resolved(f"|{clause}") == pronouns.Resolved(clause)


def test_an_earlier_turn_of_the_user_counts_and_one_of_the_assistant_does_not() -> None:
    mum: tuple[Role, str] = ("user", "My mother has a new tablet.")
    assistant: tuple[Role, str] = ("assistant", "How nice! Your sister and my mother like theirs.")
    found = resolved("|She can't read small print", mum, assistant)
    assert found is not None
    assert found.text == "my mother can't read small print"
    assert found.antecedent is not None
    assert found.antecedent.message_id == "m0"
    assert resolved("|She can't read small print", assistant) is None


def test_only_the_last_two_turns_of_the_user_count() -> None:
    before: list[tuple[Role, str]] = [("user", "My mother has a tablet."), ("user", "ok"), ("user", "right")]
    assert resolved("|She can't read small print", *before) is None
    assert resolved("|She can't read small print", *before[:2]) is not None


def test_the_quotation_names_who_is_meant_and_keeps_the_words() -> None:
    found = resolved("My daughter Mia came. |she likes it loud, or nothing")
    assert found is None or found.antecedent is not None
    said = resolved("My daughter Mia came. |she naps at noon")
    assert said is not None
    assert said.antecedent is not None
    text = pronouns.quoted("she naps at noon", said)
    assert text == "The user said of their daughter Mia: “she naps at noon”"
    assert quote_check(text, "she naps at noon", context=said.antecedent.quote)
    assert not quote_check(text, "she naps at noon", context="")
    assert not quote_check("The user said of their son: “she naps at noon”", "she naps at noon", context="my daughter")


@given(st.text(max_size=120), st.text(max_size=60))
def test_no_text_raises_and_every_antecedent_stands(earlier: str, clause: str) -> None:
    for said in (clause, f"she {clause}", f"he's {clause}", f"they {clause}"):
        content = f"{earlier} my daughter Mia {said}"
        first, turn = turns(("user", f"our dog {earlier}"), ("user", content))
        found = pronouns.resolve(Clause(len(content) - len(said), len(content), said), turn, [first])
        if found is not None and found.antecedent is not None:
            assert align.stands(found.antecedent, {"m0": first, "m1": turn}[found.antecedent.message_id])


def test_only_a_bounded_stretch_before_the_clause_is_read() -> None:
    far = "My daughter Mia sings. " + "The weather was fine. " * 200
    assert resolved(f"{far}|she is seven") is None
