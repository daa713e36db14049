"""Kills the daemon in the midst of everything it does: what it acknowledged must still be there, once."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import apsw
import httpx
import psutil
from _campaign import Daemon, load, new_token, report, satchel, save, work_folder

from satchel.store import backup, database, soundness
from satchel.store.clock import new_id
from satchel.types import StoreError

SENDERS = 3
ROTATED_BYTES = 25_000_000
"""The store's size from which the rounds go on with a new one: looking all through it takes a tenth of a second."""

PLANTED = re.compile(rb"zq\d{5}x\d{2}qz")
"""The words that are forgotten."""

SENT_AGAIN = 25
"""Acknowledged requests a round that are sent again."""

REMARKS = """Each round starts the daemon on the same, growing data folder (a new one from 25 MB on), sends from several
threads, and kills it with SIGKILL at a random moment, in half the rounds together with its model process. The rounds
take turns:

- **capture**: conversations are sent.
- **extraction**: the default models read what is queued; the kill comes once a job runs.
- **forgetting**: conversations with a word of their own are sent, then deleted one after the other.
- **migration**: a store of an older schema with 2,000 turns; the kill comes while the daemon starts on it.
- **backup**: `satchel backup` runs beside captures; it is killed, or the daemon, or both.

After each kill, before anything else: SQLite's integrity check and foreign keys; every message that was acknowledged
and not forgotten, in any round on this store, letter for letter; no two memories with the same text from the same
words; of each request all messages or none; of what was acknowledged as forgotten no byte in any file; every finished
backup whole, and holding what had been acknowledged before it was begun. After the next start, requests are sent again
and must be known, with the same ids. A migration is finished by the next start, with all turns.

A killed process loses what it had not handed to the system; it does not lose what the system had not yet
put on the disk, as a power cut does."""

SENTENCES = (
    "My sister {name} lives in {city} and is allergic to peanuts.",
    "I moved to {city} in March, please remember that.",
    "I prefer trains to planes whenever I visit {name}.",
    "How do I sort a list of dictionaries by two keys?",
    "Write a short note to {name} about the meeting in {city}.",
    "Yes.",
)
NAMES = ("Ana", "Bogdan", "Chiara", "Dmitri", "Émilie", "李雷")
CITIES = ("Porto", "Lyon", "Turin", "Gdańsk", "京都", "Leeds")

Body = dict[str, Any]


class Kept:
    """What the store at hand has acknowledged, over all rounds; it travels in the campaign's state."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.messages: dict[str, str] = state["messages"]
        """Content by our id."""
        self.forgotten: list[str] = state["forgotten"]
        """Words that must be nowhere."""

    def add(self, body: Body, answer: dict[str, Any]) -> None:
        for message, ours in zip(body["messages"], answer["message_ids"], strict=True):
            self.messages[ours] = message["content"]


class Round:
    """One start, one kill; `acknowledged` holds the requests that were answered in it, with their answers."""

    def __init__(self, number: int, seed: int, data: Path, kept: Kept) -> None:
        self.number = number
        self.random = random.Random(f"{seed}-{number}")
        self.data = data
        self.kept = kept
        self.acknowledged: list[tuple[Body, dict[str, Any]]] = []
        self.sent: list[Body] = []
        self.wrong: list[str] = []
        self.orphans = 0
        self.backups = 0

    def conversation(self, sender: int, n: int, word: str = "") -> Body:
        source = random.Random(f"{self.number}-{sender}-{n}")

        def text() -> str:
            words = source.choice(SENTENCES).format(name=source.choice(NAMES), city=source.choice(CITIES))
            return f"{words} {word}".strip()

        messages = [
            {"id": f"{self.number}-{sender}-{n}-{i}", "role": "assistant" if i % 2 else "user", "content": text()}
            for i in range(source.randint(1, 5))
        ]
        external_id = f"{self.number}-{sender}-{n}"
        return {"profile": "crash", "site": "campaign", "external_id": external_id, "messages": messages}

    def send(self, client: httpx.Client, body: Body) -> dict[str, Any]:
        self.sent.append(body)
        answer = client.post("/v1/messages", json=body)
        if answer.status_code != 202:
            raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
        done: dict[str, Any] = answer.json()
        self.acknowledged.append((body, done))
        return done

    def senders(self, daemon: Daemon) -> list[threading.Thread]:
        """Threads that send until the daemon is gone."""

        def run(sender: int) -> None:
            with _client(daemon) as client, contextlib.suppress(httpx.TransportError):
                for n in range(1_000_000):
                    self.send(client, self.conversation(sender, n))

        threads = [threading.Thread(target=run, args=(sender,)) for sender in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def kill(self, daemon: Daemon) -> None:
        """Kills the daemon, and counts those of its children that outlive it by ten seconds."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(daemon.process.pid).children(recursive=True)
            daemon.kill(group=self.random.random() < 0.5)
            _, alive = psutil.wait_procs(children, timeout=10)
            self.orphans += len(alive)

    # What is going on when it comes

    def capture(self, daemon: Daemon) -> None:
        threads = self.senders(daemon)
        if self.random.random() < 0.8:  # in the first commit, and in the hundredth
            _until(lambda: bool(self.acknowledged))
        time.sleep(10 ** self.random.uniform(-2.3, 0))
        self.kill(daemon)
        _join(threads)

    def extraction(self, daemon: Daemon) -> None:
        with _client(daemon) as client:
            for n in range(3):
                self.send(client, self.conversation(0, n))
            _until(lambda: client.get("/v1/status").json()["running"] > 0)
        time.sleep(self.random.uniform(0, 1.2))
        self.kill(daemon)

    def forgetting(self, daemon: Daemon) -> None:
        with _client(daemon) as client:
            planted = []
            for n in range(12):
                word = f"zq{self.number:05d}x{n:02d}qz"
                planted.append((word, *self._planted(client, n, word)))

        def forget() -> None:
            with _client(daemon) as client, contextlib.suppress(httpx.TransportError):
                for word, body, answer in planted:
                    gone.append(body)
                    if client.delete(f"/v1/conversations/{answer['conversation_id']}").status_code == 200:
                        self.kept.forgotten.append(word)

        gone: list[Body] = []
        thread = threading.Thread(target=forget)
        thread.start()
        time.sleep(self.random.uniform(0, 1))
        self.kill(daemon)
        _join([thread])
        # Whether the last one was forgotten nobody was told: it may be gone or there, as a whole.
        self.acknowledged = [(body, answer) for body, answer in self.acknowledged if body not in gone]

    def _planted(self, client: httpx.Client, n: int, word: str) -> tuple[Body, dict[str, Any]]:
        body = self.conversation(0, n, word)
        return body, self.send(client, body)

    def backup(self, daemon: Daemon) -> None:
        before = dict(self.kept.messages)
        known = set(backup.own(self.data))
        threads = self.senders(daemon)
        copying = subprocess.Popen(
            satchel("backup", "--data", str(self.data)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0.1, 1.5))
        else:  # once there is something of it to see
            _until(lambda: copying.poll() is not None or any(backup.folder(self.data).glob("*")))
            time.sleep(self.random.uniform(0, 0.3))
        if self.random.random() < 0.6:
            copying.kill()
        self.kill(daemon)
        copying.wait()
        _join(threads)
        for file in set(backup.own(self.data)) - known:
            self.backups += 1
            self.wrong += [f"backup {file.name}: {line}" for line in faults(file, before)]
            backup.discard(
                file
            )  # each as large as the store; what was left half-way stays, for the next start to remove

    def migration(self, template: Path) -> None:
        """Works on a store of its own."""
        data = self.data.parent / "older"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        shutil.copy(template, data / backup.DATABASE)
        expected = {row[0]: row[1] for row in _rows(template, "SELECT id, content FROM message")}
        starting = Starting(data)
        time.sleep(self.random.uniform(0.15, 1.1))
        starting.kill()
        for file in (data / backup.DATABASE, *backup.own(data)):
            self.wrong += [f"{file.name}: {line}" for line in faults(file, expected)]
        self.backups += len(backup.own(data))
        daemon = Daemon(data, new_token(data))
        daemon.kill()
        version = _rows(data / backup.DATABASE, "PRAGMA user_version")[0][0]
        if version != database.migrations()[-1][0]:
            self.wrong.append(f"the schema is {version}")
        self.wrong += faults(data / backup.DATABASE, expected)

    # What must hold after it

    def check(self) -> None:
        """Of the files, before anything else touches them."""
        for body, answer in self.acknowledged:
            self.kept.add(body, answer)
        file = self.data / backup.DATABASE
        self.wrong += faults(file, self.kept.messages)
        counted = (
            "SELECT c.external_id, count(*) FROM message m JOIN conversation c ON c.pk = m.conversation GROUP BY 1"
        )
        whole = dict(_rows(file, counted))
        for body in self.sent:
            if whole.get(body["external_id"], 0) not in {0, len(body["messages"])}:
                self.wrong.append(f"half a request was kept: {body['external_id']}")
        gone = {word.encode() for word in self.kept.forgotten}
        for one in self.data.rglob("*"):
            found = set(PLANTED.findall(one.read_bytes().lower())) & gone if one.is_file() else set()
            self.wrong += [f"forgotten, and in {one.name}: {word.decode()}" for word in found]

    def send_again(self, daemon: Daemon) -> None:
        """After the next start."""
        some = self.random.sample(self.acknowledged, min(SENT_AGAIN, len(self.acknowledged)))
        for body, answer in some:
            again = daemon.client.post("/v1/messages", json=body).json()
            if again["duplicates"] != len(body["messages"]) or again["message_ids"] != answer["message_ids"]:
                self.wrong.append(f"acknowledged, and not known again: {body['external_id']}")


class Starting:
    """`satchel serve` that nobody waits for."""

    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen(
            satchel("serve", "--data", str(data), "--port", str(random.Random(str(data)).randint(20_000, 60_000))),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _client(daemon: Daemon) -> httpx.Client:
    return httpx.Client(base_url=daemon.client.base_url, headers=daemon.client.headers, timeout=30)


def _until(look: Callable[[], bool], seconds: float = 5) -> None:
    """Waits until it is so, not for ever."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not look():
        time.sleep(0.005)


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def _rows(file: Path, sql: str) -> list[Any]:
    with _opened(file) as db:
        return db.execute(sql).fetchall()


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[apsw.Connection]:
    db = database.connect(file)
    try:
        yield db
    finally:
        db.close()


def faults(file: Path, expected: dict[str, str]) -> list[str]:
    """What is wrong in a store or backup that should hold these messages."""
    wrong = []
    try:
        with _opened(file) as db:
            if fault := soundness.damage(db, thorough=True):
                wrong.append(f"integrity: {fault}")
            if count := soundness.dangling(db):
                wrong.append(f"{count} rows point nowhere")
            held = dict(db.execute("SELECT id, content FROM message"))
            wrong += [f"lost: {row_id}" for row_id, content in expected.items() if held.get(row_id) != content]
            twice = db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM source s JOIN memory y ON y.pk = s.memory"
                ' GROUP BY s.message, s.revision, s.start, s."end", y.text, y.status HAVING count(DISTINCT y.pk) > 1)'
            ).get
            if twice:
                wrong.append(f"doubled: {twice} memories")
    except (apsw.Error, StoreError) as error:
        wrong.append(f"cannot be read: {error}")
    return wrong


def older_store(file: Path, turns: int = 2_000) -> None:
    """A store as the schema before the newest left it."""
    db = apsw.Connection(str(file))
    import sqlite_vec

    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    steps = database.migrations()[:-1]
    for _, sql in steps:
        db.execute(sql)
    source = random.Random(1)
    with db:
        db.execute("INSERT INTO profile VALUES (1, 'crash', 1)")
        db.execute(
            "INSERT INTO conversation VALUES (1, ?, 1, 's', 'x', NULL, NULL, 1, 1, 'd', '0000000000001-0000-d')",
            (new_id(),),
        )
        for n in range(1, turns + 1):
            content = " ".join(source.choice(SENTENCES).format(name="Ana", city="Porto") for _ in range(5))
            db.execute(
                "INSERT INTO message VALUES (?1, ?2, 1, ?2, NULL, 'user', ?3, x'00', 1, 1, 1, 1, ?1, 0, 'd', ?4)",
                (n, new_id(), content, f"0000000000001-{n:04x}-d"),
            )
            db.execute("INSERT INTO turn_words (rowid, text) VALUES (?, ?)", (n, content))
    db.pragma("application_id", database.APPLICATION_ID)
    db.pragma("user_version", steps[-1][0])
    db.close()


PHASES: tuple[str, ...] = ("capture", "extraction", "forgetting", "migration", "backup")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    folder = work_folder("crash")
    if options.fresh:
        shutil.rmtree(folder)
        folder = work_folder("crash")
    path = folder / "state.json"
    fresh = {
        "seed": options.seed,
        "rounds": 0,
        "store": 0,
        "kills": dict.fromkeys(PHASES, 0),
        "acknowledged": 0,
        "forgotten_in_all": 0,
        "backups": 0,
        "orphans": 0,
        "wrong": [],
        "starts": [],
        "seconds": 0.0,
        "messages": {},
        "forgotten": [],
    }
    state = load(path, fresh)
    _end_left_over(folder)
    template = folder / "older.db"
    template.unlink(missing_ok=True)
    older_store(template)
    last: Round | None = None
    while state["rounds"] < options.rounds:
        began = time.monotonic()
        data = folder / f"data-{state['store']}"
        if data.exists() and backup.size_of(data / backup.DATABASE) > ROTATED_BYTES:
            shutil.rmtree(data)
            state |= {"store": state["store"] + 1, "messages": {}, "forgotten": []}
            data, last = folder / f"data-{state['store']}", None
        data.mkdir(mode=0o700, exist_ok=True)
        this = Round(state["rounds"], state["seed"], data, Kept(state))
        phase = PHASES[state["rounds"] % len(PHASES)]
        forgotten = len(state["forgotten"])
        if phase == "migration":
            this.migration(template)
        else:
            daemon = Daemon(data, _token(data))
            state["starts"].append(round(daemon.started_in, 3))
            if last is not None:
                last.wrong.clear()
                last.send_again(daemon)
                this.wrong += last.wrong
            _until(lambda client=daemon.client: client.get("/health").json()["ready"], 60)
            work: Callable[[Daemon], None] = getattr(this, phase)
            work(daemon)
            daemon.client.close()
            this.check()
            last = this
        state["wrong"] += [f"round {this.number}, {phase}: {line}" for line in this.wrong]
        state["kills"][phase] += 1
        state["acknowledged"] += sum(len(answer["message_ids"]) for _, answer in this.acknowledged)
        state["forgotten_in_all"] += len(state["forgotten"]) - forgotten
        state["backups"] += this.backups
        state["orphans"] += this.orphans
        state["rounds"] += 1
        state["seconds"] += time.monotonic() - began
        save(path, state)
        print(
            f"{state['rounds']}/{options.rounds} {phase}: {len(this.acknowledged)} requests acknowledged, "
            f"{state['acknowledged']} messages in all, {len(state['wrong'])} wrong, "
            f"{state['seconds'] / state['rounds']:.1f} s a kill",
            flush=True,
        )
        for line in this.wrong[:20]:
            print(f"  {line}", flush=True)

    figures = figures_of(state)
    report("crash", "Killed in the midst of everything", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(state["wrong"]))


def _end_left_over(folder: Path) -> None:
    """Ends the daemon that an interrupted run left."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "satchel" in words and any(word.startswith(f"{folder}/") for word in words):
            process.kill()
            process.wait(10)


def _token(data: Path) -> str:
    file = data.parent / f"{data.name}.token"
    if not file.exists() or not (data / backup.DATABASE).exists():
        file.write_text(new_token(data))
    return file.read_text()


def figures_of(state: dict[str, Any]) -> dict[str, Any]:
    """The report's lines."""

    def count(word: str) -> int:
        return sum(f": {word}" in line for line in state["wrong"])

    starts = sorted(state["starts"])
    named = {f"kills_during_{phase}": kills for phase, kills in state["kills"].items()}
    lost = count("lost") + count("acknowledged, and not known") + count("half a request")
    doubled, forgotten = count("doubled"), count("forgotten, and in")
    return {
        "kills": state["rounds"],
        **named,
        "messages_acknowledged": state["acknowledged"],
        "of_these_lost": lost,
        "doubled": doubled,
        "conversations_acknowledged_as_forgotten": state["forgotten_in_all"],
        "of_these_found_in_a_file": forgotten,
        "backups_that_were_finished": state["backups"],
        "integrity_faults_and_others": len(state["wrong"]) - lost - doubled - forgotten,
        "model_processes_left_behind": state["orphans"],
        "start_after_a_kill_median_s": median(starts),
        "start_after_a_kill_longest_s": starts[-1],
        "seconds_a_kill": round(state["seconds"] / state["rounds"], 2),
    }


if __name__ == "__main__":
    main()
