"""Tokens made before origins were kept: they go on working, for the first alone that shows whose they are."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, assert_problem, command, running
from satchel.store import database
from satchel.store.clients import hash_token
from satchel.store.store import FILE_NAME, prepare_folder

MINE, OTHER = "chrome-extension://" + "a" * 32, "moz-extension://0b2c"
WRITE = {"text": "Written.", "profile": "before"}
COMMAND_LINE = secrets.token_urlsafe(32)
BEFORE_ORIGINS = 4
"""The last schema that kept none."""


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    """A daemon on a store of before, with a token for each test and the command line's."""
    data = tmp_path_factory.mktemp("before") / "data"
    prepare_folder(data)
    steps = database.migrations()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrations", lambda: steps[:BEFORE_ORIGINS])
        db = database.connect(data / FILE_NAME)
        database.migrate(db, data / FILE_NAME)
    for number, token in enumerate([COMMAND_LINE, "extension", "program", "reader", "two"]):
        db.execute(
            "INSERT INTO client (id, name, token_hash, scopes, created_at)"
            """ VALUES (?, ?, ?, '["capture","recall","manage"]', 0)""",
            (str(number), token[:10], hash_token(token)),
        )
    db.close()
    (data / "command-line.token").write_text(COMMAND_LINE + "\n")
    with running(data, models=no_models) as daemon:
        yield daemon


def write(daemon: Running, token: str, origin: str | None = None, **headers: str) -> int:
    headers |= {"Origin": origin} if origin else {}
    return daemon.call("POST", "/v1/memories", WRITE, token=token, headers=headers).status_code


def test_an_extension_goes_on_and_its_token_is_its_own_from_then_on(updated: Running) -> None:
    answer = updated.call("POST", "/v1/memories", WRITE, token="extension", headers={"Origin": MINE})
    assert answer.status_code == 201
    assert write(updated, "extension", OTHER) == write(updated, "extension") == 403
    assert write(updated, "extension", MINE) == 201
    assert updated.call("GET", "/v1/status", token="extension").status_code == 200
    assert next(c for c in updated.ok("GET", "/v1/clients")["items"] if c["id"] == "1")["origin"] == MINE


def test_a_program_goes_on_and_no_extension_gets_its_token(updated: Running) -> None:
    assert write(updated, "program") == 201
    answer = updated.call("POST", "/v1/memories", WRITE, token="program", headers={"Origin": MINE})
    assert assert_problem(answer, 403, "pair this extension")["title"] == "Another's token"


def test_what_shows_no_owner_settles_nothing(updated: Running) -> None:
    own_page = f"http://127.0.0.1:{updated.port}"
    assert updated.call("GET", "/v1/status", token="reader").status_code == 200
    assert write(updated, "reader", own_page) == 201
    write(updated, "reader", **{"Sec-Fetch-Site": "none"})
    assert write(updated, "reader", "https://chatgpt.com") == 403
    assert write(updated, "reader", OTHER) == 201


def test_of_two_that_ask_at_once_one_gets_it(updated: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    origins = [f"chrome-extension://{number:032}" for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda origin: write(updated, "two", origin), origins))
    assert sorted(answers) == [201] + [403] * 11


def test_the_command_lines_own_is_never_anothers(updated: Running) -> None:
    assert write(updated, COMMAND_LINE, MINE) == 403
    assert command("clients", "--data", updated.data).returncode == 0
    assert write(updated, COMMAND_LINE) == 201


def test_a_token_made_since_is_never_pinned_by_use(updated: Running) -> None:
    assert write(updated, updated.new_token(), MINE) == 403
