"""Tries every attack of tests/attacks on a daemon with the real models, and writes docs/attacks.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from _campaign import ROOT, report

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]
os.environ.setdefault("SATCHEL_DATA", str(ROOT / "build" / "campaigns" / "nobody's"))

from api.running import running  # noqa: E402 - the tests' own rooms
from attacks.corpus import Tried, judge, load, plant  # noqa: E402

HEAD = """# Attacks by content

`./scripts/campaign hostile`

What a page, a document, an assistant or a client can plant, tried on a daemon with the default models: captured or
written, read for memories, recalled, put into a context in both styles, shown by the command line. Each line is an
attack of [tests/attacks](../tests/attacks/README.md), which says what is looked for in each; the test
`tests/attacks/test_attacks.py` tries them all as well. {failed} of {all} fail{rest}

"""
REMARKS = """What each attack is and what happened to it stands in [attacks.md](../attacks.md). An attack that succeeds
is one whose limit is known and written down; one that is "wrong" did what nobody expected."""


def cell(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text).replace("|", "\\|").replace("<", "&lt;")


def row(tried: Tried) -> str:
    attack = tried.attack
    if attack.limit and tried.wrong:
        told = f"**succeeds**: {attack.limit}"
    elif tried.wrong:
        told = f"**wrong**: {'; '.join(dict.fromkeys(tried.wrong))[:300]}"
    else:
        told = tried.told
    return f"| {attack.id} | {cell(attack.tries)} | {cell(told)} |"


def main() -> None:
    argparse.ArgumentParser(prog="scripts/campaign hostile", description=__doc__).parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as daemon:
        tried = [plant(daemon, attack) for attack in load()]
        for each in tried:
            judge(daemon, each)
            print(row(each), flush=True)
    known = [each for each in tried if each.wrong and each.attack.limit]
    wrong = [each for each in tried if each.wrong and not each.attack.limit]
    figures = {
        "attacks": len(tried),
        **{f"attacks_on_{kind}": n for kind, n in Counter(each.attack.id.split("-")[0] for each in tried).items()},
        "fail": len(tried) - len(known) - len(wrong),
        "succeed_and_their_limit_is_known": len(known),
        "wrong": len(wrong),
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    rest = f"; {len(known)} succeeds, and says why." if known else "."
    table = "\n".join(["| attack | tries | result |", "|---|---|---|", *map(row, tried)])
    head = HEAD.format(failed=figures["fail"], all=len(tried), rest=rest)
    (ROOT / "docs" / "attacks.md").write_text(f"{head}{table}\n", encoding="utf-8")
    report("hostile", "Attacks by content", figures, REMARKS)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
