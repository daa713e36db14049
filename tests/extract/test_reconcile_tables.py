"""Many wordings: what says the same, what changed, what ended, what only plans, and what is another thing."""

from __future__ import annotations

import msgspec
import pytest

from extract.test_reconcile import LATER, OLD, against, draft, memory, source
from satchel.extract.reconciling.reconcile import Decision, New, Observe, Resolve, Supersede, decide
from satchel.types import Kind


def settled(now: str, before: str, cosine: float = 0.75, kind: Kind = "fact") -> Decision:
    return against(draft(now, kind=kind), memory(before, kind=kind), cosine)


@pytest.mark.parametrize(
    ("again", "known"),
    [
        ("The user has been vegetarian for years.", "The user is vegetarian."),
        ("As a vegetarian the user often struggles in steakhouses.", "The user is vegetarian."),
        ("The user is a vegetarian.", "The user has been vegetarian since 2019."),
        ("The user's daughter Mia is 7.", "The user's daughter Mia is 7 years old."),
        ("The user's job is nurse.", "The user works as a nurse at St Anne's."),
        ("The user is a nurse.", "The user works as a nurse at St Anne's."),
        ("The user works at St Anne's.", "The user is a nurse at St Anne's."),
        ("Here in Porto where the user lives it rains a lot.", "The user lives in Porto."),
        ("The user is based in Porto.", "The user lives in Porto near the river."),
        ("The user said: “I live in Porto”", "The user lives in Porto."),
        ("The user has two children.", "The user has two kids."),
        ("The user has a dog.", "The user has a dog called Rex."),
        ("The user's dog is called Rex.", "The user has a dog called Rex."),
        ("The user has got a dog named Rex.", "The user has a dog called Rex."),
        ("The user enjoys long walks.", "The user loves long walks."),
        ("The user despises small talk.", "The user can't stand small talk."),
        ("The user is swimming on Tuesdays.", "The user swims on Tuesdays."),
        ("The user's wife is Ana.", "The user's wife's name is Ana."),
        ("The user is married to Ana.", "The user's wife is called Ana."),
        ("The user's favourite colour is green.", "Green is the user's favourite color."),
        ("The user's sister lives in Oslo.", "The user's sister Ana lives in Oslo."),
        ("The user is allergic to peanuts.", "The user has a peanut allergy."),
        ("The user lives in Porto now.", "The user moved to Porto."),
    ],
)
def test_a_paraphrase_is_one_more_observation(again: str, known: str) -> None:
    assert settled(again, known) == Observe("old")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The user likes tea.", "The user likes green tea in the morning."),
        ("The user has a dog Rex.", "The user has a dog Bella."),
        ("The user is allergic to peanuts.", "The user is allergic to penicillin."),
        ("The user has a cat.", "The user has a cat allergy."),
        ("The user's brother lives in Rome.", "The user's sister lives in Turin."),
        ("The user's sister Ana lives in Rome.", "The user's sister Eva lives in Turin."),
        ("The user is 40.", "The user's partner is 38."),
        ("The user's daughter Mia is 7.", "The user's daughter Lea is 4."),
        ("The user's car is red.", "The user's car is a Golf."),
        ("The user's exam is at 9 am.", "The user's exam is on 3 May."),
        ("The user has a piano lesson on Mondays.", "The user has a German lesson on Thursdays."),
        ("The user's landlord is Mr Berg.", "The user's dentist is Mr Berg."),
        ("The user also speaks Dutch.", "The user speaks Danish."),
        ("The user uses Python.", "The user uses Rust."),
        ("The user has a MacBook.", "The user has a ThinkPad."),
        ("The user drinks coffee only at weekends.", "The user drinks coffee."),
        ("The user eats fish.", "The user eats chicken."),
        ("The user used to live in Rome.", "The user lives in Turin."),
        ("The user's favourite film is Alien.", "The user's favourite book is Emma."),
        ("The user prefers trains.", "The user prefers trains without changes on long journeys."),
        ("The user works from home on Fridays.", "The user swims on Tuesdays."),
        ("The user no longer eats pork.", "The user lives in Turin."),
        ("The user now likes tea.", "The user likes coffee."),
        ("The user quit the chess club.", "The user likes chess."),
        ("The user gave up coffee.", "The user is allergic to coffee."),
        ("The user sold the piano.", "The user drives a Golf."),
        ("The user's goal is to run a marathon.", "The user's goal is to save money."),
        ("The user's budget is 500 euros for the bike.", "The user's budget is 900 euros for the trip."),
        ("The user left the party early.", "The user lives in Lisbon."),
        ("The user moved to a new team.", "The user lives in Lisbon."),
        ("The user's friend Sara lives in Lyon.", "The user's friend Omar lives in Cairo."),
        ("The user has a dog Rex.", "The user has no cats."),
        ("The user has no pets.", "The user has two sisters."),
    ],
)
def test_another_thing_is_neither_the_same_nor_a_change(one: str, other: str) -> None:
    for new, known in ((one, other), (other, one)):
        decided = settled(new, known)
        assert decided == New(), (new, known, decided)


CHANGES = [
    ("The user just got a flat in Leeds.", "The user lives in Porto."),
    ("The user and others relocated to Leeds last month.", "The user is based in Porto."),
    ("The user bought a house in Leeds.", "The user and others rent a small flat in Porto."),
    ("The user's sister has moved to Bergen.", "The user's sister lives in Oslo."),
    ("The user's brother Jan lives in Ghent.", "The user's brother Jan lives in Bruges."),
    ("The user started a new job at Initech.", "The user works for Acme."),
    ("The user joined Initech.", "The user is a nurse at Acme."),
    ("The user was promoted to team lead.", "The user works as a data analyst."),
    ("The user is now a project manager.", "The user is a developer."),
    ("The user retired last year.", "The user's job is teacher."),
    ("The user went vegan in January.", "The user is vegetarian."),
    ("The user eats meat again.", "The user is vegetarian."),
    ("The user is no longer vegan.", "The user is vegan."),
    ("The user stopped being vegetarian.", "The user is vegetarian."),
    ("The user got divorced.", "The user is married."),
    ("The user broke up with Tom.", "The user is dating Tom."),
    ("Tom and the user broke up.", "The user's boyfriend Tom is a chef."),
    ("The user is married to Lea.", "The user is dating Mia."),
    ("The user's daughter Mia turned 8.", "The user's daughter Mia is 7."),
    ("The user's son Max is in Year 4.", "The user's son Max is in Year 3."),
    ("The user's son Max started at Oakwood School.", "The user's son Max goes to Hillside School."),
    ("The user switched to Linux.", "The user runs Windows."),
    ("The user upgraded to an iPhone 16.", "The user uses an iPhone 13."),
    ("The user uses Zed as their main editor.", "The user uses Vim as their main editor."),
    ("The user's main programming language is Rust.", "The user's main programming language is Python."),
    ("The user bought a new Skoda.", "The user drives a Golf."),
    ("The user sold the car.", "The user drives a Golf."),
    ("The user switched from tea to coffee.", "The user drinks tea every morning."),
    ("The user replaced Spotify with Tidal.", "The user uses Spotify."),
    ("The user switched from oat milk to soy milk.", "The user drinks oat milk."),
    ("The user now prefers window seats.", "The user prefers aisle seats."),
    ("The user quit coffee.", "The user drinks two coffees a day."),
    ("The user no longer drinks coffee.", "The user drinks coffee every morning."),
    ("The user stopped smoking.", "The user smokes ten cigarettes a day."),
    ("The user gave up the violin.", "The user plays the violin."),
    ("The user cancelled their Netflix subscription.", "The user has a Netflix subscription."),
    ("Rex died on Sunday.", "The user has a dog called Rex."),
    ("The user's dog Rex died.", "The user's dog Rex is scared of thunder."),
    ("The user's grandmother passed away.", "The user's grandmother Elsa lives in Turin."),
    ("The user moved swimming to Thursdays.", "The user swims on Tuesdays."),
    ("The user's yoga class is now on Fridays.", "The user's yoga class is on Wednesdays."),
    ("Book club moved to Mondays.", "Book club is on Thursdays."),
    ("The user's exam was moved to 10 May.", "The user's exam is on 3 May."),
    ("The user's thesis deadline got pushed back to 1 July.", "The user's thesis deadline is on 15 June."),
    ("The user gets up at 5:45 now.", "The user gets up at 7:00."),
    ("The user commutes by bike.", "The user commutes by train."),
    ("The user cycles to work instead of taking the tram.", "The user takes the tram to work."),
    ("The user changed their major from biology to chemistry.", "The user is studying biology."),
    ("The user's landlord is now Ms Holt.", "The user's landlord is Mr Berg."),
    ("The user's dentist is Dr Moss.", "The user's dentist is Dr Hale."),
    ("The user's rent went up to 1020 euros.", "The user's rent is 950 euros."),
    ("The user's favourite band is Low.", "The user's favourite band is Mogwai."),
    ("The user left Acme.", "The user works at Acme as a cook."),
    ("The user doesn't work at Acme anymore.", "The user works at Acme."),
    ("The user moved to Porto last week.", "The user is moving to Porto in May."),
    ("The user is not moving to Oslo anymore.", "The user is moving to Oslo."),
    ("The user actually quite likes olives now.", "The user hates olives."),
    ("The user asks: “Answer in German from now on”", "The user asks: “Always answer in English”"),
    ("The user's mum has moved in with the user.", "The user's mum lives in Leicester."),
    ("The user's name is Sam.", "The user said: “call me Samuel”"),
    (
        "The user asks: “detailed answers from now on, with reasons”",
        "The user asks: “Keep your answers short in general”",
    ),
    ("The user asks: “be brief from here on”", "The user asks: “I like long explanations, always”"),
    ("The user has had their first day at Harbour Foods.", "The user is a clerk at Brill and Sons."),
    ("The user and others adopted a kitten.", "The user has no pets at the moment."),
    ("The user's puppy chews everything.", "The user doesn't have any pets."),
    ("The user has a baby daughter.", "The user and others have no children yet."),
    ("Rowing is on Fridays now.", "The user said: “rowing on the canal every Monday at 6”"),
    ("Bouldering is on Sundays now.", "A snack the user packs before bouldering on Saturdays."),
    ("The user's new phone is a Galaxy S24.", "The user said: “iPhone 12”"),
    ("The user sold the car.", "The user said: “the car's a 2009 Corolla with no radio”"),
    ("The user's aunt Inga has moved to Malmö.", "The user's aunt Inga is coming from Lund where she lives."),
    ("The user has switched to Julia completely.", "The user does everything in Matlab."),
    ("The user has moved over to KiCad for all their board layouts.", "The user does their board layouts in Eagle."),
    ("The user is head gardener at Thornby Hall.", "The user is groundsman at Ashwell Park."),
    ("The user signed with Orrin Freight.", "The user is third officer on the Halcyon, for Corvane Lines."),
    ("So it's the mediterranean diet now.", "The user is doing low carb since June."),
    ("The user asks: “plain paragraphs from now on”", "The user asks: “give me numbered steps, always”"),
]


@pytest.mark.parametrize(("now", "before"), CHANGES)
def test_a_change_supersedes(now: str, before: str) -> None:
    assert settled(now, before) == Supersede(("old",))


@pytest.mark.parametrize(("now", "before"), CHANGES)
def test_what_was_superseded_before_it_was_known_is_stored_as_over(now: str, before: str) -> None:
    """The older conversation arrives last: never does it override what came later."""
    late = against(draft(before, since=OLD), memory(now, since=LATER), 0.75)
    assert not isinstance(late, Supersede), late


@pytest.mark.parametrize(
    ("wish", "state"),
    [
        ("The user has been thinking of going vegan.", "The user eats meat again."),
        ("The user might move to Oslo.", "The user lives in Porto."),
        ("The user and others are moving to Porto in May.", "The user lives in Leeds."),
        ("The user plans to quit coffee.", "The user drinks coffee every morning."),
        ("The user is going to switch to Linux.", "The user runs Windows."),
        ("The user wants to leave Acme.", "The user works at Acme."),
        ("The user would like to become a teacher.", "The user works as a nurse."),
        ("The user starts at Initech in June.", "The user works at Acme."),
        ("The user is considering selling the car.", "The user drives a Golf."),
        ("The user is looking into an iPhone 16.", "The user uses an iPhone 13."),
        ("The user may move swimming to Thursdays.", "The user swims on Tuesdays."),
        ("The user hopes to be vegan one day.", "The user is vegan."),
    ],
)
def test_a_plan_leaves_the_present_as_it_is_and_is_not_it(wish: str, state: str) -> None:
    assert settled(wish, state) == New()
    assert not isinstance(settled(state, wish), Observe)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("The user doesn't eat meat.", "The user eats meat."),
        ("The user swims on Thursdays.", "The user swims on Tuesdays."),
        ("The user doesn't live in Porto.", "The user lives in Porto."),
        ("The user is 33.", "The user is 34."),
        ("The user loves mornings.", "The user hates mornings."),
    ],
)
def test_what_no_word_decides_is_left_to_the_user(now: str, before: str) -> None:
    assert settled(now, before) == Resolve(("old",))


def test_the_same_hour_decides_nothing() -> None:
    same_time = draft("The user lives in Leeds.", since=OLD)
    assert against(same_time, memory("The user lives in Porto.")) == Resolve(("old",))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("No, the user moved to Porto.", "The user lives in Leeds."),
        ("The user meant Thursday.", "The user's appointment is on Tuesday."),
        ("I meant Thursday.", "The user meets Ana on Monday."),
        ("It's an owl, not a hawk.", "There is a hawk in the user's garden."),
        ("The user said: “it's an owl, not a hawk”", "The user has seen a hawk."),
        ("Not Madrid but Malaga.", "The user flies to Madrid."),
        ("The user's sister's wedding is in July, not June.", "The user's sister gets married in June."),
        ("The user has 3 nephews.", "The user has 2 nephews."),
    ],
)
def test_a_correction_acts_on_what_was_said_minutes_ago(right: str, wrong: str) -> None:
    told = draft(right, since=OLD, sources=(source("m2", "c1"),))
    correcting = msgspec.structs.replace(told, correction=True)
    assert against(correcting, memory(wrong), 0.5) == Supersede(("old",))
    pinned = memory(wrong, pinned=True)
    assert against(correcting, pinned, 0.5) == Resolve(("old",))


def test_a_correction_of_something_unknown_is_just_new() -> None:
    told = draft("It's an owl, not a hawk.")
    correcting = msgspec.structs.replace(told, correction=True)
    assert decide(correcting, []) == New()
    assert against(correcting, memory("The user lives in Porto."), 0.1) == New()


@pytest.mark.parametrize(
    ("told", "beside", "known"),
    [
        ("They've put the user on losartan.", "off the enalapril", "The doctor put the user on enalapril in autumn."),
        ("The user has the hybrid now.", "traded the old van", "The user has a blue van."),
        ("The user listens to records.", "no more Tidal for me", "The user uses Tidal."),
        ("The user eats beans and fish.", "the doctor wants the keto over with", "The user is doing keto since May."),
    ],
)
def test_what_the_same_turn_says_is_over_ends_what_it_names(told: str, beside: str, known: str) -> None:
    assert against(draft(told), memory(known), 0.3) == New()
    assert against(msgspec.structs.replace(draft(told), beside=(beside,)), memory(known), 0.3) == Supersede(("old",))


def test_what_is_not_tolerated_or_liked_is_not_over_with_what_is_given_up() -> None:
    for known in ("The user is allergic to coffee.", "The user hates coffee.", "The user is not on coffee."):
        told = msgspec.structs.replace(draft("The user drinks tea."), beside=("gave up coffee",))
        assert against(told, memory(known), 0.3) == New()


def test_an_event_neither_makes_nor_confirms_a_preference() -> None:
    tea = "The user drank green tea."
    assert against(draft(tea, kind="event"), memory(tea, kind="explicit_preference"), 1.0) == New()
    assert against(draft(tea, kind="event"), memory(tea, kind="implicit_preference", status="candidate"), 1.0) == New()


def test_a_wish_for_tonight_is_over_soon_and_confirms_nothing() -> None:
    wish = draft("The user prefers pizza tonight.", kind="explicit_preference")
    decided = against(wish, memory("The user prefers pizza.", kind="explicit_preference"))
    assert isinstance(decided, New)
    assert decided.valid_to is not None
    assert decided.valid_to > wish.valid_from


def test_an_age_that_has_grown_does_not_contradict_what_the_user_wrote() -> None:
    assert decide(draft("The user is 35."), [(memory("The user is 34.", pinned=True), 0.9)]) == New()


def test_a_second_observation_ends_what_stood_beside_it() -> None:
    leeds = memory("The user lives in Leeds.", since=OLD + 1)
    porto = msgspec.structs.replace(leeds,
        id="porto", text="The user lives in Porto.", sources=(source("m9", "c9"),))  # fmt: skip
    assert decide(draft("The user lives in Leeds."), [(leeds, 0.99), (porto, 0.8)]) == Observe("old", None, ("porto",))
