#!/usr/bin/env python3
"""Captures chats from a file through the API of a daemon of its own, and checks what became of them.

    .venv/bin/python scripts/eval_capture.py FILE [--list]

FILE is JSON: a list of chats, each a list of {role, content} or an object that holds one under `messages`, `turns` or
`conversation`. Every message must stand in the log byte for byte, every job must finish, and every memory's quote must
stand in its message. Prints what came out; exits 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_main import daemon


def turns_of(chat: Any) -> list[dict[str, str]]:
    if isinstance(chat, dict):
        chat = next(chat[name] for name in ("messages", "turns", "conversation", "chat") if name in chat)
    return [{"role": m.get("role") or m["from"], "content": m.get("content") or m["text"]} for m in chat]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--list", action="store_true", help="list every memory")
    arguments = parser.parse_args()
    loaded = json.loads(arguments.file.read_text("utf-8"))
    chats = [turns_of(chat) for chat in (loaded.values() if isinstance(loaded, dict) else loaded)]
    sent = lost = unfinished = misquoted = 0
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder)) as running:
        stored = []
        for number, turns in enumerate(chats):
            body = {"site": "eval", "external_id": str(number), "messages": turns}
            stored.append(running.call("POST", "/v1/messages", body))
        started = time.monotonic()
        for answer in stored:
            while (job := running.call("GET", f"/v1/jobs/{answer['job_id']}"))["status"] not in ("completed", "failed"):
                time.sleep(0.1)
            unfinished += job["status"] != "completed"
        seconds = time.monotonic() - started
        texts: dict[str, str] = {}
        for turns, answer in zip(chats, stored, strict=True):
            logged = running.call("GET", f"/v1/conversations/{answer['conversation_id']}")["messages"]
            kept = {m["id"]: m["content"] for m in logged}
            texts |= kept
            for turn, message_id in zip(turns, answer["message_ids"], strict=True):
                sent += 1
                lost += kept.get(message_id) != turn["content"]
        page = running.call("GET", "/v1/memories?size=1000")
        found = {m["id"]: m for m in page["items"]}
        for memory in found.values():
            for source in memory["sources"]:
                said = texts[source["message_id"]][source["start"] : source["end"]]
                misquoted += said != source["quote"] or not said
    asked = sum(m["role"] == "user" for turns in chats for m in turns)
    if arguments.list:
        for memory in found.values():
            print(f"- {memory['kind']}: {memory['text']}  <- {memory['sources'][0]['quote']!r}")
    print(f"{len(chats)} chats, {sent} messages, {asked} of them the user's; read in {seconds:.1f} s")
    print(f"messages not in the log byte for byte: {lost}")
    print(f"jobs not completed: {unfinished}")
    print(f"memories: {len(found)} ({100 * len(found) / max(asked, 1):.1f} per 100 user turns), misquoted: {misquoted}")
    raise SystemExit(bool(lost or unfinished or misquoted))


if __name__ == "__main__":
    main()
