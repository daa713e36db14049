"""Every route, everything mounted and more than 50 paths that do not exist, asked in every wrong way: nobody gets in.

`scripts/campaign guard` does the same many times over.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api import guard_table
from api.guard_table import Prepared, Target
from api.running import running

LAST = {"DELETE": 2, "POST": 1, "PATCH": 1}
"""Control requests that take something away come after those that need it."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Prepared]:
    with running(tmp_path_factory.mktemp("table") / "data", models=no_models) as daemon:
        yield Prepared(daemon)


@pytest.fixture(scope="module")
def http(prepared: Prepared) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=prepared.daemon.url, timeout=30, trust_env=False) as http:
        yield http


def test_nobody_gets_in_and_nothing_changes(prepared: Prepared, http: httpx.Client) -> None:
    daemon, targets = prepared.daemon, prepared.targets()
    assert len({target.path for target in targets if target.kind == "nowhere"}) > 50
    before = guard_table.dump(daemon.data)
    tried = {
        (attack.name, target.label): result
        for attack in guard_table.attacks(prepared, random.Random(1))
        for target in targets
        if (result := guard_table.attempt(http, prepared, attack, target))
    }
    assert {key: result.status for key, result in tried.items() if result.verdict == "let in"} == {}
    assert guard_table.changed(before, guard_table.dump(daemon.data)) == []
    assert prepared.collect().status_code == 202
    for attack, verdicts in guard_table.counted(tried).items():
        assert verdicts["refused"] >= 20, attack


def test_a_change_would_be_noticed(prepared: Prepared) -> None:
    daemon = prepared.daemon
    before = guard_table.dump(daemon.data)
    daemon.ok("POST", "/v1/memories", {"text": "Planted.", "profile": "noticed"})
    assert "memory" in guard_table.changed(before, guard_table.dump(daemon.data))


def test_the_same_requests_succeed_with_the_right_token(prepared: Prepared, http: httpx.Client) -> None:
    """Else they would be refused for what they are, and the table would say nothing. This takes the store apart."""
    calls = [target for target in prepared.targets() if target.kind == "route"]
    failed = {}
    for target in sorted(calls, key=lambda target: (LAST.get(target.method, 0), target.path)):
        status = guard_table.ask(http, target, prepared.right(target))[0]
        if not 200 <= status < 300 and not expected(target, status):
            failed[target.label] = status
    assert failed == {}


def expected(target: Target, status: int) -> bool:
    """What a valid request may be told when the daemon is in another state than it needs."""
    gone = target.path.startswith("/v1/conversations/") or target.path.startswith("/v1/memories/")
    return (
        (target.path == "/v1/rederive/apply" and status == 409)
        or (target.label == "POST /v1/dashboard/sessions" and status == 410)  # a link that nobody made
        or (target.path.startswith("/v1/decisions/") and status == 409)  # there is nothing to decide of it
        or (target.label == "DELETE /v1/pair" and status == 403)  # the command line's own token
        or (gone and target.method == "DELETE" and status == 404)  # forgotten with what it was drawn from
    )
