"""The daemon's own pages: which browser may see them, and which of their requests count.

`satchel open` gives a browser a link that can be used once; it becomes two secrets. One is a cookie that no script can
read and that goes with no request that another site began. Cookies do not tell ports apart, though: whatever else
serves pages on this machine is sent it too, if the person visits it. So the cookie alone opens only the pages' files,
which hold nothing private. Every call needs the other secret beside it, which the pages keep in their storage (that is
bound to the port) and send in a header that no form, image or link can carry.
"""

from __future__ import annotations

from collections.abc import Mapping

KEY = "x-satchel-page"
ROOT = "/"
FILES = "/dashboard/"
OPENING = frozenset({"/open", "/dashboard/open.js", "/dashboard/key.js", "/dashboard/style.css", "/dashboard/icon.svg"})
"""What the link leads to, before there is a cookie: a page that hands in its code."""
SESSIONS = "/v1/dashboard/sessions"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, nothing inline, nothing in a frame; text that a chat planted stays text."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""With everything that a browser could show."""


MOST_COOKIES = 4


def cookie_name(port: int) -> str:
    return f"satchel-{port}"


def cookies(headers: Mapping[str, str], port: int) -> list[str]:
    """What may be the session's secret, at most MOST_COOKIES. `headers` by lower-case name.

    Another port can set cookies of our name too, for a narrower path perhaps, and they would come first.
    """
    pairs = [one.partition("=") for one in headers.get("cookie", "").split(";")]
    found = [value.strip() for name, _, value in pairs if name.strip() == cookie_name(port)]
    return [value for value in found if value][:MOST_COOKIES]


def is_file(method: str, path: str) -> bool:
    """What the cookie alone opens: the page, its scripts and styles."""
    return method in ("GET", "HEAD") and (path == ROOT or path.startswith(FILES))


def opens(method: str, path: str) -> bool:
    """What a browser needs before it can hand in its link."""
    return method in ("GET", "HEAD") and path in OPENING


def is_own(headers: Mapping[str, str], *, navigates: bool) -> bool:
    """Whether the request is the page's own: its Origin is the very host that it asks, and the browser says so too.

    `navigates`: the person may also have come by typing the address, or from elsewhere.
    """
    asked_by = headers.get("origin")
    if asked_by is not None and asked_by.lower() != f"http://{headers.get('host', '').lower()}":
        return False
    return navigates or headers.get("sec-fetch-site", "same-origin") == "same-origin"


def wants_page(headers: Mapping[str, str], path: str) -> bool:
    """Whether a person looks at the answer."""
    return path in (ROOT, "/open") and "text/html" in headers.get("accept", "")
