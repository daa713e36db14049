"""Asks every route and more than 50 paths that do not exist in every wrong way: nobody gets in, nothing changes."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from _campaign import ROOT, load, report, save, work_folder

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from api import guard_table  # noqa: E402
from api.guard_table import Attack, Prepared, Target, Tried  # noqa: E402
from api.running import running  # noqa: E402

REMARKS = """Each round starts a daemon on an empty data folder, puts a secret into the profile `me`, makes a token of
each kind, and lets a pairing wait. Then it goes through `tests/api/guard_table.py`: every call of the OpenAPI
document with a valid body, whatever else is served, and paths that do not exist (the commonest, and some of chance),
in every way of asking that must get nothing. "Refused" is the very status that is owed, with neither the secret nor
an id of what it lies in, and nothing that lets a browser hand the answer to a page. "Open to all" are the calls that
need no token: `/health`, the OpenAPI document, and asking to pair, which an unpaired extension may too. "Only its
own" are lists that a client of another profile may read, and in which nothing of `me` stood. All rows of all tables
are compared before and after, but for the time at which a client last asked; and the pairing must still wait. Where
too much was asked at once (429), it was asked again."""


def attempt(http: httpx.Client, prepared: Prepared, attack: Attack, target: Target) -> Tried | None:
    while True:
        result = guard_table.attempt(http, prepared, attack, target)
        if result is None or (result.verdict, result.status) != ("let in", 429):
            return result
        time.sleep(0.5)


def one_round(folder: Path, seed: int) -> tuple[dict[str, Counter[str]], list[str], list[str]]:
    """What became of all attempts by attack, what was let in, and what changed."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    chance = random.Random(seed)
    with (
        running(data, models=folder / "no-models") as daemon,
        httpx.Client(base_url=daemon.url, timeout=30, trust_env=False) as http,
    ):
        prepared = Prepared(daemon)
        targets = prepared.targets(seed)
        before = guard_table.dump(data)
        tried = {
            (attack.name, target.label): result
            for attack in guard_table.attacks(prepared, chance)
            for target in targets
            if (result := attempt(http, prepared, attack, target))
        }
        changed = guard_table.changed(before, guard_table.dump(data))
        waiting = prepared.collect()
        if waiting.status_code != 202:
            changed.append(f"the pairing: {waiting.status_code}")
    let_in = [f"{attack}: {label} {r.status}" for (attack, label), r in tried.items() if r.verdict == "let in"]
    return guard_table.counted(tried), let_in, changed


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign guard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    folder = work_folder("guard")
    path = folder / "state.json"
    if options.fresh:
        path.unlink(missing_ok=True)
    state: dict[str, Any] = load(path, {"rounds": 0, "attacks": {}, "let_in": [], "changed": []})
    while state["rounds"] < options.rounds:
        counted, let_in, changed = one_round(folder, state["rounds"])
        for attack, verdicts in counted.items():
            state["attacks"][attack] = dict(Counter(state["attacks"].get(attack, {})) + verdicts)
        state["let_in"] += let_in
        state["changed"] += changed
        state["rounds"] += 1
        save(path, state)
        print(f"{state['rounds']}/{options.rounds}  {len(let_in)} let in, {len(changed)} changed", flush=True)
        for line in (*let_in, *changed):
            print(f"  {line}", flush=True)

    figures: dict[str, Any] = {
        "rounds": state["rounds"],
        "requests": sum(sum(verdicts.values()) for verdicts in state["attacks"].values()),
        "let_in": len(state["let_in"]),
        "tables_changed": len(state["changed"]),
    }
    for attack, verdicts in state["attacks"].items():
        figures[attack] = ", ".join(
            f"{number:,} {verdict}" for verdict, number in sorted(verdicts.items(), reverse=True)
        )
    report("guard", "Asked in every wrong way", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(state["let_in"] or state["changed"]))


if __name__ == "__main__":
    main()
