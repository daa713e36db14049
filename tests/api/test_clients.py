"""Who may ask is listed, renamed, narrowed and revoked; nobody becomes wider or reaches beyond its profiles."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.running import Running, assert_problem, eventually
from api.test_contract_capture import Listener
from api.test_pairing import EXTENSION, Asking
from satchel.store import Store, clients
from satchel.store.clients import Client, WideningError
from satchel.types import SCOPES

FIELDS = {"id", "name", "kind", "asks", "scopes", "profiles", "origin", "created_at", "last_used_at", "revoked_at"}


def listed(daemon: Running, token: str | None = None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = daemon.ok("GET", "/v1/clients", token=token)["items"]
    return items


class Made:
    """A client with its token and what is listed of it."""

    def __init__(self, daemon: Running, *arguments: str) -> None:
        self.daemon = daemon
        self.token = daemon.new_token(*arguments)
        self.id: str = listed(daemon)[-1]["id"]

    def now(self) -> dict[str, Any]:
        return next(one for one in listed(self.daemon) if one["id"] == self.id)

    def change(self, token: str | None = None, **body: Any) -> Any:
        return self.daemon.call("PATCH", f"/v1/clients/{self.id}", body, token=token)

    def revoke(self, token: str | None = None) -> Any:
        return self.daemon.call("DELETE", f"/v1/clients/{self.id}", token=token)

    def status(self) -> int:
        return self.daemon.call("GET", "/v1/status", token=self.token).status_code


def test_a_client_is_listed_with_what_it_may_and_without_its_token(wordy: Running) -> None:
    made = Made(wordy, "--scope", "recall", "--scope", "capture", "--profile", "work")
    one = made.now()
    assert set(one) == FIELDS
    assert (one["name"], one["scopes"], one["profiles"]) == ("test", ["recall", "capture"], ["work"])
    assert (one["kind"], one["asks"]) == ("program", False)
    assert [(own["kind"], own["name"]) for own in listed(wordy) if own["asks"]] == [("command line", "command line")]
    assert (one["origin"], one["last_used_at"], one["revoked_at"]) == (None, None, None)
    assert one["created_at"].endswith("Z")
    made.status()
    wordy.ok("POST", "/v1/memories", {"text": "x", "profile": "clients"})  # writes come in order: this is after it
    assert made.now()["last_used_at"].endswith("Z")
    everything = wordy.call("GET", "/v1/clients").text
    assert made.token not in everything
    assert clients.hash_token(made.token).hex() not in everything


def test_a_paired_extension_is_listed_with_its_origin(wordy: Running) -> None:
    one = Asking(wordy, "Satchel for Listing")
    one.decide(scopes=["capture"])
    one.collect()
    found = listed(wordy)[-1]
    assert (found["name"], found["origin"], found["scopes"]) == ("Satchel for Listing", EXTENSION, ["capture"])


def test_renaming_leaves_the_rest(wordy: Running) -> None:
    made = Made(wordy)
    before = made.now()
    assert made.change(name="Mein Editor").json() == before | {"name": "Mein Editor"}
    assert made.now()["name"] == "Mein Editor"
    assert made.status() == 200


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\u202eb", 7])
def test_a_name_that_cannot_be_read_is_refused(wordy: Running, name: Any) -> None:
    assert_problem(Made(wordy).change(name=name), 400, "name")


def test_what_is_narrowed_holds_at_once(wordy: Running) -> None:
    made = Made(wordy)
    assert made.change(scopes=["recall"], profiles=["work"]).is_success
    for path, body, status in (
        ("/v1/recall", {"query": "x", "profile": "work"}, 200),
        ("/v1/recall", {"query": "x", "profile": "me"}, 403),
        ("/v1/memories", {"text": "x", "profile": "work"}, 403),
    ):
        assert wordy.call("POST", path, body, token=made.token).status_code == status


@pytest.mark.parametrize(
    "wider", [{"scopes": ["recall", "manage"]}, {"profiles": ["me"]}, {"profiles": ["work", "me"]}], ids=str
)
def test_nobody_makes_a_client_wider_not_even_itself(wordy: Running, wider: dict[str, Any]) -> None:
    made = Made(wordy, "--scope", "recall", "--scope", "capture", "--profile", "work")
    before = made.now()
    assert_problem(made.change(**wider, name="wide"), 403, "can only lose")
    assert made.now() == before
    own = Made(wordy, "--scope", "manage", "--profile", "work")
    assert_problem(own.change(token=own.token, scopes=["manage", "capture"]), 403, "can only lose")
    assert_problem(own.change(token=own.token, profiles=["work", "me"]), 403, "can only lose")


@pytest.mark.parametrize("empty", [{"scopes": []}, {"profiles": []}, {"scopes": ["all"]}, {"extra": 1}], ids=str)
def test_nothing_is_no_scope(wordy: Running, empty: dict[str, Any]) -> None:
    assert_problem(Made(wordy).change(**empty), 400, next(iter(empty)))


def subsets(of: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return list(chain.from_iterable(combinations(of, n) for n in range(1, len(of) + 1)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = Store(Path(tmp_path_factory.mktemp("clients")))
    yield store
    store.close()


PROFILES = st.none() | st.sampled_from(subsets(("me", "work", "home")))
STEPS = st.lists(st.tuples(st.none() | st.sampled_from(subsets(SCOPES)), PROFILES), max_size=5)


@given(scopes=st.sampled_from(subsets(SCOPES)), profiles=PROFILES, steps=STEPS)
def test_no_order_of_narrowing_widens(store: Store, scopes: Any, profiles: Any, steps: Any) -> None:
    token = store.write_now(lambda tx: clients.issue(tx, name="x", scopes=scopes, profiles=profiles))
    for fewer, where in steps:
        before = store.read_now(lambda db: clients.by_token(db, token))
        assert before is not None
        fits = set(fewer or ()) <= set(before.scopes) and all(before.sees(p) for p in where or ())
        change = lambda tx: clients.narrow(tx, before.id, scopes=fewer, profiles=where)  # noqa: B023, E731
        if fits:
            store.write_now(change)
        else:
            with pytest.raises(WideningError):
                store.write_now(change)
        now = store.read_now(lambda db: clients.by_token(db, token))
        assert now is not None
        assert set(now.scopes) <= set(before.scopes)
        assert now.profiles == before.profiles or all(before.sees(p) for p in now.profiles or ())
        assert now == before or fits


@given(mine=PROFILES, others=PROFILES)
def test_who_oversees_a_client_sees_all_that_it_sees(mine: Any, others: Any) -> None:
    one, other = (
        Client(id=i, name=i, scopes=SCOPES, profiles=profiles, created_at=0)
        for i, profiles in (("a", mine), ("b", others))
    )
    assert one.oversees(one)
    if one.oversees(other):
        assert all(one.sees(profile) for profile in others or ("any", "other"))


def test_revoking_holds_at_once_for_open_streams_too(wordy: Running) -> None:
    made, other = Made(wordy), Made(wordy)
    listeners = Listener(wordy, made.token), Listener(wordy, other.token)
    assert made.revoke().json() == {"success": True}
    assert made.status() == 401
    assert listeners[0].ended.wait(5)
    done = wordy.capture("Afterwards.", profile="clients")
    eventually(lambda: done["job_id"] in listeners[1].raw, what="the event for the other")
    assert done["job_id"] not in listeners[0].raw
    assert made.now()["revoked_at"].endswith("Z")
    first = made.now()["revoked_at"]
    assert made.revoke().is_success
    assert made.now()["revoked_at"] == first
    assert other.revoke().is_success


def test_a_stream_does_not_outlive_the_rights_it_was_opened_with(wordy: Running) -> None:
    made = Made(wordy, "--profile", "clients-a", "--profile", "clients-b")
    listener = Listener(wordy, made.token)
    assert made.change(name="still the same").is_success
    assert made.change(profiles=["clients-b"]).is_success
    done = wordy.capture("Not for it.", profile="clients-a")
    assert listener.ended.wait(5)
    assert done["job_id"] not in listener.raw


def test_the_command_lines_own_token_cannot_be_touched(wordy: Running) -> None:
    own = next(one for one in listed(wordy) if one["name"] == "command line")
    for method, body in (("PATCH", {"scopes": ["recall"]}), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert_problem(wordy.call(method, f"/v1/clients/{own['id']}", body), 403, "command line")
    assert next(one for one in listed(wordy) if one["id"] == own["id"])["name"] == "command line"


def test_a_client_of_one_profile_knows_of_those_alone_that_have_no_other(wordy: Running) -> None:
    limited = Made(wordy, "--scope", "manage", "--profile", "work")
    within, across, everywhere = Made(wordy, "--profile", "work"), Made(wordy, "--profile", "me"), Made(wordy)
    both = Made(wordy, "--profile", "me", "--profile", "work")
    seen = {one["id"] for one in listed(wordy, limited.token)}
    assert {limited.id, within.id} <= seen
    assert not {across.id, everywhere.id, both.id} & seen
    unknown = assert_problem(wordy.call("DELETE", "/v1/clients/nothing", token=limited.token), 404)
    for beyond in (across, everywhere, both):
        assert assert_problem(beyond.revoke(token=limited.token), 404) == unknown
        assert assert_problem(beyond.change(token=limited.token, name="x"), 404) == unknown
        assert beyond.status() == 200
    assert within.change(token=limited.token, scopes=["recall"]).is_success
    assert within.revoke(token=limited.token).is_success
    assert limited.revoke(token=limited.token).is_success
    assert limited.status() == 401


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "none"}, {"Origin": "http://127.0.0.1:{port}"}, {"Origin": EXTENSION}], ids=str
)
def test_nothing_in_a_browser_manages_clients(wordy: Running, headers: dict[str, str]) -> None:
    sent = {name: value.format(port=wordy.port) for name, value in headers.items()}
    token = wordy.new_token("--origin", EXTENSION) if EXTENSION in sent.values() else None
    made = Made(wordy)
    before = made.now()
    for method, path, body in (
        ("GET", "/v1/clients", None),
        ("PATCH", f"/v1/clients/{made.id}", {"name": "x"}),
        ("DELETE", f"/v1/clients/{made.id}", None),
    ):
        assert_problem(wordy.call(method, path, body, token=token, headers=sent), 403, "satchel clients")
    assert made.now() == before


def test_managing_clients_needs_the_scope_manage(wordy: Running) -> None:
    other = Made(wordy, "--scope", "capture", "--scope", "recall")
    for method, path, body in (
        ("GET", "/v1/clients", None),
        ("PATCH", f"/v1/clients/{other.id}", {"name": "x"}),
        ("DELETE", f"/v1/clients/{other.id}", None),
    ):
        assert_problem(wordy.call(method, path, body, token=other.token), 403, "manage")
