"""The command `satchel`, as a person types it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apsw
import click
import httpx
import pytest

from api.running import Running, command, running
from satchel.cli import cli


def commands(group: click.Group = cli, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with how it is called."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*path, name), found
        if isinstance(found, click.Group):
            yield from commands(found, *path, name)


COMMANDS = list(commands())


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("cli") / "data") as daemon:
        yield daemon


def satchel(daemon: Running, *arguments: str | Path, stdin: bytes | None = None) -> str:
    done = command(arguments[0], "--data", daemon.data, *arguments[1:], stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


# Help


@pytest.mark.parametrize(("path", "found"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_has_help_that_says_what_it_and_its_options_do(
    path: tuple[str, ...], found: click.Command
) -> None:
    assert found.help
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.metavar, f"{' '.join(path)} {parameter.name}"


def test_help_is_printed() -> None:
    done = command("--help")
    assert done.returncode == 0
    for path, _ in COMMANDS:
        if len(path) == 1:
            assert re.search(rf"^  {path[0]}\s", done.stdout, re.MULTILINE), path
    assert command("add", "-h").returncode == 0
    assert command("--version").stdout.startswith("satchel")


def test_an_unknown_command_or_option_is_told() -> None:
    assert command("nonsense").returncode == 2
    done = command("search", "--nonsense", "x")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


# Token


def test_the_token_stands_alone_on_the_last_line(daemon: Running) -> None:
    done = command("token", "--data", daemon.data, "--name", "an app")
    token = done.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"\S{20,}", token)
    assert daemon.call("GET", "/v1/status", token=token).status_code == 200
    assert token not in done.stderr


def test_a_token_works_before_the_first_start(tmp_path: Path) -> None:
    made = command("token", "--data", tmp_path / "new", "--name", "app")
    assert made.returncode == 0
    assert re.fullmatch(r"\S{20,}", made.stdout.strip().splitlines()[-1])


def test_a_token_needs_a_name(tmp_path: Path) -> None:
    assert command("token", "--data", tmp_path).returncode == 2
    assert "name" in one_sentence(command("token", "--data", tmp_path, "--name", " "))


# Pair


def asks_to_be_paired(daemon: Running, client: str, *, origin: str | None = "moz-extension://5d1c") -> dict[str, str]:
    """What a client that is to be paired gets and keeps."""
    verifier = "v" * 43
    headers = {"Authorization": ""} | ({"Origin": origin} if origin else {})
    body = {"client": client, "challenge": hashlib.sha256(verifier.encode()).hexdigest()}
    answer = daemon.ok("POST", "/v1/pair", body, headers=headers)
    path = f"/v1/pair/{answer['pairing_id']}"
    return {"code": answer["code"], "path": path, "verifier": verifier, "origin": origin or ""}


def collected(daemon: Running, asked: dict[str, str]) -> httpx.Response:
    headers = {"Authorization": ""} | ({"Origin": asked["origin"]} if asked["origin"] else {})
    return daemon.call("POST", asked["path"], {"verifier": asked["verifier"]}, headers=headers)


def test_pairing_shows_who_asks_and_lets_it_in_when_a_person_says_so(daemon: Running) -> None:
    asked = asks_to_be_paired(daemon, "Satchel for Firefox")
    shown = satchel(daemon, "pair", asked["code"].lower(), stdin=b"y\n")
    for told in ("Satchel for Firefox", "moz-extension://5d1c", "forget", "all profiles", "[y/N]"):
        assert told in shown
    paired = collected(daemon, asked).json()
    assert (paired["scopes"], paired["profiles"]) == (["capture", "recall", "manage"], None)
    assert daemon.call("GET", "/v1/memories", token=paired["token"]).status_code == 200


def test_pairing_may_be_narrowed_and_says_so(daemon: Running) -> None:
    asked = asks_to_be_paired(daemon, "An app", origin=None)
    narrowed = ("--profile", "work", "--profile", "home", "--scope", "capture")
    shown = satchel(daemon, "pair", asked["code"], *narrowed, stdin=b"y\n")
    assert "a program on this computer" in shown
    assert "work, home" in shown
    assert "forget" not in shown
    paired = collected(daemon, asked).json()
    assert (paired["scopes"], paired["profiles"]) == (["capture"], ["work", "home"])


def test_pairing_without_asking_says_one_sentence(daemon: Running) -> None:
    asked = asks_to_be_paired(daemon, "An app")
    assert satchel(daemon, "pair", asked["code"], "--yes").splitlines() == [
        "'An app' is let in; it connects by itself in a moment."
    ]
    assert collected(daemon, asked).status_code == 200


@pytest.mark.parametrize(("arguments", "stdin"), [(["--refuse"], None), ([], b"n\n"), ([], b"\n")])
def test_a_pairing_that_is_refused_is_over(daemon: Running, arguments: list[str], stdin: bytes | None) -> None:
    asked = asks_to_be_paired(daemon, "A stranger")
    assert "'A stranger' is refused." in satchel(daemon, "pair", asked["code"], *arguments, stdin=stdin)
    assert collected(daemon, asked).status_code == 410
    assert "No client waits" in one_sentence(command("pair", "--data", daemon.data, asked["code"]))


def test_a_pairing_nobody_answers_for_goes_on_waiting(daemon: Running) -> None:
    asked = asks_to_be_paired(daemon, "An app")
    assert command("pair", "--data", daemon.data, asked["code"]).returncode != 0
    assert collected(daemon, asked).status_code == 202
    satchel(daemon, "pair", asked["code"], "--refuse")


@pytest.mark.parametrize("code", ["", "ABCD-EFGH", "x" * 100, "../status"])
def test_a_code_that_nobody_waits_with_is_told(daemon: Running, code: str) -> None:
    one_sentence(command("pair", "--data", daemon.data, code))
    one_sentence(command("pair", "--data", daemon.data, code, "--yes"))


# Add, search, context, memories, forget, jobs


FORMS = {
    "chat.json": json.dumps([{"role": "user", "content": "My sister Ana lives in Porto."}]),
    "request.json": json.dumps(
        {"external_id": "r1", "messages": [{"role": "user", "content": "My sister Ana lives in Porto."}]}
    ),
    "chat.txt": "User: My sister Ana lives in Porto.\nAssistant: How nice.\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_file_is_added_and_adding_it_again_changes_nothing(
    daemon: Running, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_text(FORMS[name])
    profile = name.replace(".", "-")
    first = json.loads(satchel(daemon, "add", file, "--profile", profile, "--json"))
    assert first["accepted"] == (2 if name == "chat.txt" else 1)
    assert first["status"] == "completed"
    assert [memory["id"] for memory in first["memories"]]
    again = json.loads(satchel(daemon, "add", file, "--profile", profile, "--json"))
    assert (again["accepted"], again["message_ids"]) == (0, first["message_ids"])
    assert "0 new messages" in satchel(daemon, "add", file, "--profile", profile)


def test_a_conversation_may_come_through_a_pipe(daemon: Running) -> None:
    piped = satchel(daemon, "add", "-", "--profile", "pipe", "--no-wait", "--json", stdin=FORMS["chat.txt"].encode())
    assert json.loads(piped)["accepted"] == 2


@pytest.mark.parametrize(("given", "filed"), [([], "theirs"), (["--profile", "given-by-hand"], "given-by-hand")])
def test_a_profile_that_is_given_wins_over_the_files_own(
    daemon: Running, tmp_path: Path, given: list[str], filed: str
) -> None:
    file = tmp_path / "chat.json"
    messages = [{"role": "user", "content": "My sister Ana lives in Porto."}]
    file.write_text(json.dumps({"profile": "theirs", "external_id": "r1", "messages": messages}))
    satchel(daemon, "add", file, "--no-wait", *given)
    assert daemon.ok("GET", "/v1/conversations", params={"profile": filed})["total"] == 1


def test_without_models_what_is_added_is_stored_and_what_is_missing_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "no-models"
    empty.mkdir()
    with running(tmp_path / "data", models=empty) as daemon:
        for number, arguments in enumerate(([], [], ["--json"])):
            file = tmp_path / f"{number}.txt"
            file.write_text(f"User: My sister Ana has {number + 2} dogs.\n")
            shown = satchel(daemon, "add", file, *arguments)
            if arguments:
                answer = json.loads(shown)
                assert (answer["status"], answer["accepted"], answer["memories"]) == ("queued", 1, [])
                assert "satchel models pull" in answer["error"]
            else:
                assert len(shown.strip().splitlines()) == 1
                assert shown.startswith("Stored. It will be read for memories when this is mended: The model ")
                assert "satchel models pull" in shown
        assert daemon.ok("GET", "/v1/conversations")["total"] == 3


@pytest.fixture(scope="module")
def filled(daemon: Running) -> Running:
    daemon.ok("POST", "/v1/memories", {"text": "The user's bicycle is called Rocket."})
    return daemon


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["search", "bicycle"], "hits"),
        (["search", "bicycle", "--explain"], "hits"),
        (["context", "What is my bicycle called?"], "context"),
        (["memories"], "items"),
        (["memories", "-q", "bicycle", "--kind", "fact"], "items"),
        (["jobs"], "items"),
        (["jobs", "--status", "completed"], "items"),
    ],
)
def test_json_is_json_and_the_same_is_shown_to_people(filled: Running, arguments: list[str], key: str) -> None:
    answer = json.loads(satchel(filled, *arguments, "--json"))
    assert key in answer
    shown = satchel(filled, *arguments)
    assert shown.strip()
    assert not shown.lstrip().startswith("{")
    if key in ("hits", "items") and "jobs" not in arguments:
        assert "Rocket" in shown


def test_forgetting_asks_first(filled: Running) -> None:
    memory = filled.ok("POST", "/v1/memories", {"text": "To be forgotten."})
    asked = command("forget", "--data", filled.data, memory["id"], stdin=b"n\n")
    assert asked.returncode != 0
    assert filled.call("GET", f"/v1/memories/{memory['id']}").status_code == 200
    assert "1 memories" in satchel(filled, "forget", memory["id"], "--yes")
    assert filled.call("GET", f"/v1/memories/{memory['id']}").status_code == 404


def test_who_waits_for_a_forgetting_is_told_so_and_a_program_is_not(filled: Running) -> None:
    for terminal, told in ({"FORCE_COLOR": "1"}, True), ({}, False):
        memory = filled.ok("POST", "/v1/memories", {"text": "To be forgotten."})
        done = command("forget", "--data", filled.data, memory["id"], "--yes", **terminal)
        assert done.returncode == 0, done.stderr
        assert ("It goes on if you stop waiting." in " ".join(done.stderr.split())) == told, done.stderr
        assert "waiting" not in done.stdout


def test_forgetting_shows_what_goes_and_leaves_a_receipt(filled: Running) -> None:
    where = ("--profile", "forgetting")
    said = [
        {"role": "user", "content": "My sister Ottilie lives in Brno.", "id": "1", "sent_at": "2026-03-01T23:30:00Z"},
        {"role": "assistant", "content": "Good to know.", "id": "2", "sent_at": "2026-03-02T10:00:00Z"},
    ]
    filled.capture(profile="forgetting", messages=said)
    shown = satchel(filled, "forget", "--name", "ottilie", *where, "--preview")
    assert "Ottilie lives in Brno" in shown
    assert "1 messages" in shown
    # A date's own day is in the span, and - keeps the name out of the shell's history.
    assert json.loads(satchel(filled, "forget", "--to", "2026-03-01", *where, "--json"))["counts"]["messages"] == 1
    asked = command("forget", "--data", filled.data, "--name", "-", *where, stdin=b"Ottilie\nn\n")
    assert asked.returncode != 0
    assert "Ottilie lives in Brno" in satchel(filled, "search", "Ottilie", *where)
    done = satchel(filled, "forget", "--name", "Ottilie", *where, "--yes")
    assert "1 messages" in done
    assert " 0 bytes of it found" in done
    assert "Ottilie" not in satchel(filled, "search", "Ottilie", *where)
    assert filled.capture(profile="forgetting", messages=said)["forgotten"] == 1
    kept_out = satchel(filled, "forgotten", *where)
    assert "1 sent again" in kept_out
    assert "Ottilie" not in kept_out
    assert "by name" in satchel(filled, "forgotten", "--receipts")
    assert satchel(filled, "forgotten", "--allow", kept_out.split()[0]).startswith("1 turns")
    assert "Nothing is kept out" in satchel(filled, "forgotten", *where)
    one_sentence(command("forget", "--data", filled.data, "--site", "a", "--name", "Ottilie", "--yes"))


def test_adding_a_forgotten_conversation_again_says_that_it_is_kept_out(filled: Running, tmp_path: Path) -> None:
    file = tmp_path / "chat.txt"
    file.write_text("User: I breed Axolotls.\n")
    satchel(filled, "add", file, "--profile", "again-forgotten")
    satchel(filled, "forget", "--everything", "--profile", "again-forgotten", "--yes")
    assert "satchel forgotten" in satchel(filled, "add", file, "--profile", "again-forgotten")


# Pause, resume, rederive


def test_a_pause_is_said_and_ends(daemon: Running, tmp_path: Path) -> None:
    file = tmp_path / "chat.txt"
    file.write_text("User: I have two cats.\n")
    assert "satchel resume" in satchel(daemon, "pause")
    try:
        shown = satchel(daemon, "add", file, "--profile", "paused")
        assert shown.startswith("Stored.")
        assert "satchel resume" in shown
        assert "paused" in satchel(daemon, "jobs")
        satchel(daemon, "pause")
    finally:
        assert "1 jobs wait" in satchel(daemon, "resume")
    assert "paused" not in satchel(daemon, "jobs")


def test_deriving_again_shows_the_changes_and_asks(daemon: Running, tmp_path: Path) -> None:
    profile = ("--profile", "again")
    file = tmp_path / "chat.txt"
    file.write_text("User: My sister Ana lives in Porto.\n")
    satchel(daemon, "add", file, *profile)
    assert "nothing would change" in satchel(daemon, "rederive", *profile)
    # As a worse model would have left it: said otherwise, by nobody's hand.
    (memory,) = json.loads(satchel(daemon, "memories", *profile, "--json"))["items"]
    daemon.stop()
    with contextlib.closing(apsw.Connection(str(daemon.data / "satchel.sqlite"))) as db:
        db.execute("UPDATE memory SET text = 'Sister: \x1b Porto' WHERE id = ?", (memory["id"],))
    daemon.start()
    shown = satchel(daemon, "rederive", *profile, stdin=b"n\n")
    for told in (
        "Said otherwise",
        "- Sister: � Porto",
        f"+ {memory['text']}",
        "“My sister Ana lives in Porto",
        "[y/N]",
    ):
        assert told in shown
    assert "Nothing was changed" in shown
    preview = json.loads(satchel(daemon, "rederive", *profile, "--json"))
    assert [(one["change"], one["outcome"]) for one in preview["items"]] == [("reworded", None)]
    assert "1 changes made, 0 skipped" in satchel(daemon, "rederive", *profile, "--yes")
    changed = daemon.ok("GET", f"/v1/memories/{memory['id']}")
    assert (changed["text"], changed["history"][-1]["change"]) == (memory["text"], "rederived")
    assert "nothing would change" in satchel(daemon, "rederive", *profile, "--yes")
    assert "Dropped" in satchel(daemon, "rederive", *profile, "--drop")


def test_what_keeps_from_deriving_again_is_told(daemon: Running, tmp_path: Path) -> None:
    done = command("rederive", "--data", daemon.data, "--profile", "nobody")
    assert "nothing to derive again" in one_sentence(done)
    empty = tmp_path / "no-models"
    empty.mkdir()
    with running(tmp_path / "data", models=empty) as modelless:
        modelless.capture("I have two cats.")
        assert "satchel models pull" in one_sentence(command("rederive", "--data", modelless.data))
        satchel(modelless, "pause")
        assert "satchel" in one_sentence(command("rederive", "--data", modelless.data))


# What goes wrong, in one sentence


def test_a_daemon_that_never_ran_is_told(tmp_path: Path) -> None:
    assert "./scripts/run" in one_sentence(command("search", "--data", tmp_path, "x"))


def test_a_daemon_that_does_not_run_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "data", models=tmp_path) as daemon:
        daemon.stop()
        for arguments in (
            ["search", "x"],
            ["context", "x"],
            ["memories"],
            ["jobs"],
            ["forget", "x"],
            ["rederive"],
            ["pause"],
            ["resume"],
        ):
            done = command(arguments[0], "--data", daemon.data, *arguments[1:])
            assert "No Satchel answers" in one_sentence(done)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "is empty"),
        (b"caf\xe9", "UTF-8"),
        (b"[oops", "JSON"),
        (b'{"messages": 3}', "no conversation"),
        (b'[{"role": "pirate", "content": "x"}]', "role"),
        (b'[{"role": "user", "content": "x", "colour": "red"}]', "colour"),
    ],
)
def test_a_bad_file_is_told(daemon: Running, tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "bad.txt"
    if content is not None:
        file.write_bytes(content)
    assert said in one_sentence(command("add", "--data", daemon.data, file))


def test_a_wrong_token_is_told(daemon: Running) -> None:
    done = command("memories", "--data", daemon.data, SATCHEL_TOKEN="wrong")
    assert "satchel token" in one_sentence(done)


def test_something_else_on_the_port_is_told(daemon: Running, tmp_path: Path) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        done = command("memories", "--data", daemon.data, SATCHEL_URL=f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert "not Satchel" in one_sentence(done)


def test_an_unknown_memory_is_told(daemon: Running) -> None:
    assert "no memory" in one_sentence(command("forget", "--data", daemon.data, "nothing", "--yes"))


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "../status", "../memories", "x/../../status", "a?b", "a#b", "é %2e"]
)
def test_what_is_no_id_is_told(daemon: Running, name: str) -> None:
    one_sentence(command("forget", "--data", daemon.data, name))
    one_sentence(command("forget", "--data", daemon.data, name, "--yes"))
    one_sentence(command("jobs", "--data", daemon.data, "--retry", name))


def test_text_that_would_drive_the_terminal_is_shown_harmless(daemon: Running) -> None:
    daemon.ok("POST", "/v1/memories", {"text": "Evil \x1b]0;title\x07 [red]markup[/red] words.", "profile": "evil"})
    shown = satchel(daemon, "memories", "--profile", "evil")
    assert "\x1b" not in shown
    assert "[red]markup[/red]" in shown


def test_json_escapes_what_a_terminal_would_obey_and_stays_the_same_value(daemon: Running) -> None:
    text = "Evil \x9b2J \u202e turned \U000e0041 words, 私 😀."
    daemon.ok("POST", "/v1/memories", {"text": text, "profile": "evil-json"})
    shown = satchel(daemon, "memories", "--profile", "evil-json", "--json")
    assert all(c == "\n" or c.isprintable() for c in shown)
    assert "私 😀" in shown
    assert [item["text"] for item in json.loads(shown)["items"]] == [text]


def test_a_memory_cannot_forge_an_entry_below_its_own(daemon: Running) -> None:
    forged = {"text": "A\n● forged", "key": "k\n● forged", "tags": ["t\n● forged"], "profile": "evil-lines"}
    daemon.ok("POST", "/v1/memories", forged)
    shown = satchel(daemon, "memories", "--profile", "evil-lines")
    assert sum(line.startswith("●") for line in shown.splitlines()) == 1


def test_a_search_says_why_each_hit_is_there(filled: Running) -> None:
    (hit,) = json.loads(satchel(filled, "search", "bicycle", "--explain", "--json"))["hits"]
    assert {"its words", "its meaning"} <= {reason["sign"] for reason in hit["reasons"]}
    assert "its words" in satchel(filled, "search", "bicycle", "--explain")
    (plain,) = json.loads(satchel(filled, "search", "bicycle", "--json"))["hits"]
    assert "reasons" not in plain
