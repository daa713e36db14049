"""`satchel doctor`: everything a user could have wrong, each with what mends it. It opens the data folder itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import apsw
import httpx
import msgspec

from satchel import __version__, config, files, server
from satchel.store import backup, jobs, soundness, vector_sets, vectors
from satchel.store.database import MEND, connect, migrations
from satchel.store.store import FILE_NAME
from satchel.times import now_ms, parse_iso, to_iso
from satchel.types import SatchelError

Level = Literal["ok", "note", "wrong"]

FREE_NEEDED = 500_000_000
"""Bytes that should be free where the store lies: room for its growth, its log and a backup."""

BACKUP_DAYS = 30
"""The age from which a backup is worth a word."""

LAST_RELEASE = 1_795_000_000_000
"""A clock before this (2026-11) is wrong: the program is younger than that."""


class Finding(msgspec.Struct, frozen=True):
    """`remedy` is what to do; empty where all is well."""

    level: Level
    what: str
    remedy: str = ""


Check = Callable[[Path], Iterator[Finding]]


def _program(_: Path) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Satchel {__version__} on Python {version}, SQLite {apsw.sqlite_lib_version()}")


def _clock(_: Path) -> Iterator[Finding]:
    now = now_ms()
    if now < LAST_RELEASE:
        yield Finding(
            "wrong", f"This computer's clock says {to_iso(now)}", "Set the clock; times of memories depend on it."
        )


def _settings(data: Path) -> Iterator[Finding]:
    try:
        settings = config.load(data)
    except SatchelError as error:
        yield Finding("wrong", "The settings cannot be read", str(error))
        return
    own = (data / config.FILE_NAME).exists()
    yield Finding("ok", f"Settings: {data / config.FILE_NAME if own else 'the defaults'}, port {settings.server.port}")


def _folder(data: Path) -> Iterator[Finding]:
    if not data.exists():
        yield Finding("note", f"There is no data folder {data} yet", "The first ./scripts/run makes it.")
        return
    if not os.access(data, os.W_OK):
        yield Finding(
            "wrong", f"{data} cannot be written", "Give yourself the right to write there, or choose another --data."
        )
    mode = data.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        yield Finding("wrong", f"Others on this computer may look into {data} (mode {mode:o})", f"chmod 700 {data}")
    else:
        yield Finding("ok", f"Data folder {data}, for you alone")
    for path in files.open_to_others(data):
        yield Finding(
            "wrong", f"Others on this computer may read {path}", f"chmod {700 if path.is_dir() else 600} {path}"
        )
    free = shutil.disk_usage(data).free
    if free < FREE_NEEDED:
        yield Finding("wrong", f"Only {free / 1e6:.0f} MB are free where {data} lies", "Free some space.")


def _store(data: Path) -> Iterator[Finding]:
    file = data / FILE_NAME
    if not file.exists():
        return
    newest = migrations()[-1][0]
    try:
        db = connect(file, readonly=True)
    except SatchelError as error:
        yield Finding("wrong", "The store cannot be opened", str(error))
        return
    try:
        version = int(str(db.pragma("user_version")))
        if version > newest:
            yield Finding(
                "wrong", f"The store has schema {version}, newer than this Satchel knows ({newest})", "Update Satchel."
            )
            return
        if version == 0:
            yield Finding("note", "The store is empty", "Start Satchel once.")
            return
        if damage := soundness.damage(db):
            yield Finding("wrong", f"The store is damaged: {damage}", MEND)
            return
        turns = db.execute("SELECT count(*) FROM message").get
        known = db.execute("SELECT count(*) FROM memory").get
        size = sum(f.stat().st_size for f in data.glob(FILE_NAME + "*")) / 1e6
        yield Finding("ok", f"Store: {turns:,} turns, {known:,} memories, {size:.1f} MB, undamaged")
        if version < newest:
            yield Finding("note", f"The store has schema {version}, this Satchel {newest}", "Start Satchel once.")
            return
        if unsearchable := soundness.unsearchable(db):
            yield Finding(
                "wrong", f"{unsearchable} texts are missing from the word indexes", f"{MEND} Please report this."
            )
        changing = vector_sets.progress(db)
        behind = vector_sets.count_waiting(db)
        if changing:
            yield _changing(changing)
        elif behind:
            yield Finding(
                "note", f"{behind:,} items wait for their vector", "Leave Satchel running; it works them off."
            )
        unsound = vectors.unsound(db)
        if unsound:
            yield Finding(
                "wrong",
                f"{unsound:,} entries of the index of meaning do not fit what they stand for",
                f"{MEND} Please report this.",
            )
        dead = jobs.counts(db)["failed"]
        if dead:
            why = jobs.listed(db, "failed", 1)[0].error
            yield Finding(
                "wrong", f"{dead} jobs failed for good, the last because: {why}", "See `satchel jobs`, then --retry."
            )
    except apsw.Error as error:
        yield Finding("wrong", f"The store cannot be read ({error})", MEND)
    finally:
        db.close()


def _backups(data: Path) -> Iterator[Finding]:
    if not (data / FILE_NAME).exists():
        return
    remedy = "satchel backup; on another disk it survives this one: satchel backup FILE"
    made = [backup.made_at(file).timestamp() for file in backup.own(data)]
    try:
        made += [parse_iso(one.made_at) / 1000 for one in backup.elsewhere(data) if backup.lies_there(one)]
    except (SatchelError, ValueError) as error:
        yield Finding("wrong", str(error), "Remove that file; copies made elsewhere are then no longer listed.")
    if backup.owed(data):
        yield Finding("note", "No fresh backup could be made yet since something was forgotten", "satchel backup")
    if not made:
        yield Finding("note", "There is no backup", remedy)
        return
    days = (now_ms() / 1000 - max(made)) / 86400
    age = "today" if days < 1 else f"{days:.0f} days ago"
    if days > BACKUP_DAYS:
        yield Finding("note", f"The last backup was made {age}", remedy)
    else:
        yield Finding("ok", f"The last backup was made {age}; {len(made)} are kept")


def _changing(progress: vector_sets.Progress) -> Finding:
    """A change of the embedding model that is not complete."""
    from satchel.models import registry

    try:
        former = registry.with_hash(progress.former, "embed", registry.models_folder())
    except SatchelError:
        former = None  # what is wrong with the list of models is told further down
    answers = f"{former.name} answers meanwhile" if former else "the former model is gone, so words answer meanwhile"
    return Finding(
        "note",
        f"Everything is embedded anew: {progress.done:,} of {progress.total:,} items, and {answers}",
        "Leave Satchel running; it works them off.",
    )


def _models(data: Path) -> Iterator[Finding]:
    from satchel.models import registry

    try:
        settings = config.load(data).models
    except SatchelError:
        return  # told already
    folder = registry.models_folder()
    for role, name in (("generator", settings.generate), ("embedder", settings.embed)):
        try:
            entry = registry.find(name, folder)
        except SatchelError as error:
            yield Finding("wrong", f"The {role} {name} is not known", str(error))
            continue
        path = registry.path_of(entry, folder)
        if not path.exists():
            yield Finding("wrong", f"The {role} {name} is not in {folder}", f"satchel models pull {name}")
            continue
        try:
            registry.check_gguf(path)
            actual = registry.sha256_of(path)
        except (SatchelError, OSError) as error:
            yield Finding("wrong", f"The {role} {path} cannot be used ({error})", f"satchel models pull {name}")
            continue
        if entry.sha256 not in (actual, registry.PIN):
            yield Finding(
                "wrong", f"{path} is not the file it should be", f"Remove it, then run: satchel models pull {name}"
            )
        else:
            yield Finding("ok", f"{role.capitalize()} {name}, sha256 {actual[:12]}…")
    memory = registry.memory_bytes()
    advised = registry.recommend(memory)
    if advised.name != settings.generate:
        yield Finding(
            "note",
            f"With {memory / 1e9:.0f} GB of memory this computer can use {advised.name}",
            f"satchel models pull {advised.name} && satchel models use {advised.name}",
        )


def _runtime(_: Path) -> Iterator[Finding]:
    # In a process of its own: a build that does not fit this processor dies on import.
    done = subprocess.run(
        # -P: a file in the current folder must not pass for llama_cpp.
        [sys.executable, "-P", "-c", "import llama_cpp; llama_cpp.llama_backend_init()"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        yield Finding(
            "wrong",
            "llama.cpp does not start here" + (f" (signal {-done.returncode})" if done.returncode < 0 else ""),
            "Remove .venv and run ./scripts/run: it compiles llama.cpp for this processor.",
        )
    else:
        yield Finding("ok", "llama.cpp starts")


def _daemon(data: Path) -> Iterator[Finding]:
    found = server.running(data)
    try:
        port = found.port if found else config.load(data).server.port
    except SatchelError:
        return
    try:
        started = time.perf_counter()
        answer = httpx.get(f"http://{server.ADDRESS}:{port}/health", trust_env=False, timeout=5)
        took = (time.perf_counter() - started) * 1000
    except httpx.HTTPError:
        if found:
            yield Finding("wrong", f"The daemon on port {port} does not answer", "Start it with ./scripts/run.")
        else:
            yield Finding("note", "The daemon does not run", "Start it with ./scripts/run.")
        return
    version = answer.headers.get("X-Satchel-Version")
    if version is None:
        yield Finding("wrong", f"Port {port} belongs to another program", "Start with --port N, or set server.port.")
    elif found is None:
        yield Finding("note", f"A Satchel runs on port {port}, on another data folder", "Name its folder with --data.")
    elif version != __version__:
        yield Finding("wrong", f"The daemon is Satchel {version}, this command {__version__}", "Restart the daemon.")
    else:
        yield Finding("ok", f"The daemon answers on port {port} in {took:.0f} ms")


CHECKS: tuple[Check, ...] = (_program, _clock, _settings, _folder, _store, _backups, _models, _runtime, _daemon)


def examine(data: Path) -> Iterator[Finding]:
    """All findings, in the order a person would look."""
    for check in CHECKS:
        yield from check(data)


def run(data: Path, *, as_json: bool) -> int:
    """Prints the findings; the exit status: 1 when something is wrong."""
    from rich.text import Text

    from satchel import terminal

    out = terminal.console()
    marks = {"ok": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "bold red")}
    findings = []
    for finding in examine(data):
        findings.append(finding)
        if not as_json:
            mark, style = marks[finding.level]
            out.print(Text.assemble((f"{mark} ", style), finding.what))
            if finding.remedy:
                out.print(Text(f"    → {finding.remedy}", style="bold" if finding.level == "wrong" else "dim"))
    wrong = sum(f.level == "wrong" for f in findings)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(findings)).decode() + "\n")
    else:
        out.print("\nAll is well." if not wrong else f"\n{wrong} things to mend.")
    return 1 if wrong else 0
