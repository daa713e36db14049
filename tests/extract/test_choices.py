"""A choice among what the assistant offered gives a fact and a hint; a question, a refusal, a mention give nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking import align
from satchel.extract.dialogue import choices, offers
from satchel.extract.language.words import content
from satchel.times import parse_iso
from satchel.types import Message, Role

DAY = parse_iso("2025-06-10T09:30:00Z")
PLAN = "I've decided to go to Guangzhou for the summer vacation. Which chain hotels could I stay at?"
OFFER = "You could consider 7 Days Inn, All Seasons, or Hilton."
DESCRIBED = (
    "Here are three:\n1. **7 Days Inn** – cheap and central\n2. **All Seasons**: calm\n3. **Hilton** - best service\n"
)


def conversation(*turns: tuple[Role, str]) -> list[Message]:
    return [
        Message(id=f"m{at}", conversation_id="c", role=role, content=content, time=DAY, position=at)
        for at, (role, content) in enumerate(turns)
    ]


def drafts(*turns: tuple[Role, str]) -> tuple[choices.Chosen, ...]:
    *before, turn = conversation(*turns)
    return choices.drafts(turn, before)


def test_the_hotel_is_a_fact_of_two_turns_and_a_hint_with_its_reason() -> None:
    fact, hint = drafts(("user", PLAN), ("assistant", OFFER), ("user", "I'll go with 7 Days Inn."))
    assert fact.text == "The user has decided to go to Guangzhou for the summer vacation, and chose 7 Days Inn."
    assert (fact.kind, fact.key) == ("fact", "Guangzhou summer vacation")
    assert fact.tags == ("guangzhou", "summer", "vacation", "7 days inn")
    assert [(source.message_id, source.quote) for source in fact.sources] == [
        ("m0", "I've decided to go to Guangzhou for the summer vacation."),
        ("m2", "I'll go with 7 Days Inn."),
    ]
    assert hint.kind == "implicit_preference"
    assert hint.text == "The user may prefer chain hotels like 7 Days Inn over All Seasons or Hilton."
    assert hint.reasoning == (
        "Offered 7 Days Inn, All Seasons and Hilton, the user chose 7 Days Inn (2025-06-10). "
        "One choice is a hint about the kind of chain hotels they like."
    )


def test_the_user_s_own_words_come_first_and_every_source_stands_in_its_turn() -> None:
    turns = conversation(("user", PLAN), ("assistant", DESCRIBED), ("user", "Great. The second one, please!"))
    by_id = {turn.id: turn for turn in turns}
    for draft in choices.drafts(turns[-1], turns[:-1]):
        roles = [by_id[source.message_id].role for source in draft.sources]
        assert roles[0] == "user"
        assert roles.count("assistant") <= 1
        assert "assistant" not in roles[:-1]
        assert all(align.stands(source, by_id[source.message_id]) for source in draft.sources)


def test_nothing_is_said_that_the_conversation_does_not_hold() -> None:
    turns = conversation(("user", PLAN), ("assistant", DESCRIBED), ("user", "I'll take the cheaper one"))
    spoken = {word for turn in turns for word in content(turn.content)}
    ours = set(content("The user may prefer like over or asked and chose"))
    found = choices.drafts(turns[-1], turns[:-1])
    assert len(found) == 2
    for draft in found:
        assert set(content(draft.text)) <= spoken | ours


def test_what_the_assistant_said_of_the_option_is_told_as_the_assistant_s() -> None:
    _, hint = drafts(("user", PLAN), ("assistant", DESCRIBED), ("user", "7 Days Inn please"))
    assert hint.reasoning is not None
    assert "The assistant had described it as “cheap and central”." in hint.reasoning
    assert "cheap" not in hint.text


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        (OFFER, ["7 Days Inn", "All Seasons", "Hilton"]),
        (DESCRIBED, ["7 Days Inn", "All Seasons", "Hilton"]),
        ("- Anna Karenina (long)\n- The Idiot\n- Dead Souls", ["Anna Karenina", "The Idiot", "Dead Souls"]),
        ("I'd recommend either Lisbon or Porto for that.", ["Lisbon", "Porto"]),
        ("Take a look at **Ghent** or, further away, **Bruges**.", ["Ghent", "Bruges"]),
        ("你可以考虑七天酒店、全季酒店或希尔顿。", ["七天酒店", "全季酒店", "希尔顿"]),
        (
            "Some ideas: 1. A long walk by the river. 2. The jazz café on the quay has live music."
            " 3. I'd suggest bowling.",
            ["a long walk by the river", "the jazz café", "bowling"],
        ),
        (
            "You could take (a) the night train, (b) a rented van or (c) the ferry.",
            ["the night train", "a rented van", "the ferry"],
        ),
        (
            "How about a pottery class? You could also try archery at the old mill. Alternatively, there's the choir.",
            ["a pottery class", "archery at the old mill", "the choir"],
        ),
        ("Options: evening yoga (slow); spinning (loud); or aqua fit.", ["evening yoga", "spinning", "aqua fit"]),
        (
            "Would a road bike, a gravel bike or a folding bike?",
            ["a road bike", "a gravel bike", "a folding bike"],
        ),
        ("**Kayaking** is quiet.\n**Rafting** is loud.", ["Kayaking", "Rafting"]),
        (
            "1. Join a chess club in town.\n2. Learn from a book at home.",
            ["join a chess club in town", "learn from a book at home"],
        ),
        ("Here are three titles: 1. Salt 2. Ash 3. Bone", []),
        ("1. 'Come closer, dear'\n2. 'Never look back'", []),
        ("Would you like me to shorten it, translate it, or add a summary?", []),
        ("```\n- a\n- b\n```", []),
        ("A) the red tent\nB) the blue tent", ["the red tent", "the blue tent"]),
        ("I like it and you do.", []),
        ("Guangzhou is warm in summer.", []),
        ("", []),
    ],
)
def test_an_offer_is_a_list_or_a_series(offer: str, names: list[str]) -> None:
    assert [option.name for option in offers.offers(offer)] == names


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("I'll go with 7 Days Inn.", "7 Days Inn"),
        ("7 days inn", "7 Days Inn"),
        ("Seasons sounds good", "All Seasons"),
        ("The second one, please", "All Seasons"),
        ("option C", "Hilton"),
        ("Let's go with the last one", "Hilton"),
        ("I'll take the cheaper one", "7 Days Inn"),
        ("I'd rather take Hilton than 7 Days Inn", "Hilton"),
        ("All Seasons instead of Hilton", "All Seasons"),
        ("No, I'll book Hilton", "Hilton"),
        ("How much is 7 Days Inn? I'll take Hilton.", "Hilton"),
    ],
)
def test_a_choice_is_made_by_name_part_place_or_quality(answer: str, name: str) -> None:
    taken = choices.chosen(answer, offers.offers(DESCRIBED))
    assert taken is not None
    assert taken.option.name == name


@pytest.mark.parametrize(
    "answer",
    [
        "not Hilton", "is Hilton far?", "Hilton?", "Hilton is too expensive", "I don't want Hilton", "Thanks!",
        "I like Hilton and All Seasons", "Tell me more about Hilton", "I stayed at Hilton once", "none of them",
        "I would go with 7 Days Inn if it had a pool", "What about breakfast at the Hilton", "",
    ],
)  # fmt: skip
def test_a_question_a_refusal_or_a_mention_is_no_choice(answer: str) -> None:
    assert choices.chosen(answer, offers.offers(DESCRIBED)) is None


@pytest.mark.parametrize(
    ("answer", "name"), [("我选七天", "七天酒店"), ("第二个", "全季酒店"), ("不要希尔顿", None), ("希尔顿远吗？", None)]
)
def test_a_choice_in_chinese(answer: str, name: str | None) -> None:
    taken = choices.chosen(answer, offers.offers("你可以考虑七天酒店、全季酒店或希尔顿。"))
    assert (taken and taken.option.name) == name


def test_an_offer_that_the_user_ignores_gives_nothing() -> None:
    assert drafts(("user", PLAN), ("assistant", OFFER), ("user", "How is the weather there in July?")) == ()


def test_an_offer_that_is_not_the_last_turn_gives_nothing() -> None:
    assert drafts(("assistant", OFFER), ("user", "Hm."), ("user", "I'll take Hilton")) == ()
    assert drafts(("user", "I'll take Hilton")) == ()


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_raises(offer: str, answer: str) -> None:
    choices.chosen(answer, offers.offers(offer))
    drafts(("user", answer), ("assistant", offer), ("user", answer))


@pytest.mark.parametrize(
    "part", ["**", "(", "a", "我", "、a", '"', "like a, ", "\n- a", "I ", "consider x or ", "1. ", "a; "]
)
def test_only_a_bounded_stretch_of_a_turn_is_read(part: str) -> None:
    long = part * (3 * offers.MAX_OFFER // len(part))
    assert offers.offers(long) == offers.offers(long[: offers.MAX_OFFER])
    assert choices.chosen(part * (choices.MAX_ANSWER + 1), offers.offers(OFFER)) is None


WALKS = (
    "Some outings: 1. A guided tour of the old brewery with forty visitors. 2. How about a silent walk round the lake?"
    " 3. The market on Saturday is lively and crowded. 4. A boat trip with a brass band."
)
OUTING: tuple[Role, str] = ("user", "What could we do on Saturday?")


def hint(offer: str, answer: str, asked: tuple[Role, str] = OUTING) -> str | None:
    found = [one for one in drafts(asked, ("assistant", offer), ("user", answer)) if one.kind == "implicit_preference"]
    return found[-1].text if found else None


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("The silent one round the lake sounds right for us.", "a silent walk"),
        ("I'll go with option 2.", "a silent walk"),
        (
            "The second option, the walk, would be the best choice for me. The others are full.",
            "a silent walk",
        ),
        ("walk. brass bands give me a headache", "a silent walk"),
        ("The market appeals to me, nothing beats a crowd", "the market"),
        ("I think the brewery tour is my favourite, because I brew at home.", "a guided tour"),
        ("D, and the louder the better", "a boat trip"),
        ("3", "the market"),
        ("We're leaning towards the boat trip.", "a boat trip"),
        ("lake, obviously", "a silent walk"),
    ],
)
def test_an_option_that_is_a_sentence_is_chosen_by_what_it_says(answer: str, name: str) -> None:
    text = hint(WALKS, answer)
    assert text is not None
    assert text.startswith(f"The user may prefer {name}")


@pytest.mark.parametrize(
    "answer",
    [
        "Is the walk long?", "I like the walk idea! Could you tell me how long it is?", "Great ideas, thanks.",
        "The walk and the market both sound good", "What does the brewery cost?",
        "version 2 please", "Continue with 3.", "The market, she loves a crowd",
        "the boat trip. now write it as a list",
        "We did the boat trip last year", "Saturday is my birthday.", "No boats.",
        "Write a poem about the lake", "go on", "yes do that", "all of them", "none of these",
    ],
)  # fmt: skip
def test_a_mention_of_an_option_is_no_choice(answer: str) -> None:
    assert hint(WALKS, answer) is None


@pytest.mark.parametrize(
    ("asked", "offer", "answer"),
    [
        ("Give me three slogans for a bakery", "1. Rise early\n2. Crumbs of joy\n3. Daily bread", "the second one"),
        ("Write an outline for my essay", "Two ways: 1. By date 2. By theme", "I'll go with option 2"),
        ("What should the function return?", "Either a list, a tuple or a set.\n```py\n```", "I'll take the tuple"),
        ("Quiz me on rivers", "Longest in Europe? A) Volga B) Danube C) Rhine", "A"),
        ("Next question", "Which planet is largest?\n1. Mars\n2. Jupiter\n3. Venus", "2"),
        ("Let's play a text adventure", "You can take the torch, the rope or the sword.", "I take the sword"),
        ("Pretend to be a waiter", "We have soup, salad or pie.", "I'll have the pie"),
        ("Translate this menu", "Options: soup, salad or pie.", "I'll go with pie"),
        ("I'm stuck with my novel", "You could try a storm, a letter or a death.", "I'll go with the letter"),
        ("Fix my code please", "You could use a loop, a map or recursion.", "let's go with the map"),
        ("What next?", "Would you like me to draft an email, a letter or a memo?", "a memo, please"),
        ("My feet hurt", "Do you have high arches, flat feet or old injuries?", "flat feet"),
        ("Which shoes?", "Anything about your feet I should know, such as high arches or flat feet?", "flat, both"),
        ("help me plan the talk", "1. Draft the opening\n2. Draft the close\n3. Explain the data", "2 please"),
    ],
)
def test_choosing_among_texts_code_steps_and_answers_shows_no_taste(asked: str, offer: str, answer: str) -> None:
    assert drafts(("user", asked), ("assistant", offer), ("user", answer)) == ()


def test_the_reason_stands_in_the_sources_and_in_the_reasoning() -> None:
    said = "I'll take the walk round the lake. The others are far too loud."
    (found,) = drafts(OUTING, ("assistant", WALKS), ("user", said))
    assert [source.quote for source in found.sources[:-1]] == [
        "What could we do on Saturday?", "I'll take the walk round the lake.", "The others are far too loud.",
    ]  # fmt: skip
    assert found.reasoning is not None
    assert "I'll take the walk round the lake. The others are far too loud" in found.reasoning


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("not the market, too crowded for me", "the market on Saturday: “too crowded for me”"),
        ("The boat trip is too noisy.", "a boat trip with a brass band: “too noisy”"),
        ("no brewery, beer makes me sneeze", "a guided tour of the old brewery: “beer makes me sneeze”"),
        ("not the market", None), ("No boat trip please", None), ("is the market too crowded?", None),
        ("too expensive", None), ("not today, thanks", None),
    ],
)  # fmt: skip
def test_a_refusal_counts_only_with_its_reason(answer: str, text: str | None) -> None:
    assert hint(WALKS, answer) == (text and f"The user may prefer to avoid {text}.")


def test_a_statement_is_never_a_list() -> None:
    item = "a very long holiday in a remote and mountainous part of the northern country with several guides"
    villages = enumerate(["red", "blue", "green", "grey", "old"], 1)
    text = hint("\n".join(f"{at}. {item} number {at} and its {word} village" for at, word in villages), "option 2")
    assert text is not None
    assert len(text.split()) <= choices.STATEMENT_WORDS


def test_verbs_are_joined_as_verbs() -> None:
    text = hint("1. Join a chess club in town.\n2. Learn from a book.", "I'll join the club")
    assert text == "The user may prefer to join a chess club in town."


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (OFFER, "please explain the risks of booking too late in all seasons"),
        (OFFER, "Please write a review of the Hilton for me."),
        (
            "Your mail provider collects:\n- Shared calendar details\n- Diagnostic data\n- Personalised ads",
            "please list it in detail",
        ),
        (
            "You could say:\n- Every house begins with one honest stone\n- No house is built on nothing but a dream\n",
            "I like to say that no house is built without a plan, so find other ways of putting it",
        ),
        ("The plants are in Lyon, Nantes, or Lille.", "please show the Lyon plant on a map"),
    ],
)
def test_a_next_task_that_names_an_option_is_no_choice(offer: str, answer: str) -> None:
    assert drafts(("user", "Tell me more."), ("assistant", offer), ("user", answer)) == ()
