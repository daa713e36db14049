"""The whole way of a message on a daemon of its own, as `python whole_way.py DATA`; prints what came of it as JSON.

Where the network ends, or is watched, is up to whoever starts it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path

from api.running import command, running

SAID = ("I moved to Porto in March and I work there as a vet.", "I prefer trains to planes whenever I travel.")
QUESTION = "How should I travel to Lyon?"


def can_leave() -> bool:
    """Whether a packet finds a way off this machine: nobody's address (RFC 5737) is asked for, by UDP."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return True
    return False


def main(data: Path, *, look_outside: bool) -> None:
    told = {"can_leave": can_leave() if look_outside else None}
    with running(data) as daemon:
        job = daemon.finished(daemon.capture(*SAID)["job_id"])
        hits = daemon.ok("POST", "/v1/recall", {"query": QUESTION, "explain": True})["hits"]
        context = daemon.ok("POST", "/v1/context", {"query": QUESTION})["context"]
        commands = [("search", QUESTION), ("context", QUESTION), ("memories",), ("jobs",), ("doctor",)]
        exits = {name: command(name, "--data", data, *rest).returncode for name, *rest in commands}
        for place in ("models", "settings", "backups"):
            daemon.ok("GET", f"/v1/{place}")
        told |= {
            "job": job["status"],
            "memories": [daemon.ok("GET", f"/v1/memories/{each}")["text"] for each in job["memory_ids"]],
            "signs": sorted({reason["sign"] for hit in hits for reason in hit["reasons"]}),
            "context": context,
            "exits": exits,
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), look_outside="--look-outside" in sys.argv)
