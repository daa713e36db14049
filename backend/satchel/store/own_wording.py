"""What Satchel says of itself in its log: a forgotten word that is no more than this was not kept there.

A line is `DATE TIME LEVEL LOGGER: MESSAGE` (logs.Formatter). All before the message is nobody's words, and so are the
type and place of an error. Of the messages themselves, what the program's own source says where it logs or fails.
"""

from __future__ import annotations

import ast
import builtins
import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

_BEFORE_THE_MESSAGE = rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [a-z]+ [\w.-]+: "
_PLACE = rb"(?:\w+ )?\bat (?:(?:[/\\]|[a-z]:\\)[^\n:]*|[\w.<>-]+):\d+"
_FIXED = re.compile(rb"(?m)" + _BEFORE_THE_MESSAGE + rb"|" + _PLACE)


def messages(lowered: bytes) -> bytes:
    """The messages of a log, whose ASCII letters are lower-case."""
    return _FIXED.sub(b"\n", lowered)


def said_by_itself(words: Iterable[bytes], data: Path) -> set[bytes]:
    """Which of these lower-case words the program may write into its log whatever it was told: in a message or an
    error of its own, of the system's, or as part of the data folder's path."""
    left = set(words)
    known = [str(data), *(os.strerror(code) for code in errno.errorcode), *dir(builtins)]
    found = _in_any(left, known)
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_bytes()
        lowered = source.lower()
        if any(word in lowered for word in left - found):
            found |= _in_any(left - found, _said(ast.parse(source)))
    return found


def _in_any(words: set[bytes], texts: Iterable[str]) -> set[bytes]:
    whole = "\n".join(texts).lower().encode()
    return {word for word in words if word in whole}


def _said(tree: ast.AST) -> Iterator[str]:
    """The texts in calls of a logger, in those of an error's type, and in functions that make an error."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"))):
                yield from _texts(node)
            case ast.Call(func=ast.Name(id=name)) | ast.FunctionDef(returns=ast.Name(id=name)) if name.endswith(
                "Error"
            ):
                yield from (name, *_texts(node))


def _texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value
