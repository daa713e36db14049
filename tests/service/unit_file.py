"""How systemd reads a unit file's ExecStart, by systemd.syntax(7), systemd.service(5) and systemd.unit(5): written
apart from the code under test, which only writes and reads what it wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
SPECIFIERS = {"%": "%", "h": "/home/somebody", "u": "somebody", "n": "satchel.service", "t": "/run/user/1000"}
VARIABLES = {"HOME": "/home/somebody", "USER": "somebody"}


@dataclass
class Command:
    path: str
    argv: list[str]


def settings(text: str) -> dict[str, dict[str, str]]:
    """Section → key → value; the last one holds. Raises ValueError for a line that is none of them."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in text.split("\n"):
        if not line.strip() or line[0] in "#;":
            continue
        if header := re.fullmatch(r"\[(.+)\]", line):
            section = header[1]
            continue
        key, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z]+", key) or value.endswith("\\"):
            raise ValueError(line)
        found.setdefault(section, {})[key] = value.strip(" \t\r")
    return found


def exec_start(value: str, variables: Mapping[str, str] = VARIABLES) -> Command:
    first, *rest = split(value)
    prefix = re.match(r"[@:+!-]*", first)
    assert prefix is not None
    path = specified(first.removeprefix(prefix[0]))
    if set(path) & set("\"'\\") or not path.startswith("/"):
        raise ValueError(f"no program: {path}")
    argv = [path, *map(specified, rest)]
    if ":" not in prefix[0]:
        argv = [word for given in argv for word in substituted(given, variables)]
    return Command(path, argv)


def split(value: str) -> list[str]:
    words: list[str] = []
    word: str | None = None
    quote = ""
    at = 0
    while at < len(value):
        c = value[at]
        at += 1
        if c == "\\":
            word = word or ""
            escape = value[at]
            if escape == "x":
                word += chr(int(value[at + 1 : at + 3], 16))
                at += 3
            else:
                word += ESCAPES.get(escape, escape)
                if escape not in ESCAPES and escape not in "\\\"'":
                    raise ValueError(f"\\{escape}")
                at += 1
        elif c == quote:
            quote = ""
        elif not quote and c in "\"'":
            quote = c
            word = word or ""
        elif not quote and c in " \t\n\r":
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + c
    if quote:
        raise ValueError("an open quote")
    return words if word is None else [*words, word]


def specified(word: str) -> str:
    return re.sub(r"%(.?)", lambda found: SPECIFIERS[found[1]], word, flags=re.DOTALL)


def substituted(word: str, variables: Mapping[str, str]) -> list[str]:
    if alone := re.fullmatch(r"\$([A-Za-z_]\w*)", word, re.ASCII):
        return variables.get(alone[1], "").split()
    replaced = re.sub(
        r"\$(?:(\$)|\{([A-Za-z_]\w*)\})", lambda found: found[1] or variables.get(found[2], ""), word, flags=re.ASCII
    )
    return [replaced]
