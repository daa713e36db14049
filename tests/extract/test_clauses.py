"""Cutting a turn: every clause is a span of the message, and only the user's own words are cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.choosing.clauses import MAX_CLAUSES, split

PIECES = st.sampled_from(
    [
        *("I ", "my ", "we ", ", ", ". ", "? ", "! ", "```", '"', "“", "”", "> ", "- ", "1. ", "Dr. ", "e.g. ", "3.5"),
        *(" and I ", " but my dog is ", ", which ", "; ", ": ", "(I ", ")", "。", "，", "我", "¿", "I'm ", "    ", "|"),
        *("From: a", "Subject: b", "{}", "because I ", "...", "…", " - ", "—", "Translate this: ", "🦜", "e\u0301"),
        *("\u2028", "\x00", "\t", "\n", "\r\n", "\n\n"),
    ]
)


def texts(message: str) -> list[str]:
    return [clause.text for clause in split(message)]


@given(st.one_of(st.text(max_size=400), st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=60).map("".join)))
def test_every_clause_is_the_words_that_stand_there(message: str) -> None:
    end = 0
    for clause in split(message):
        assert clause.text == message[clause.start : clause.end]
        assert clause.text.strip()
        assert clause.start >= end
        end = clause.end


@given(st.text(alphabet="Iab ,.?!;:\n\"'()>-`我。", max_size=300))
def test_cutting_twice_gives_the_same(message: str) -> None:
    assert split(message) == split(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "I have decided to go to Guangzhou for the summer vacation, which chain hotels are available?",
            ["I have decided to go to Guangzhou for the summer vacation", "which chain hotels are available?"],
        ),
        (
            "I'm Nadia, a vet in Turin, and I can't stand phone calls.",
            ["I'm Nadia, a vet in Turin", "I can't stand phone calls."],
        ),
        ("I live in Porto and prefer trains to planes.", ["I live in Porto and prefer trains to planes."]),
        ("Given that I'm coeliac, what can I order?", ["Given that I'm coeliac", "what can I order?"]),
        ("I'm vegan so what can I cook?", ["I'm vegan", "what can I cook?"]),
        ("Being left-handed, I smudge everything.", ["Being left-handed, I smudge everything."]),
        ("If I had a dog, I'd call him Plato.", ["If I had a dog, I'd call him Plato."]),
        ("My wife and I live in Ghent.", ["My wife and I live in Ghent."]),
        ("I like tea, coffee, and my own bread.", ["I like tea, coffee, and my own bread."]),
        (
            "Can you find a hotel near the station because I use a wheelchair?",
            ["Can you find a hotel near the station", "I use a wheelchair"],
        ),
        ("Plan a dinner (I'm vegan) for six", ["Plan a dinner", "I'm vegan", "for six"]),
        (
            "Dr. Smith walked 3.5 km, e.g. today. J. Okafor did not.",
            ["Dr. Smith walked 3.5 km, e.g. today.", "J. Okafor did not."],
        ),
        ("I wake at 4 a.m. I hate it.", ["I wake at 4 a.m.", "I hate it."]),
        ("i live in york. i like it", ["i live in york.", "i like it"]),
        ("- my dog is Rex\n2. I like tea\n* no sugar for me", ["my dog is Rex", "I like tea", "no sugar for me"]),
        ("我决定去广州，有哪些酒店？我妹妹在成都。", ["我决定去广州", "有哪些酒店？", "我妹妹在成都。"]),
        ("Vivo en Bilbao, ¿qué restaurantes hay?", ["Vivo en Bilbao", "¿qué restaurantes hay?"]),
        ('He said "I love gold. I hate it." and left.', ['He said "I love gold. I hate it." and left.']),
        ("Really?! Yes.", ["Really?!", "Yes."]),
    ],
)  # fmt: skip
def test_statements_part_from_what_they_are_joined_to(message: str, expected: list[str]) -> None:
    assert texts(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "[10:01] Zed: I only wear wool hats\n[10:02] Ann: I live in Leeds",
        "[12/05/2024, 10:01:22] Zed: I only wear wool hats\n[12/05/2024, 10:02:00] Ann Lee: I live in Leeds",
        "12/05/2024, 10:01 - Zed: I only wear wool hats\n12/05/2024, 10:02 - Ann: I live in Leeds",
        "10:01 pm - zed: I only wear wool hats\n10:02 pm - ann: I live in Leeds",
    ],
)
def test_a_chat_copied_with_its_times_is_not_the_users_own(message: str) -> None:
    assert split(message) == []


def test_the_users_own_timetable_stays() -> None:
    assert len(split("My day: I get up at 6:30.\n7:15 I walk the dog.\n8:00 I start work at the bakery.")) >= 2


@pytest.mark.parametrize(
    "message",
    [
        "```\nI = 3  # I hate tabs\n```",
        "~~~\nI love you\n~~~",
        "> I never eat meat",
        "def f(x): return x",
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\nValueError: I am broken',
        "2026-01-02 10:00:00 INFO I am a log",
        "https://example.com/i-love-cats",
        "| I | love | tables |",
        '"I have always hated rain."',
        "From: Ann\nSubject: cats\n\nI love cats.",
        "Ann: I hate you\nBob: why\nAnn: I love him",
        "Transcript: I am a mother of three. I love my job.",
        "Let's role-play.\nI am a king and I hate dragons.",
        '{"name": "I", "likes": ["tea", "rum"]}',
    ],
)
def test_what_is_not_the_users_own_is_left_out(message: str) -> None:
    assert texts(message) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Translate to German: I have a red car. I love it.", ["Translate to German:"]),
        ("Here is the text:\n\nI was born in a tower.\n\nI hate it.", ["Here is the text:"]),
        ("Summarise this.\n\n" + "I was born in a tower and hated it. " * 20, ["Summarise this."]),
        ("I'm a nurse.\n```\nI = 1\n```\nI work nights.", ["I'm a nurse.", "I work nights."]),
        ("Age: 34\nDiet: vegan", ["Age: 34", "Diet: vegan"]),
    ],
)
def test_a_request_stays_when_its_document_goes(message: str, expected: list[str]) -> None:
    assert texts(message) == expected


@pytest.mark.parametrize(
    "unit",
    [
        ".", " ", "\n", "I, ", '"a b c d ', "(I ", " and", ": ", "「我", "a. b, ", "```\n", "1. ", "from: x\n",
        "Aa ", "[a", ">", "- ", "I am a cat and I like fish. ", "I am a cat\n", "“", "a", "…", "-", "my a ", "\t",
    ],
)  # fmt: skip
def test_a_megabyte_takes_seconds_not_minutes(unit: str) -> None:
    message = unit * (1_000_000 // len(unit))
    began = time.process_time()
    clauses = split(message)
    assert time.process_time() - began < 10
    assert len(clauses) <= MAX_CLAUSES


def test_of_a_very_long_message_the_start_and_the_end_are_read() -> None:
    message = "I live in Ghent. " + "The sky is grey. " * 20_000 + "I keep bees."
    found = texts(message)
    assert len(found) == MAX_CLAUSES
    assert found[0] == "I live in Ghent."
    assert found[-1] == "I keep bees."


@pytest.mark.parametrize(
    ("said", "clauses"),
    [
        (
            "Write a note, three lines, and since I only joined the choir in May, keep it modest.",
            ["Write a note, three lines", "since I only joined the choir in May", "keep it modest."],
        ),
        (
            "put the vegetables first and my youngest can't have dairy so check the labels",
            ["put the vegetables first", "my youngest can't have dairy", "check the labels"],
        ),
        ("Somewhere flat because my partner walks with a frame", ["Somewhere flat", "my partner walks with a frame"]),
        ("I'm short of time so don't bother with notes", ["I'm short of time", "don't bother with notes"]),
        ("I run because my knee allows it", ["I run because my knee allows it"]),
        ("Every time you quote a price, put it in euros.", ["Every time you quote a price, put it in euros."]),
        ("If you show me code, use tabs", ["If you show me code, use tabs"]),
        ("Since I live alone, I cook for one.", ["Since I live alone, I cook for one."]),
        ("I work nights so I sleep till noon", ["I work nights so I sleep till noon"]),
        (
            "harp most evenings (I have played since I was nine), the wall on Fridays",
            ["harp most evenings", "I have played since I was nine", "the wall on Fridays"],
        ),
        ("Galaxy S21, and the van's a 2012 Berlingo.", ["Galaxy S21", "the van's a 2012 Berlingo."]),
        (
            "It's me and my son Ivo, he's 9 and diabetic, and I'm vegan.",
            ["It's me and my son Ivo", "he's 9 and diabetic", "I'm vegan."],
        ),
        (
            "rowing on the canal every Monday, Ivo's swimming on Fridays at 5.",
            ["rowing on the canal every Monday", "Ivo's swimming on Fridays at 5."],
        ),
        (
            "is that safe given I've only got one kidney?",
            ["is that safe", "I've only got one kidney"],
        ),
        ("When it rains, the roof leaks.", ["When it rains, the roof leaks."]),
        ("I like the soup, the bread and the cheese.", ["I like the soup, the bread and the cheese."]),
        ("Gyms on Tuesdays, on Thursdays and at 9 on Sundays", ["Gyms on Tuesdays, on Thursdays and at 9 on Sundays"]),
    ],
)
def test_a_statement_is_cut_out_of_the_request_around_it(said: str, clauses: list[str]) -> None:
    assert [clause.text for clause in split(said)] == clauses
