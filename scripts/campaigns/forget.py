"""Forgets planted words by every way while capture goes on: no file of the data folder may hold a byte of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import _vectors
import httpx
from _campaign import Daemon, load, new_token, report, save, work_folder

from satchel.store.database import connect, fetch
from satchel.store.forget_plan import Way
from satchel.store.store import FILE_NAME
from satchel.times import to_iso

WAYS: tuple[Way, ...] = ("name", "conversation", "site", "span", "memory", "everything")
TURNS, MEMORIES = 4_000, 400
SENTENCES = 300
FRAGMENT = 6
"""Letters of a planted word that must not stand together in any file."""

SETTLE_SECONDS = 60
RARE = "qxzjvkwy"
LETTERS = "aeiou" + RARE * 3
"""Planted words are made of letters that English seldom puts side by side: six of them stand nowhere by chance."""

REMARKS = f"""A store of {TURNS:,} turns and {MEMORIES} memories with vectors is made once; the daemon runs on it
with its models, and a client captures all the while. Each round plants words that stand nowhere else, in a
conversation's turns, in the title and address that a site makes of them, in a turn's earlier wording and in a
memory written by hand where the way takes such; waits until the turns were read for memories and have their
vectors; asks for them, so that the models' processes and the daemon have read them; and notes them as inserted.
Then they are forgotten: by name, conversation, site, time span, memory (with the turns it was drawn from) or as
everything of a profile, in turn. When the call has answered, every file of the data folder is read here, apart
from Satchel's own reading, for each run of {FRAGMENT} letters of each planted word, in any case. Then the
conversation is sent again with its title, as by a page that is loaded anew, and the files are read once more.

A process that holds words in memory only while it runs is not looked into; that model processes are others
after each forgetting is a test (`tests/api/test_forget_calls.py`)."""


class Traffic:
    """A client that captures until it is told to stop. Only assistant's turns: they cost extraction little."""

    def __init__(self, daemon: Daemon, seed: str) -> None:
        self.captured = 0
        self.wrong: list[str] = []
        self._daemon = daemon
        self._seed = seed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        chooser = random.Random(self._seed)
        with httpx.Client(base_url=self._daemon.client.base_url, headers=self._daemon.client.headers) as client:
            while not self._stop.wait(0.05):
                chat = f"traffic-{self._seed}-{self.captured // 20}"
                said = f"{chooser.choice(_vectors.WHO)} {chooser.choice(_vectors.DID)} it, {chooser.random()}"
                message = {"role": "assistant", "content": said, "id": str(self.captured)}
                body = {"site": "traffic", "external_id": chat, "messages": [message]}
                answer = client.post("/v1/messages", json=body, timeout=120)
                if answer.status_code != 202 or answer.json()["accepted"] != 1:
                    self.wrong.append(f"a capture meanwhile: {answer.status_code} {answer.text[:200]}")
                self.captured += 1


class Round:
    """One forgetting: what is planted, how it is forgotten, what is left."""

    def __init__(self, number: int, seed: int, daemon: Daemon, data: Path) -> None:
        self.number, self.daemon, self.data = number, daemon, data
        self.way = WAYS[number % len(WAYS)]
        chooser = random.Random(f"{seed}-{number}")
        self.words = ["".join(chooser.choices(LETTERS, k=chooser.randint(9, 13))).title() for _ in range(5)]
        self.profile = f"gone-{number}" if self.way == "everything" else "me"
        self.site = f"planted-{number}"
        self.day = 915_148_800_000 + number * 86_400_000  # from 1999 on: nothing else was said then
        self.wrong: list[str] = []

    def body(self, *, edited: bool) -> dict[str, Any]:
        name, city, pet, street, hobby = self.words
        said = [
            f"My sister {name} lives in {city} and keeps {'two ' if edited else ''}{pet} cats, says {name}.",
            f"That is good to know about {name} and {pet}.",
            f"I moved to {street} with {name}, and I love {hobby} more than anything {name} does in {city}.",
        ]
        return {
            "profile": self.profile,
            "site": self.site,
            "external_id": f"chat-{self.number}",
            "title": f"{name} and {hobby}",
            "url": f"https://chat.test/{name.lower()}-{street.lower()}",
            "messages": [
                {
                    "id": f"p{self.number}-{at}",
                    "role": "assistant" if at == 1 else "user",
                    "content": content,
                    "sent_at": to_iso(self.day + at * 60_000),
                }
                for at, content in enumerate(said)
            ],
        }

    def plant(self) -> dict[str, Any]:
        call = self.daemon.client
        name, city, *_ = self.words
        ok(call.post("/v1/messages", json=self.body(edited=False)))
        done: dict[str, Any] = ok(call.post("/v1/messages", json=self.body(edited=True)))
        if self.way in ("name", "everything"):
            text = f"{name} in {city} has her birthday in May"
            ok(call.post("/v1/memories", json={"profile": self.profile, "text": text, "kind": "fact"}))
        self.wait(done)
        question = f"Where does {name} live, in {city}?"
        ok(call.post("/v1/recall", json={"profile": self.profile, "query": question}))
        asked = {"profile": self.profile, "query": question, "site": self.site, "external_id": "elsewhere"}
        context = ok(call.post("/v1/context", json=asked))
        inserted = {"inserted": [hit["id"] for hit in context["hits"]], "external_id": "elsewhere"}
        ok(call.post(f"/v1/injections/{context['injection_id']}", json=inserted))
        return done

    def wait(self, done: dict[str, Any]) -> None:
        """Until the turns were read for memories, and they and these have their vectors."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            job = ok(self.daemon.client.get(f"/v1/jobs/{done['job_id']}"))
            with contextlib.closing(connect(self.data / FILE_NAME, readonly=True)) as db:
                ((turns,),) = fetch(
                    db,
                    "SELECT count(*) FROM turn_vector v JOIN message m ON m.pk = v.pk"
                    " WHERE m.id IN (SELECT value FROM json_each(?))",
                    (json.dumps(done["message_ids"]),),
                )
            if job["status"] in ("completed", "failed") and turns == len(done["message_ids"]):
                return
            time.sleep(0.05)
        self.wrong.append("the planted turns were not read in time")

    def what(self, done: dict[str, Any]) -> dict[str, Any]:
        match self.way:
            case "name":
                return {"name": self.words[0].upper()}
            case "conversation":
                return {"conversation": done["conversation_id"]}
            case "site":
                return {"site": self.site}
            case "span":
                return {"since": to_iso(self.day), "until": to_iso(self.day + 86_400_000)}
            case "everything":
                return {"profile": self.profile, "everything": True}
        return {}

    def forget(self, done: dict[str, Any]) -> list[dict[str, Any]]:
        """The receipts: more than one where each memory is forgotten with its turns."""
        call = self.daemon.client
        if self.way != "memory":
            return [ok(call.post("/v1/forget", json={"preview": False} | self.what(done), timeout=120))["receipt"]]
        found = []
        while derived := self.derived():
            body = {"memory": derived[0], "messages": True, "preview": False}
            found.append(ok(call.post("/v1/forget", json=body, timeout=120))["receipt"])
        # The assistant's turn, and what no memory was drawn from.
        rest = {"conversation": done["conversation_id"], "preview": False}
        found.append(ok(call.post("/v1/forget", json=rest, timeout=120))["receipt"])
        return found

    def derived(self) -> list[str]:
        with contextlib.closing(connect(self.data / FILE_NAME, readonly=True)) as db:
            rows = fetch(
                db,
                "SELECT DISTINCT y.id FROM memory y JOIN source s ON s.memory = y.pk JOIN message m ON m.pk = s.message"
                " JOIN conversation c ON c.pk = m.conversation WHERE c.site = ? ORDER BY y.pk",
                (self.site,),
            )
        return [row[0] for row in rows]

    def left(self) -> int:
        """Bytes of the planted words in any file."""
        found = 0
        fragments = {
            word.lower()[at : at + FRAGMENT].encode() for word in self.words for at in range(len(word) - FRAGMENT + 1)
        }
        for file in sorted(path for path in self.data.rglob("*") if path.is_file()):
            with contextlib.suppress(FileNotFoundError):
                raw = file.read_bytes().lower()
                hits = [fragment for fragment in fragments if fragment in raw]
                found += sum(map(len, hits))
                if hits:
                    self.wrong.append(f"{len(hits)} fragments in {file.name}")
        return found

    def run(self) -> dict[str, Any]:
        done = self.plant()
        memories = len(self.derived())
        began = time.monotonic()
        receipts = self.forget(done)
        took = (time.monotonic() - began) / len(receipts)
        left = self.left()
        again = ok(self.daemon.client.post("/v1/messages", json=self.body(edited=True)))
        if again["accepted"] or again["forgotten"] != len(again["message_ids"]):
            self.wrong.append(f"came back: {again['accepted']} of {len(again['message_ids'])} turns")
        return {
            "way": self.way,
            "seconds": round(took, 3),
            "forgettings": len(receipts),
            "memories": memories,
            "found": left + self.left(),
            "told": sum(receipt["bytes_found"] for receipt in receipts),
            "rewritten": sum(receipt["rewritten"] for receipt in receipts),
            "files": sum(receipt["files"] for receipt in receipts),
            "wrong": self.wrong,
        }


def ok(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise RuntimeError(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign forget", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    folder = work_folder("forget")
    if options.fresh:
        shutil.rmtree(folder)
        folder = work_folder("forget")
    path, data = folder / "state.json", folder / "data"
    state = load(path, {"seed": options.seed, "rounds": [], "captured": 0, "wrong": []})
    if not path.exists():
        shutil.rmtree(data, ignore_errors=True)
        source = _vectors.source(options.seed, SENTENCES, 1)
        _vectors.fill(data, source, turns=TURNS, known=MEMORIES, seed=options.seed)
        save(path, state)

    token = new_token(data)
    daemon = Daemon(data, token)
    try:
        ok(daemon.client.post("/v1/extraction", json={"paused": False}))
        while len(state["rounds"]) < options.rounds:
            number = len(state["rounds"])
            # What an interrupted run of this round left would not be new to the next.
            stamp = f"{state['seed']}-{number}-{int(time.time())}"
            with Traffic(daemon, stamp) as traffic:
                this = Round(number, state["seed"], daemon, data).run()
            state["captured"] += traffic.captured
            state["wrong"] += [f"round {number} ({this['way']}): {line}" for line in (*this["wrong"], *traffic.wrong)]
            state["rounds"].append(this)
            save(path, state)
            print(f"{number + 1}/{options.rounds}  {this}", flush=True)
    finally:
        daemon.stop()

    rounds = state["rounds"]
    seconds = sorted(one["seconds"] for one in rounds)
    figures = {
        "forgettings": sum(one["forgettings"] for one in rounds),
        "rounds_by_way": ", ".join(f"{way} {count}" for way, count in Counter(one["way"] for one in rounds).items()),
        "planted_words": 5 * len(rounds),
        "memories_drawn_from_them": sum(one["memories"] for one in rounds),
        "turns_captured_meanwhile": state["captured"],
        "bytes_found_in_any_file": sum(one["found"] for one in rounds),
        "bytes_found_by_satchel_itself": sum(one["told"] for one in rounds),
        "database_rewritten": sum(one["rewritten"] for one in rounds),
        "anything_wrong": len(state["wrong"]),
        "database_MB": round((data / FILE_NAME).stat().st_size / 1e6),
        "answer_median_s": round(median(seconds), 3),
        "answer_longest_s": seconds[-1],
    }
    report("forget", "Forgotten while capture goes on", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    for line in state["wrong"]:
        print(line)
    sys.exit(bool(state["wrong"] or figures["bytes_found_in_any_file"]))


if __name__ == "__main__":
    main()
