"""What the user says of themselves is turned into the third person, and nothing else about it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking.check import check, quote_check
from satchel.extract.saying import rewrite

SAID = [
    ("I'm Nadia, a vet in Turin", "The user is Nadia, a vet in Turin."),
    ("I can't stand phone calls", "The user can't stand phone calls."),
    ("I live in Porto and prefer trains to planes", "The user lives in Porto and prefers trains to planes."),
    ("My daughter Mia is allergic to peanuts", "The user's daughter Mia is allergic to peanuts."),
    ("we moved to Leeds", "The user and others moved to Leeds."),
    ("We have two cats and live near the canal", "The user and others have two cats and live near the canal."),
    ("As a widower, I cook for one", "As a widower, the user cooks for one."),
    ("Decaf for me, please", "For the user, decaf."),
    ("Noise makes me lose the thread", "Noise makes the user lose the thread."),
    ("By the way, I'm vegan, thanks", "The user is vegan."),
    ("Oh and I don't eat pork", "The user doesn't eat pork."),
    ("my father used to work in a mine", "The user's father used to work in a mine."),
    ("I've been learning Welsh since January", "The user has been learning Welsh since January."),
    ("I'd rather walk than drive", "The user would rather walk than drive."),
    ("I'll be in Lisbon next week", "The user will be in Lisbon next week."),
    ("I never drink coffee after lunch", "The user never drinks coffee after lunch."),
    ("i work as a nurse and i hate night shifts", "The user works as a nurse and the user hates night shifts."),
    ("Our parrot Coco screams at six", "The user's parrot Coco screams at six."),
    ("I have type I diabetes", "The user has type I diabetes."),
    ("I go to the gym on Mondays and swim on Fridays", "The user goes to the gym on Mondays and swims on Fridays."),
    ("I want you to answer in German", "The user wants the assistant to answer in German."),
    ("I love how you explain things", None),
    ("My wife and I run a bakery", "The user's wife and the user run a bakery."),
    ("My wife works and I stay home", "The user's wife works and the user stays home."),
    ("I read two novels every month", "The user reads two novels every month."),
    ("I read it yesterday", "The user read it yesterday."),
    ("I read on the train", None),
    ("I bought a Volvo last week", "The user bought a Volvo last week."),
    ("I was born in 1984 in Graz", "The user was born in 1984 in Graz."),
    ("Me and my brother share a flat", "The user and their brother share a flat."),
    ("I taught myself the cello", "The user taught themselves the cello."),
    ("that bike is mine", "That bike is the user's."),
    ("Love hiking", "The user loves hiking."),
    ("Always answer in metric.", None),
    ("I, a widower, cook for one", None),
    ("I miei figli vivono a Roma", None),
    ("Me gusta el café", None),
    ("我住在杭州", "用户住在杭州。"),
    ("我们搬到了上海", None),
    ('My boss said "I hate tea"', None),
    ("I study and work in Lyon", "The user studies and works in Lyon."),
    ("I like tea and coffee", "The user likes tea and coffee."),
    ("I think my sister lost her keys", "The user thinks the user's sister lost her keys."),
    ("I usually carry a folding bike", "The user usually carries a folding bike."),
    ("I used to smoke", "The user used to smoke."),
    ("I quit my job in March", "The user quit their job in March."),
    ("I'm not a fan of cilantro", "The user is not a fan of cilantro."),
    ("I no longer live in Leeds", "The user no longer lives in Leeds."),
    ("I am a teacher and have three kids", "The user is a teacher and has three kids."),
    ("I cook, clean and look after the twins", "The user cooks, cleans and looks after the twins."),
    ("I do not own a car", "The user does not own a car."),
    ("I haven't eaten meat since 2019", "The user hasn't eaten meat since 2019."),
    ("Please call me Sam", None),
    ("To relax I knit", "To relax the user knits."),
    ("When I'm tired I get migraines", "When the user is tired the user gets migraines."),
    ("I hike", "The user hikes."),
    ("Moved to Leeds last spring", "The user moved to Leeds last spring."),
    ("Retired last year from the post office", "The user retired last year from the post office."),
    ("Can't eat gluten", "The user can't eat gluten."),
    ("Name's Ruben, 34", "The user's name is Ruben, 34."),
    ("I try to eat less sugar and fly less often", "The user tries to eat less sugar and fly less often."),
    ("I carry on and worry too much", "The user carries on and worries too much."),
    ("I might move to Oslo", "The user might move to Oslo."),
    ("I don't have a car but can drive", "The user doesn't have a car but can drive."),
    ("im from Ghent", "The user is from Ghent."),
    ("I dont like crowds", "The user doesn't like crowds."),
    ("Is my bike blue?", None),
    ("I fix bikes for a living", "The user fixes bikes for a living."),
    ("I watch birds", "The user watches birds."),
    ("We've got twins", "The user and others have got twins."),
    ("We're vegetarians", "The user and others are vegetarians."),
    ("I always end up paying for everyone", "The user always ends up paying for everyone."),
    ("The noise in our street keeps us awake", "The noise in the user's street keeps the user and others awake."),
    ("Honestly, I'm terrified of dogs", "The user is terrified of dogs."),
    ("I'm left-handed", "The user is left-handed."),
    ("For my mother, tea is sacred", "For the user's mother, tea is sacred."),
    ("My sister's dog bites", "The user's sister's dog bites."),
    ("I started running because my doctor told me to", "The user started running because their doctor told them to."),
    ("I do yoga and have a bad back", "The user does yoga and has a bad back."),
    ("I wish I spoke Finnish", "The user wishes the user spoke Finnish."),
    ("Neither of my parents drives", "Neither of the user's parents drives."),
]


WORDS = [
    *("I", "my", "me", "we", "can't", "always", "live", "and", "or", "to", "prefer", ","),
    *("train", "Porto", "read", "am", "have", "do", "you", "3"),
]


@pytest.mark.parametrize(("said", "statement"), SAID)
def test_a_clause_becomes_a_statement_about_the_user_or_is_left_alone(said: str, statement: str | None) -> None:
    start, end = rewrite.trim(said)
    assert rewrite.third_person(said[start:end]) == statement


@pytest.mark.parametrize(("said", "statement"), [row for row in SAID if row[1]])
def test_a_rewriting_by_rule_passes_its_own_check(said: str, statement: str) -> None:
    start, end = rewrite.trim(said)
    assert check(statement, said[start:end]).ok


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("By the way, I'm vegan, thanks!", "I'm vegan"),
        ("Oh and I don't eat pork.", "I don't eat pork."),
        ("- I live in Porto", "I live in Porto"),
        ("Hi! Please remember that my dog is called Bo", "my dog is called Bo"),
        ("No, I moved to Porto", "No, I moved to Porto"),
        ("please", "please"),
        ("  ,  ", ""),
    ],
)
def test_politeness_and_connectives_are_left_out(said: str, kept: str) -> None:
    start, end = rewrite.trim(said)
    assert said[start:end] == kept


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_trimmed_to_a_part_of_itself_and_can_be_quoted(text: str) -> None:
    start, end = rewrite.trim(text)
    assert 0 <= start <= end <= len(text)
    assert quote_check(rewrite.quoted(text[start:end]), text[start:end])
    assert quote_check(rewrite.quoted(text[start:end], asks=True), text[start:end])


@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=14,
    )
)
def test_whatever_the_rules_write_says_the_words_of_the_clause(words: list[str]) -> None:
    clause = " ".join(words)
    statement = rewrite.third_person(clause)
    if statement is not None:
        assert check(statement, clause).added == ()
        assert check(statement, clause).lost == ()


@pytest.mark.parametrize(
    ("clause", "fragment"),
    [
        ("Mother of three, night owl", True),
        ("Been vegan since 2019", True),
        ("No car, only a bike", True),
        ("Metric units work best here", False),
        ("The dog is called Bruno", False),
        ("Vegetariano desde 2004", False),
        ("Mia turned seven", False),
        ("vegan?", False),
    ],
)
def test_a_fragment_has_neither_subject_nor_verb_of_its_own(clause: str, fragment: bool) -> None:
    assert rewrite.is_fragment(clause) is fragment
