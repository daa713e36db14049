"""What the page of conversations asks for: narrowed, by day, and what rests on each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.running import Running, assert_problem
from satchel.times import parse_iso


def listed(daemon: Running, profile: str, **query: Any) -> list[dict[str, Any]]:
    page = daemon.ok("GET", "/v1/conversations", params={"profile": profile, **query})
    assert page["total"] == len(page["items"])
    return page["items"]  # type: ignore[no-any-return]


def titles(daemon: Running, profile: str, **query: Any) -> list[str]:
    return [str(one["title"]) for one in listed(daemon, profile, **query)]


def test_words_of_the_title_find_it_and_signs_are_only_signs(wordy: Running, profile: str) -> None:
    for title in ("A trip to Lisbon", "Trip planning", "100% cotton", "snake_case", "back\\slash"):
        wordy.capture("Hi.", profile=profile, external_id=title, title=title)
    assert set(titles(wordy, profile, q="trip")) == {"A trip to Lisbon", "Trip planning"}
    assert titles(wordy, profile, q="LISBON trip") == ["A trip to Lisbon"]
    assert titles(wordy, profile, q="%") == ["100% cotton"]
    assert titles(wordy, profile, q="_") == ["snake_case"]
    assert titles(wordy, profile, q="\\") == ["back\\slash"]
    assert titles(wordy, profile, q="porto") == []
    assert len(titles(wordy, profile, q=" ")) == 5


def test_they_are_narrowed_by_when_something_last_came_of_them(wordy: Running, profile: str) -> None:
    for number in range(3):
        wordy.capture("Hi.", profile=profile, external_id=str(number), title=str(number))
    latest, middle, first = listed(wordy, profile)
    if first["updated_at"] < middle["updated_at"] < latest["updated_at"]:
        assert titles(wordy, profile, since=middle["updated_at"]) == ["2", "1"]
        assert titles(wordy, profile, until=middle["updated_at"]) == ["0"]
    assert titles(wordy, profile, since="2099-01-01") == []
    assert titles(wordy, profile, until="2001-01-01") == []
    assert_problem(wordy.call("GET", "/v1/conversations", params={"since": "lately"}), 400, "since")


def test_days_are_those_of_this_machine(wordy: Running, profile: str) -> None:
    for number, site in enumerate(("one.test", "one.test", "two.test")):
        wordy.capture("Hi.", profile=profile, external_id=str(number), site=site)
    days = wordy.ok("GET", "/v1/conversations/days", params={"profile": profile})["days"]
    expected: dict[str, int] = {}
    for one in listed(wordy, profile):
        local = datetime.fromtimestamp(parse_iso(one["updated_at"]) / 1000).astimezone()
        expected[f"{local:%Y-%m-%d}"] = expected.get(f"{local:%Y-%m-%d}", 0) + 1
    assert days == [{"day": day, "conversations": expected[day]} for day in sorted(expected, reverse=True)]
    of_one = wordy.ok("GET", "/v1/conversations/days", params={"profile": profile, "site": "two.test"})["days"]
    assert sum(day["conversations"] for day in of_one) == 1
    other = wordy.new_token("--profile", "elsewhere")
    assert_problem(wordy.call("GET", "/v1/conversations/days", params={"profile": profile}, token=other), 403)


def test_what_rests_on_a_conversation_comes_in_its_order_whatever_became_of_it(daemon: Running, profile: str) -> None:
    said = ("My daughter Mia is allergic to peanuts.", "Thanks!", "I live in Turin.", "My dog is called Biscuit.")
    done = daemon.capture(*said, profile=profile, external_id="a")
    daemon.finished(done["job_id"])
    other = daemon.capture("I moved to Rome.", profile=profile, external_id="b")
    daemon.finished(other["job_id"])
    path = f"/v1/conversations/{done['conversation_id']}/memories"
    items = daemon.ok("GET", path)["items"]
    turns = [message["id"] for message in daemon.log(done["conversation_id"])]
    places = [(turns.index(one["sources"][0]["message_id"]), one["sources"][0]["start"]) for one in items]
    assert places == sorted(places)
    assert [word in item["text"] for word, item in zip(("peanuts", "Turin", "Biscuit"), items, strict=True)] == [
        True
    ] * 3
    assert [item["status"] for item in items] == ["active", "superseded", "active"]
    counted = {one["external_id"]: one["memories"] for one in listed(daemon, profile)}
    assert counted == {"a": 3, "b": 1}
    hidden = daemon.call("GET", path, token=daemon.new_token("--profile", "elsewhere"))
    assert_problem(hidden, 404)
    assert_problem(daemon.call("GET", "/v1/conversations/nothing/memories"), 404, "nothing")
