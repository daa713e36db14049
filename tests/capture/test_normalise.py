"""What goes in comes out letter for letter, and is recognised when it comes again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from satchel import marker
from satchel.capture.normalise import (
    MAX_ID,
    MAX_MESSAGES,
    MAX_NAME,
    MAX_TITLE,
    MAX_URL,
    Captured,
    CapturedMessage,
    check_name,
    clean,
    hash_of,
    normalise,
    title_of,
    url_of,
)
from satchel.store import Store, log
from satchel.types import BadInputError

ROLES = ("user", "assistant", "system", "tool")
ODD = [
    "a\0b",
    "\0",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "שלום \u202eabc\u202c",
    "e\u0301 é ﬁ Å",
    "line\r\nline\rline\n",
    " \t leading and trailing \n\n",
    "\ufeffbom",
    "\U0010ffff",
    "x" * 1_000_000,
    "好" * 400_000,
]
any_text = st.text(min_size=1, max_size=200) | st.sampled_from(ODD)


def plain(text: str) -> bool:
    return clean(text) == (text, 0)


def captured(*messages: CapturedMessage, **other: object) -> Captured:
    return Captured(**{"site": "s", "external_id": "c", "messages": messages, **other})


def message(content: str = "hello", role: str = "user", **other: object) -> CapturedMessage:
    return CapturedMessage(role=role, content=content, **other)


def keys(*messages: CapturedMessage) -> list[str]:
    return [m.key for m in normalise(captured(*messages))]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(contents=st.lists(any_text.filter(plain), min_size=1, max_size=6))
@example(contents=ODD)
def test_what_goes_in_comes_out_byte_for_byte(tmp_path: Path, contents: list[str]) -> None:
    store = Store(tmp_path / "d")
    incoming = normalise(captured(*(message(c) for c in contents)))
    place = f"c{hash(tuple(contents))}"
    kept = store.write_now(
        lambda tx: log.record(tx, profile="me", site="s", external_id=place, title=None, url=None, messages=incoming)
    )
    found = store.read_now(lambda db: log.messages_of(db, kept.conversation_id))
    assert [m.content.encode() for m in found] == [c.encode() for c in contents]
    store.close()


@given(any_text.filter(plain), st.sampled_from(ROLES))
@settings(deadline=None)
def test_cleaning_leaves_ordinary_text_the_very_same(content: str, role: str) -> None:
    (incoming,) = normalise(captured(message(content, role)))
    assert (incoming.content, incoming.role, incoming.masked) == (content, role, 0)


def test_our_own_block_is_taken_out_and_secrets_are_masked() -> None:
    key = "AKIA" + "Q7ZVZM2LQ4TNXKLB"
    block = marker.wrap("the user keeps bees")
    (incoming,) = normalise(captured(message(f"{block}\n\nMy key is {key}, why?")))
    assert incoming.content == "My key is [AWS Access Key masked by Satchel], why?"
    assert incoming.masked == 1


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(["yes", "no", "yes\n"])), min_size=1, max_size=12))
def test_messages_without_ids_have_different_keys_and_the_same_when_sent_again(sent: list[tuple[str, str]]) -> None:
    messages = [message(content, role) for role, content in sent]
    found = keys(*messages)
    assert len(set(found)) == len(found)
    assert keys(*messages) == found
    # More of the same conversation changes nothing about what stood before it.
    assert keys(*messages, message("and then"))[: len(found)] == found


def test_who_said_it_and_which_time_it_was_said_tell_messages_apart() -> None:
    assert len(set(keys(message("yes"), message("yes", "assistant"), message("yes"), message("yes ")))) == 4
    assert keys(message("a"), message("b"))[::-1] == keys(message("b"), message("a"))


def test_a_message_with_an_id_keeps_its_key_whatever_it_says() -> None:
    assert keys(message("a", id="m1")) == keys(message("b", "assistant", id="m1")) == ["id:m1"]
    assert keys(message("x", id="words:1")) != keys(message("x"))


@given(st.sampled_from(ROLES), any_text, st.sampled_from(ROLES), any_text)
def test_hashes_are_equal_exactly_for_the_same_words_of_the_same_speaker(r1: str, t1: str, r2: str, t2: str) -> None:
    assert (hash_of(r1, t1) == hash_of(r2, t2)) == ((r1, t1) == (r2, t2))
    assert len(hash_of(r1, t1)) == 32


@pytest.mark.parametrize(
    ("sent_at", "ms"),
    [
        ("2026-03-01T10:00:00Z", 1772359200000),
        ("2026-03-01T10:00:00", 1772359200000),
        ("2026-03-01T12:00:00+02:00", 1772359200000),
        ("9999-12-31T23:59:59Z", 253402300799000),
        ("0001-01-01T00:00:00Z", -62135596800000),
        ("2026-03-01", 1772323200000),
    ],
)
def test_times_are_read(sent_at: str, ms: int) -> None:
    assert normalise(captured(message(sent_at=sent_at)))[0].sent_at == ms


BAD_TIMES = ["", "yesterday", "10000-01-01T00:00:00Z", "2026-13-01", "1772359200", "9999-12-31T23:59:59-05:00",
             "0001-01-01T00:00:00+05:00", "2026-03-01T10:00:00Zzzz", "\0", "２０２６-03-01T10:00:00"]  # fmt: skip


@pytest.mark.parametrize("sent_at", BAD_TIMES)
def test_a_time_that_is_none_is_refused_by_the_name_of_its_field(sent_at: str) -> None:
    with pytest.raises(BadInputError, match=r"`messages\[1\]\.sent_at`"):
        normalise(captured(message(), message(sent_at=sent_at)))


BAD = {
    "external_id too long": (
        r"`external_id` is 10,240 characters long; the limit is 512",
        {"external_id": "x" * 10_240},
    ),
    "external_id empty": ("`external_id` is empty", {"external_id": " "}),
    "external_id control": ("`external_id` holds control", {"external_id": "a\0b"}),
    "external_id surrogate": ("`external_id` holds a lone surrogate", {"external_id": "a\ud800"}),
    "site too long": ("`site` is 101 characters long", {"site": "x" * (MAX_NAME + 1)}),
    "site newline": ("`site` holds control", {"site": "a\nb"}),
    "profile empty": ("`profile` is empty", {"profile": ""}),
    "profile too long": ("`profile` is 101", {"profile": "x" * (MAX_NAME + 1)}),
    "no messages": ("`messages` is empty", {"messages": ()}),
    "too many messages": ("send them in parts", {"messages": (message(),) * (MAX_MESSAGES + 1)}),
    "empty content": (r"`messages\[1\]\.content` is empty", {"messages": (message(), message(""))}),
    "surrogate in content": (
        r"`messages\[0\]\.content` holds a lone surrogate at character 2",
        {"messages": (message("ab\udc00"),)},
    ),
    "id too long": (r"`messages\[0\]\.id` is 513", {"messages": (message(id="x" * (MAX_ID + 1)),)}),
    "id empty": (r"`messages\[0\]\.id` is empty", {"messages": (message(id=""),)}),
    "id control": (r"`messages\[0\]\.id` holds control", {"messages": (message(id="a\x7f"),)}),
}


@pytest.mark.parametrize(("sentence", "fields"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_by_the_name_of_its_field(sentence: str, fields: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match=sentence):
        normalise(captured(**{"messages": (message(),), **fields}))  # type: ignore[arg-type]


def test_what_is_at_the_limits_is_accepted() -> None:
    full = captured(
        *(message(id="x" * MAX_ID) for _ in range(MAX_MESSAGES)),
        external_id="é" * MAX_ID, site="s" * MAX_NAME, profile="p" * MAX_NAME,
    )  # fmt: skip
    assert len(normalise(full)) == MAX_MESSAGES


@given(st.text(alphabet=st.characters()) | st.sampled_from(["a\ud800b", "x" * 9_000, "\0", ""]))
def test_titles_and_addresses_are_always_storable(text: str) -> None:
    title, url = title_of(captured(title=text)), url_of(captured(url=text))
    assert title is None or (title and "\0" not in title and title.encode())
    assert url is None or (url.encode() and len(url) <= MAX_URL)
    assert title is None or len(title) <= MAX_TITLE


def test_a_secret_or_our_own_block_in_a_title_or_address_is_not_kept() -> None:
    key = "ghp_" + "a1B2" * 9
    assert title_of(captured(title=f"Help with {key}")) == "Help with [GitHub Token masked by Satchel]"
    for before in range(MAX_TITLE - 60, MAX_TITLE + 1):
        cut = title_of(captured(title="x" * before + " " + key))
        assert cut is not None
        assert len(cut) <= MAX_TITLE
        assert "ghp_" not in cut, "a secret at the cut is masked before it is cut"
    assert title_of(captured(title=f"{marker.BEGIN} the user keeps bees")) is None
    assert key not in str(url_of(captured(url=f"https://x.test/?token={key}")))


def test_titles_and_addresses_hold_no_secret_either() -> None:
    mask = "[password masked by Satchel]"
    told = captured(
        message("hello"), title="My wifi password is hunter2", url="https://example.org/?user=bob&password=hunter2&x=1"
    )
    assert title_of(told) == f"My wifi password is {mask}"
    assert url_of(told) == f"https://example.org/?user=bob&password={mask}&x=1"


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\u00ad", "\ufe0f", "\U000e0041", "\u3164"])
def test_a_secret_cut_by_what_nobody_sees_is_masked(hidden: str) -> None:
    key = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    masked, count = clean(f"Keep {key[:20]}{hidden}{key[20:]}, 👩‍👧.")
    assert count == 1
    assert key[20:] not in masked
    assert clean(f"Nothing{hidden} hides here, 👩‍👧.") == (f"Nothing{hidden} hides here, 👩‍👧.", 0)


@pytest.mark.parametrize(
    "name",
    ["me\u200b", "me\u200d", "me\ufe0f", "\u202eem", "me\u3164", "me\U000e0061", "me\x9b", "m\u2028e", "\ufeffme"],
)
def test_a_name_of_which_something_cannot_be_seen_is_refused(name: str) -> None:
    with pytest.raises(BadInputError, match="`profile` holds"):
        check_name("profile", name)


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "کتاب‌ها", "क्‍ष", "👩‍👧 home", "❤️", "私", "a b"])
def test_names_of_every_language_are_taken(name: str) -> None:
    assert check_name("profile", name) == name


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a.example/\nx", "https://a@b.example/",
            "https://a.example\\@b.example/", "//a.example", "https://"]
)  # fmt: skip
def test_only_addresses_of_the_web_are_kept(url: str) -> None:
    assert url_of(captured(url=url)) is None


@pytest.mark.parametrize("url", ["https://a.example/@b?c=d@e#f", "http://127.0.0.1:8765", "HTTPS://a.example/ä"])
def test_addresses_of_the_web_are_kept_as_they_are(url: str) -> None:
    assert url_of(captured(url=url)) == url


def test_a_title_is_one_line() -> None:
    assert title_of(captured(title="About\nhats \x1b]0;x\x07\x9b\u2028now ")) == "About hats ]0;x now"
