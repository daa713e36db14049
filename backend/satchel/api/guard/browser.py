"""What a browser sent, whoever in it asked: page, extension, or a page of the daemon's own."""

from __future__ import annotations

from collections.abc import Mapping

MARKS = ("origin", "sec-fetch-site")
"""Browsers send both with a POST. An extension can have its Origin taken out on the way, hence the second."""


def sent(headers: Mapping[str, str]) -> bool:
    """`headers` by lower-case name."""
    return any(mark in headers for mark in MARKS)
