"""The attacks of this folder's files, and what happens when one is tried on a running daemon.

Each goes the real way: captured or written through the API, read for memories by the real models, recalled, put into a
context in both styles, and shown by the command line. `README.md` says what a line of the files holds.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.running import Running, command
from satchel import marker
from satchel.recall import layout
from satchel.recall.lookalikes import skeleton
from satchel.types import STATUSES

FOLDER = Path(__file__).parent
PAIRING_CHALLENGE = "0" * 64


class Planted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A memory written by hand, `copies` times ("{n}" is which)."""

    text: str
    key: str | None = None
    tags: tuple[str, ...] = ()
    kind: str = "fact"
    pinned: bool = False
    copies: int = 1


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said: `content` written `times` times over, in `copies` turns."""

    role: str
    content: str
    times: int = 1
    copies: int = 1


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of a file: see README.md."""

    id: str
    tries: str
    query: str = ""
    turns: tuple[Turn, ...] = ()
    conversations: int = 1
    memories: tuple[Planted, ...] = ()
    profile: str | None = None
    site: str = "attack.example"
    external_id: str = "c"
    title: str | None = None
    url: str | None = None
    client: str | None = None
    reaches: bool = False
    natural: bool = False
    terminal: bool = False
    unharmed: bool = False
    apart: bool = False
    refused: int | None = None
    not_in_context: tuple[str, ...] = ()
    in_context: tuple[str, ...] = ()
    most: dict[str, int] = {}
    not_the_users: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()
    limit: str | None = None

    @property
    def where(self) -> str:
        return self.profile or self.id


def load() -> list[Attack]:
    return [
        # What tokens begin with is put in here, so that nobody takes the file for one that leaks any.
        msgspec.json.decode(line.replace("{github}", "ghp" + "_"), type=Attack)
        for file in sorted(FOLDER.glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]


class Tried(msgspec.Struct):
    """What came of an attack: `wrong` is empty where it failed, `told` says in a few words what happened instead."""

    attack: Attack
    wrong: list[str]
    told: str = ""
    jobs: list[str] = []


def plant(daemon: Running, attack: Attack) -> Tried:
    """Sends what the attack plants; it is read for memories meanwhile."""
    tried = Tried(attack, [], jobs=[])
    if attack.client is not None:
        body = {"client": attack.client, "challenge": PAIRING_CHALLENGE}
        answer = daemon.call("POST", "/v1/pair", body)
        if answer.status_code != 400:
            tried.wrong.append(f"asking to be paired was answered {answer.status_code}")
        tried.told = "refused"
        return tried
    for planted in attack.memories:
        for n in range(planted.copies):
            body = {"text": planted.text.replace("{n}", str(n)), "profile": attack.where, "tags": list(planted.tags)}
            body |= {"kind": planted.kind, "pinned": planted.pinned}
            if planted.key is not None:
                body["key"] = planted.key
            daemon.ok("POST", "/v1/memories", body)
    if attack.turns:
        messages = [
            {"role": turn.role, "content": turn.content * turn.times, "id": f"{at}-{n}"}
            for at, turn in enumerate(attack.turns)
            for n in range(turn.copies)
        ]
        for n in range(attack.conversations):
            said = {"site": attack.site, "external_id": f"{attack.external_id}{n or ''}", "messages": messages}
            said |= {"profile": attack.where, "title": attack.title, "url": attack.url}
            answer = daemon.call("POST", "/v1/messages", said)
            if attack.refused is not None:
                tried.told = "refused"
                if answer.status_code != attack.refused:
                    tried.wrong.append(f"capture was answered {answer.status_code}, not {attack.refused}")
                return tried
            if answer.status_code != 202:
                tried.wrong.append(f"capture was answered {answer.status_code}: {answer.text[:200]}")
                return tried
            tried.jobs.append(answer.json()["job_id"])
    return tried


def judge(daemon: Running, tried: Tried) -> None:
    """Looks at everything that the attack can have reached, and writes down what is wrong."""
    attack = tried.attack
    if attack.refused is not None or attack.client is not None:
        if attack.where in [profile["name"] for profile in daemon.ok("GET", "/v1/profiles")["profiles"]]:
            tried.wrong.append("something was kept under the refused name")
        return
    for job in tried.jobs:
        done = daemon.finished(job)
        if done["status"] != "completed":
            tried.wrong.append(f"reading it failed: {done['error']}")
    memories = [memory for status in STATUSES for memory in _memories(daemon, attack.where, status)]
    _judge_kept(daemon, tried, memories)
    _judge_authors(tried, memories)
    _judge_contexts(daemon, tried, memories)
    if attack.apart:
        for other in ("me", "me-names"):
            if daemon.ok("POST", "/v1/context", {"query": attack.query, "profile": other})["context"]:
                tried.wrong.append(f"it is found in the profile {other!r}")
    if attack.terminal:
        _judge_terminal(daemon, tried)
    if not tried.wrong:
        tried.told = tried.told or "stays data"


def _memories(daemon: Running, profile: str, status: str) -> Iterator[dict[str, Any]]:
    yield from daemon.ok("GET", "/v1/memories", params={"profile": profile, "status": status, "size": 1000})["items"]


def _judge_kept(daemon: Running, tried: Tried, memories: list[dict[str, Any]]) -> None:
    attack = tried.attack
    if not (attack.not_kept or attack.kept):
        return
    found = daemon.ok("GET", "/v1/conversations", params={"profile": attack.where})["items"]
    log = [daemon.ok("GET", f"/v1/conversations/{each['id']}") for each in found]
    everything = json.dumps([log, found, memories], ensure_ascii=False)
    tried.wrong += [f"kept: {words!r}" for words in attack.not_kept if json.dumps(words)[1:-1] in everything]
    tried.wrong += [f"lost: {words!r}" for words in attack.kept if words not in everything]
    if attack.not_kept:
        tried.told = "taken out, or masked" if attack.id.startswith(("marker", "secrets")) else "not kept"


def _judge_authors(tried: Tried, memories: list[dict[str, Any]]) -> None:
    """Nothing that an assistant or a document said is the user's, in whatever state."""
    for memory in memories:
        if not memory["sources"]:
            continue  # written by hand
        for pattern in tried.attack.not_the_users:
            text = " ".join([memory["text"], memory["key"], *memory["tags"], memory["reasoning"] or ""])
            if memory["said_by"] == "user" and re.search(pattern, text, re.IGNORECASE):
                tried.wrong.append(f"became the user's ({memory['status']}): {memory['text']!r}")
    if tried.attack.not_the_users:
        tried.told = "nobody's memory" if not memories else "not the user's"


# The context


_LINE = re.compile(r"- \[\d{4}-\d\d-\d\d\] (?:\[[^\]]*\] )*(?P<text>.+)")
_POSES = re.compile(
    r"\W*(?:system|assistant|user|human|developer|tool|function|model|instructions?|response)[\s*_\])|]*:"
)


def _frame() -> re.Pattern[str]:
    """Every line that `layout` writes of its own."""
    lines: list[str] = []
    for words in (layout.ENGLISH_FULL, layout.ENGLISH_COMPACT, layout.CHINESE_FULL, layout.CHINESE_COMPACT):
        lines += [words.role, words.time, *words.headings.values(), *words.checks, words.answer, words.end]
    return re.compile("|".join(re.escape(line).replace(r"\{now\}", r"[\d :-]+") for line in lines if line))


FRAME = _frame()


def broken(context: str, query: str, hits: int) -> list[str]:
    """How a context fails to be one block of one line a hit, with nothing in it that poses, hides or ends it."""
    wrong: list[str] = []
    if not context:
        return wrong
    first, *inner, last = context.split("\n")
    if (first, last) != (marker.BEGIN, marker.END):
        wrong.append("the block does not stand between its marker lines")
    if marker.strip("\n".join(inner))[1]:
        wrong.append("a marker stands inside the block")
    if marker.strip(f"{context}\n\n{query}") != (marker.strip(query)[0], 1):
        wrong.append("taking the block out does not leave the prompt")
    items = 0
    for line in inner:
        if FRAME.fullmatch(line):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            wrong.append(f"a line of its own: {line[:80]!r}")
            continue
        items += 1
        if _POSES.match(skeleton(match["text"])):
            wrong.append(f"poses as a role: {line[:80]!r}")
    if items != hits:
        wrong.append(f"{items} lines for {hits} hits")
    hidden = {c for c in context if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}
    hidden |= {c for c in context if 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF or c in "\u3164\u115f"}
    if hidden:
        wrong.append(f"unseen characters: {sorted(map(hex, map(ord, hidden)))}")
    return wrong


def _judge_contexts(daemon: Running, tried: Tried, memories: list[dict[str, Any]]) -> None:
    attack = tried.attack
    asked = {"query": attack.query, "profile": attack.where}
    answer = daemon.call("POST", "/v1/recall", asked | {"limit": 100})
    if answer.status_code != 200:
        tried.wrong.append(f"the question was answered {answer.status_code}: {answer.text[:200]}")
        return
    found = answer.json()["hits"]
    ids = list(dict.fromkeys([memory["id"] for memory in memories[:50]] + [hit["id"] for hit in found]))[:100]
    wholes = [asked, asked | {"style": "full"}, asked | {"style": "compact"}]
    chosen = (
        [asked | {"style": style, "only": ids, "budget_tokens": 16_000} for style in ("full", "compact")] if ids else []
    )
    for at, body in enumerate(wholes + chosen):
        given = daemon.ok("POST", "/v1/context", body)
        context = given["context"]
        tried.wrong += broken(context, attack.query, len(given["hits"]))
        if at == 0 and attack.natural:
            tried.wrong += [f"pushed out of the context: {w!r}" for w in attack.in_context if w not in context]
            for words, most in attack.most.items():
                count = sum(words in line for line in context.split("\n"))
                if count > most:
                    tried.wrong.append(f"{count} lines of the context hold {words!r}")
                tried.told = f"the true memory is there, beside {count} planted lines"
        tried.wrong += [f"in the context: {words!r}" for words in attack.not_in_context if words in context]
        if attack.reaches and at >= len(wholes) and not given["hits"]:
            tried.wrong.append("it never reached a context, so that nothing is shown by it")
    if attack.reaches:
        tried.told = tried.told or "one line of data in the block"
    if attack.unharmed:
        tried.told = tried.told or "answered, and nothing broke"


# The terminal


def unprintable(shown: str) -> list[str]:
    """The characters of a terminal's output that it would obey, or not show."""
    return sorted({hex(ord(c)) for c in shown if c != "\n" and not c.isprintable()})


def _judge_terminal(daemon: Running, tried: Tried) -> None:
    attack = tried.attack
    for arguments in (
        ("memories", "--profile", attack.where),
        ("memories", "--profile", attack.where, "--json"),
        ("search", attack.query, "--profile", attack.where),
        ("context", attack.query, "--profile", attack.where),
    ):
        done = command(arguments[0], "--data", daemon.data, *arguments[1:])
        if done.returncode:
            tried.wrong.append(f"satchel {arguments[0]} ended with {done.returncode}: {done.stderr[-200:]}")
        if found := unprintable(done.stdout + done.stderr):
            tried.wrong.append(f"satchel {' '.join(arguments)} printed {found}")
        tried.wrong += [f"satchel {arguments[0]} showed {w!r}" for w in attack.not_shown if w in done.stdout]
    tried.told = "shown as text"
