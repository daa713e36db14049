"""From what a client sends to what the log keeps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from satchel import marker, unseen
from satchel.capture.redact import redact
from satchel.store.log import Incoming, hash_of
from satchel.times import parse_iso
from satchel.types import BadInputError, Role

MAX_ID = 512
MAX_NAME = 100
MAX_TITLE = 500
MAX_URL = 2_048
MAX_MESSAGES = 5_000

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f\x7f-\x9f\\@/]+(?:[/?#][^\s\x00-\x1f\x7f-\x9f]*)?", re.IGNORECASE)


class CapturedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One turn as a client saw it. `id` is the site's own, where it has one; `sent_at` ISO 8601."""

    role: Role
    content: str
    id: str | None = None
    sent_at: str | None = None


class Captured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turns of one conversation. `external_id` is the site's id of it."""

    site: str
    external_id: str
    messages: tuple[CapturedMessage, ...]
    profile: str = "me"
    title: str | None = None
    url: str | None = None


def check_name(field: str, value: str, limit: int = MAX_NAME) -> str:
    """A name or id within its limit, all of it to be seen: one that only looks like another could pose as it.

    Raises BadInputError naming the field.
    """
    if not value.strip():
        raise BadInputError(f"`{field}` is empty.")
    if len(value) > limit:
        raise BadInputError(f"`{field}` is {len(value):,} characters long; the limit is {limit}.")
    check_unicode(field, value)
    at = unseen.first(value)
    if at is not None:
        what = "control characters" if ord(value[at]) < 0xA0 else "characters that cannot be seen"
        raise BadInputError(f"`{field}` holds {what} (U+{ord(value[at]):04X} at {at}).")
    return value


def check_unicode(field: str, value: str) -> str:
    """Text that can be written as UTF-8. Raises BadInputError naming the field for half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(f"`{field}` holds a lone surrogate at character {error.start}.") from None
    return value


def normalise(captured: Captured) -> list[Incoming]:
    """Cleaned messages in their order. Raises BadInputError naming what is wrong; nothing is stored then."""
    check_name("profile", captured.profile)
    check_name("site", captured.site)
    check_name("external_id", captured.external_id, MAX_ID)
    if not captured.messages:
        raise BadInputError("`messages` is empty: send at least one.")
    if len(captured.messages) > MAX_MESSAGES:
        raise BadInputError(
            f"`messages` holds {len(captured.messages):,}; the limit is {MAX_MESSAGES:,} a call: send them in parts."
        )
    return _incoming(captured.messages)


def _incoming(messages: Sequence[CapturedMessage]) -> list[Incoming]:
    occurrences: Counter[bytes] = Counter()
    cleaned = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not message.content:
            raise BadInputError(f"`{where}.content` is empty.")
        check_unicode(f"{where}.content", message.content)
        sent_at = None
        if message.sent_at is not None:
            try:
                sent_at = parse_iso(message.sent_at)
            except ValueError as error:
                raise BadInputError(f"`{where}.sent_at`: {error}.") from None
        content, masked = clean(message.content)
        digest = hash_of(message.role, content)
        if message.id is not None:
            key = "id:" + check_name(f"{where}.id", message.id, MAX_ID)
        else:
            # People say "yes" twice: the same words are told apart by which time they are said.
            occurrences[digest] += 1
            key = f"words:{digest.hex()}:{occurrences[digest]}"
        cleaned.append(
            Incoming(
                key=key,
                external_id=message.id,
                role=message.role,
                content=content,
                hash=digest,
                sent_at=sent_at,
                masked=masked,
            )
        )
    return cleaned


def clean(content: str) -> tuple[str, int]:
    """Text without the blocks that Satchel inserted (rule 6) and with secrets masked (rule 2); how many masks.

    Letter for letter otherwise, unless characters that nobody sees hid a secret: then they go.
    """
    content, _ = marker.strip(content)
    masked, count = redact(content)
    seen = unseen.without(masked)
    if len(seen) < len(masked):
        # A secret cut by what nobody sees is none to the rules, and one to whoever copies it.
        bare, more = redact(seen)
        if more:
            return bare, count + more
    return masked, count


def title_of(captured: Captured) -> str | None:
    """Titles are decoration: cut rather than refused. Sites make them from the first prompt, so they are cleaned."""
    if not captured.title:
        return None
    cleaned, _ = clean(captured.title)  # before the cut: half a secret is not recognised
    return " ".join(_CONTROLS.sub(" ", _storable(cleaned)).split())[:MAX_TITLE].strip() or None


def url_of(captured: Captured) -> str | None:
    """The address of a page of the web, None for anything else: `javascript:` would run where it is followed."""
    url = captured.url
    if not url or len(url) > MAX_URL or not _WEB_ADDRESS.fullmatch(url):
        return None
    return _storable(redact(url)[0])


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
