"""Which Origins may ask: the daemon's own pages and browser extensions, never a page of the web.

A missing Origin proves nothing: browsers leave it out of GETs that are not subject to CORS, an image as well as a fetch
of an extension that has the host's permission. Where they do, they say in Sec-Fetch-Site who asks, which no script can
change: the daemon's own page (`same-origin`), the person (`none`), an extension (`none` in Chromium, `same-origin` in
Firefox), or another page.

An extension is the one that was paired: its Origin is kept with its token, which is of no use to any other extension.
Browsers send an Origin with everything but GET and HEAD, so that its absence is taken for the same extension's only
there. A token that a program got has no Origin, and no extension may use it. This keeps a token that leaked from being
used by what runs in a browser; a program that has it can write any header, and so can an extension that may rewrite
requests.

Tokens that were made before origins were kept say not whose they are, and their extensions should not have to be paired
again: the first that writes with one, extension or program, is taken for its owner, and it is that one's from then on
(trust on first use). What is read without an Origin settles nothing, for both do that. Who steals such a token has
until then to be the first; the command line's own is settled before anybody can ask (server.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from satchel.api.guard import browser
from satchel.api.guard.host import LOOPBACK

EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")
OTHER_PAGES = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site. "same-site" is another port of this machine."""
WITHOUT_ORIGIN = frozenset({"GET", "HEAD"})


def is_allowed(origin: str | None, port: int) -> bool:
    if origin is None:
        return True
    return origin.lower() in {f"http://{name}:{port}" for name in LOOPBACK} or is_extension(origin)


def is_extension(origin: str) -> bool:
    return origin.startswith(EXTENSIONS)


def is_embedded(headers: Mapping[str, str]) -> bool:
    """Whether a page of elsewhere asks without an Origin: image, script, frame. `headers` by lower-case name.

    Not where the person follows a link: what is opened in a tab of its own is out of that page's reach.
    """
    if "origin" in headers or headers.get("sec-fetch-site") not in OTHER_PAGES:
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != ("navigate", "document")


def fits(pinned: str | None, asked_by: str | None, method: str) -> bool:
    """Whether a token may be used by who asks. `pinned` is the Origin of its pairing, None for a program."""
    if pinned is None:
        return asked_by is None or not is_extension(asked_by)
    if asked_by is None:
        return method in WITHOUT_ORIGIN
    return asked_by == pinned


def shows_owner(headers: Mapping[str, str], method: str) -> bool:
    """Whether a request shows whose token it carries: an extension's Origin does, and a program's write, which comes
    without a browser's marks. `headers` by lower-case name."""
    asked_by = headers.get("origin")
    if asked_by is not None:
        return is_extension(asked_by)
    return method not in WITHOUT_ORIGIN and not browser.sent(headers)
