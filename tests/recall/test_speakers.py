"""Whose words a question asks for, told by its pronouns and by how the two of a talk address one another."""

from pathlib import Path

import pytest

from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.recall.speakers import Speaker, asked_for
from satchel.store import Store, log

TALK = (
    ("user", "Hey Marek! I adopted a dog last week."),
    ("assistant", "Wow, Priya! What is it called?"),
    ("user", "Biscuit. Thanks for asking, Marek."),
    ("assistant", "Lovely. Priya, does Tomasz like it?"),
    ("user", "He does. Tomasz wants to walk it every day. Bye, Marek!"),
    ("assistant", "Good night, Priya."),
)


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def told(store: Store, question: str, *, profile: str = "me") -> Speaker | None:
    messages = tuple(CapturedMessage(role=role, content=text, id=str(n)) for n, (role, text) in enumerate(TALK))
    captured = Captured(site="chatgpt", external_id="talk", profile="me", messages=messages)

    def ask(tx) -> Speaker | None:
        log.record(
            tx,
            profile="me",
            site="chatgpt",
            external_id="talk",
            title=None,
            url=None,
            messages=normalise(captured),
        )
        owner = log.ensure_profile(tx, profile)
        return asked_for(tx.db, owner, question)

    return store.submit(ask).result()


@pytest.mark.parametrize(
    ("question", "speaker"),
    [
        ("What did I adopt?", "user"),
        ("What did Priya adopt?", "user"),
        ("What does Marek ask about?", "assistant"),
        ("What is the name of Priya's dog?", "user"),
        ("What does Tomasz want to do every day?", None),
        ("When did Priya and Marek talk?", None),
        ("What is the dog called?", None),
        ('What about "Priya" OR (Marek*', None),
    ],
)
def test_a_name_means_whom_the_other_calls_by_it(store: Store, question: str, speaker: Speaker | None) -> None:
    assert told(store, question) == speaker


def test_what_was_suggested_is_the_assistant_s(store: Store) -> None:
    assert told(store, "Which hotel did you suggest to me?") == "assistant"


def test_another_profile_s_talks_tell_nothing(store: Store) -> None:
    assert told(store, "What did Priya adopt?", profile="work") is None
