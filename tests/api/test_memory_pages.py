"""What the page of memories asks for: narrowed lists, where a memory was inserted, and two tabs that edit it."""

from __future__ import annotations

from typing import Any

import pytest

from api.running import Running, assert_problem


def remember(daemon: Running, profile: str, text: str, **more: Any) -> dict[str, Any]:
    return daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile} | more)  # type: ignore[no-any-return]


def listed(daemon: Running, profile: str, **query: Any) -> list[str]:
    page = daemon.ok("GET", "/v1/memories", params={"profile": profile, **query})
    return [item["text"] for item in page["items"]]


def test_they_are_narrowed_by_when_they_hold_from(wordy: Running, profile: str) -> None:
    for year in (2023, 2024, 2025):
        remember(wordy, profile, f"{year}.", valid_from=f"{year}-01-01")
    assert listed(wordy, profile, since="2024-01-01") == ["2025.", "2024."]
    assert listed(wordy, profile, until="2024-01-01T00:00:00Z") == ["2023."]
    assert listed(wordy, profile, since="2024-01-01", until="2025-01-01") == ["2024."]
    assert listed(wordy, profile, order="oldest") == ["2023.", "2024.", "2025."]


def test_they_are_narrowed_by_pin_and_by_who_said_it(wordy: Running, profile: str) -> None:
    remember(wordy, profile, "Pinned.", pinned=True)
    remember(wordy, profile, "Loose.")
    assert listed(wordy, profile, pinned="true") == ["Pinned."]
    assert listed(wordy, profile, pinned="false") == ["Loose."]
    assert listed(wordy, profile, said_by="user") == ["Pinned.", "Loose."]
    assert listed(wordy, profile, said_by="assistant") == []


def test_they_are_narrowed_by_the_site_they_were_said_on(daemon: Running, profile: str) -> None:
    said = {"one.test": "My sister Ana lives in Porto.", "two.test": "My daughter Mia is allergic to peanuts."}
    for site, text in said.items():
        daemon.finished(daemon.capture(text, profile=profile, site=site)["job_id"])
    remember(daemon, profile, "By hand.")
    assert len(listed(daemon, profile)) == 3
    assert ["peanuts" in text for text in listed(daemon, profile, site="two.test")] == [True]


@pytest.mark.parametrize(
    ("name", "value"), [("since", "yesterday"), ("until", "x"), ("order", "random"), ("pinned", "y!"), ("said_by", "x")]
)
def test_what_cannot_be_read_is_refused_by_name(wordy: Running, profile: str, name: str, value: str) -> None:
    answer = wordy.call("GET", "/v1/memories", params={"profile": profile, name: value})
    assert_problem(answer, 400, name)


def test_a_memory_tells_where_it_was_really_inserted_newest_first(wordy: Running, profile: str) -> None:
    memory = remember(wordy, profile, "The bicycle of Ottilie is called Rocket.", pinned=True)
    done = wordy.capture("Hello.", profile=profile, site="one.test", external_id="chat", title="Bicycles")

    def offered(**where: str) -> str:
        asks = {"query": "What is Ottilie's bicycle Rocket called?", "profile": profile} | where
        answer = wordy.ok("POST", "/v1/context", asks)
        assert memory["id"] in [hit["id"] for hit in answer["hits"]]
        return str(answer["injection_id"])

    offered(site="one.test")  # not inserted
    first = offered(site="one.test")
    wordy.ok("POST", f"/v1/injections/{first}", {"inserted": [memory["id"]], "external_id": "chat"})
    second = offered(site="two.test", external_id="elsewhere")
    wordy.ok("POST", f"/v1/injections/{second}", {"inserted": [memory["id"]]})
    inserted = wordy.ok("GET", f"/v1/memories/{memory['id']}")["inserted"]
    assert [(one["site"], one["external_id"], one["conversation_id"], one["title"]) for one in inserted] == [
        ("two.test", "elsewhere", None, None),
        ("one.test", "chat", done["conversation_id"], "Bicycles"),
    ]
    assert all(one["at"].endswith("Z") for one in inserted)


def test_of_two_tabs_that_edit_the_same_memory_the_later_is_told(wordy: Running, profile: str) -> None:
    seen = remember(wordy, profile, "As both tabs see it.")
    path = f"/v1/memories/{seen['id']}"
    first = wordy.ok("PATCH", path, {"text": "By the first tab.", "if_updated_at": seen["updated_at"]})
    late = {"text": "By the second tab.", "pinned": True, "if_updated_at": seen["updated_at"]}
    assert_problem(wordy.call("PATCH", path, late), 409, "It was changed meanwhile")
    after = wordy.ok("GET", path)
    assert (after["text"], after["pinned"], len(after["history"])) == ("By the first tab.", False, 1)
    assert wordy.ok("PATCH", path, late | {"if_updated_at": first["updated_at"]})["text"] == "By the second tab."
    assert_problem(wordy.call("PATCH", path, {"pinned": False, "if_updated_at": "lately"}), 400, "if_updated_at")
