"""Kills the daemon in the midst of captures: what it acknowledged must still be there."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import apsw
import httpx
import psutil
from _campaign import Daemon, load, new_token, report, save, work_folder

SENDERS = 3
REMARKS = """Each round starts the daemon on the same, growing data folder, sends conversations from several threads,
and kills it with SIGKILL at a random moment: in half the rounds with its model process, in half alone. Before
the next start SQLite's own integrity check is run on the file; after it, every message that had been
acknowledged must be in the log letter for letter, and sending everything again must find each acknowledged
message as a duplicate with the same id, and add nothing twice.

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


class Round:
    """What was sent, and what was acknowledged, between one start of the daemon and its end."""

    def __init__(self, number: int, seed: int) -> None:
        self.random = random.Random(f"{seed}-{number}")
        self.bodies = [self.conversation(number, n) for n in range(SENDERS * 200)]
        self.acknowledged: dict[int, dict[str, Any]] = {}

    def conversation(self, number: int, n: int) -> dict[str, Any]:
        def text() -> str:
            words = self.random.choice(SENTENCES)
            return words.format(name=self.random.choice(NAMES), city=self.random.choice(CITIES))

        messages = [
            {"id": f"{number}-{n}-{i}", "role": "assistant" if i % 2 else "user", "content": text()}
            for i in range(self.random.randint(1, 5))
        ]
        return {"profile": "kill", "site": "campaign", "external_id": f"{number}-{n}", "messages": messages}

    def send(self, daemon: Daemon, sender: int) -> None:
        with httpx.Client(base_url=daemon.client.base_url, headers=daemon.client.headers, timeout=30) as client:
            for n in range(sender, len(self.bodies), SENDERS):
                try:
                    answer = client.post("/v1/messages", json=self.bodies[n])
                except httpx.TransportError:
                    return  # it was killed
                if answer.status_code != 202:
                    raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
                self.acknowledged[n] = answer.json()

    def run(self, daemon: Daemon) -> int:
        """Sends until the daemon is killed; returns how many of its children outlived it by ten seconds."""
        children = psutil.Process(daemon.process.pid).children(recursive=True)
        senders = [threading.Thread(target=self.send, args=(daemon, n)) for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        # Short and long waits alike: in the first commit, and in the middle of extraction.
        time.sleep(10 ** self.random.uniform(-2.3, 0.3))
        children += psutil.Process(daemon.process.pid).children(recursive=True)
        daemon.kill(group=self.random.random() < 0.5)
        for sender in senders:
            sender.join()
        _, alive = psutil.wait_procs(set(children), timeout=10)
        return len(alive)

    def check(self, daemon: Daemon) -> list[str]:
        """What is wrong, after the next start."""
        wrong = []
        for n, answer in self.acknowledged.items():
            found = daemon.client.get(f"/v1/conversations/{answer['conversation_id']}")
            text = json.dumps(found.json(), ensure_ascii=False)
            for message, ours in zip(self.bodies[n]["messages"], answer["message_ids"], strict=True):
                content = json.dumps(message["content"], ensure_ascii=False)
                if found.status_code != 200 or ours not in text or content not in text:
                    wrong.append(f"acknowledged and lost: {ours} {content}")
        for n, body in enumerate(self.bodies):
            if n > max(self.acknowledged, default=0) + SENDERS:
                break
            count = len(body["messages"])
            again = daemon.client.post("/v1/messages", json=body).json()
            if n in self.acknowledged and (
                again["duplicates"] != count or again["message_ids"] != self.acknowledged[n]["message_ids"]
            ):
                wrong.append(f"acknowledged, and not known again: {body['external_id']}")
            if again["accepted"] not in {0, count}:
                wrong.append(f"half a request was kept: {body['external_id']}")
        return wrong


def integrity(data: Path) -> list[str]:
    """What SQLite finds wrong in the files under `data`."""
    wrong = []
    for file in data.glob("**/*.sqlite"):
        connection = apsw.Connection(str(file))
        connection.enable_load_extension(True)
        import sqlite_vec

        connection.load_extension(sqlite_vec.loadable_path())
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        connection.close()
        wrong += [f"{file.name}: {line}" for line in found if line != "ok"]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign kill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    folder = work_folder("kill")
    if options.fresh:
        shutil.rmtree(folder)
        folder = work_folder("kill")
    data = folder / "data"
    data.mkdir(exist_ok=True)
    path = folder / "state.json"
    fresh = {"seed": options.seed, "rounds": 0, "messages": 0, "orphans": 0, "wrong": [], "starts": []}
    state = load(path, fresh)
    token = new_token(data)

    while state["rounds"] < options.rounds:
        this = Round(state["rounds"], state["seed"])
        daemon = Daemon(data, token)
        state["starts"].append(round(daemon.started_in, 3))
        state["orphans"] += this.run(daemon)
        wrong = integrity(data)
        daemon = Daemon(data, token)
        try:
            wrong += this.check(daemon)
        finally:
            daemon.kill()
        state["wrong"] += [f"round {state['rounds']}: {line}" for line in wrong]
        state["messages"] += sum(len(answer["message_ids"]) for answer in this.acknowledged.values())
        state["rounds"] += 1
        save(path, state)
        print(
            f"{state['rounds']}/{options.rounds}  {len(this.acknowledged)} requests acknowledged, "
            f"{state['messages']} messages in all, {len(state['wrong'])} wrong",
            flush=True,
        )
        for line in wrong:
            print(f"  {line}", flush=True)

    starts = sorted(state["starts"])
    figures = {
        "kills": state["rounds"],
        "messages_acknowledged": state["messages"],
        "lost_or_wrong": len(state["wrong"]),
        "model_processes_left_behind": state["orphans"],
        "start_after_a_kill_median_s": median(starts),
        "start_after_a_kill_longest_s": starts[-1],
    }
    report("kill", "Killed in the midst of captures", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(state["wrong"]))


if __name__ == "__main__":
    main()
