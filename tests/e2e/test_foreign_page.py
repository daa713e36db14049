"""A web page that knows the daemon's address reads nothing from it and writes nothing to it, in real browsers.

The page is given what no page has: a valid token, and the id, the code and the verifier of a pairing under way.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from api.running import Running, eventually, running
from e2e.foreign import (
    ATTACKS,
    SECRET,
    Waiting,
    arguments,
    ask,
    assert_nothing_read,
    assert_only_this_waits,
    dump,
    outcomes,
    page_server,
)
from extension.bidi import BidiError, Session, Tab
from extension.firefox import launched

Try = Callable[[str, dict[str, str]], dict[str, Any]]
"""Opens a page and tries the attacks from it: what it was told."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Running]:
    """One that holds a secret, and no models: nothing changes in it by itself."""
    (tmp_path / "none").mkdir()
    with running(tmp_path / "data", models=tmp_path / "none") as daemon:
        daemon.ok("POST", "/v1/memories", {"text": f"The secret is {SECRET}."})
        yield daemon


@pytest.fixture(scope="module")
def pages() -> Iterator[int]:
    with page_server() as port:
        yield port


@pytest.fixture(scope="module")
def chrome(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            headless=False,
            args=[
                "--headless=new",
                "--no-sandbox",
                "--host-resolver-rules=MAP * 127.0.0.1",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                # The browser's own gate between public and local addresses would hide whether ours stands.
                "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
            ],
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    preferences: dict[str, bool | int | str] = {
        "network.dns.localDomains": "evil.example,rebound.example",
        "network.lna.enabled": False,  # as above
        "network.lna.blocking": False,
        "devtools.jsonview.enabled": False,
        "security.warn_submit_secure_to_insecure": False,  # it would ask a person, and hold the page up
    }
    with launched(tmp_path_factory.mktemp("firefox") / "profile", preferences) as session:
        yield session


def let_in_chromium(context: BrowserContext, daemon: Running) -> str:
    """Opens the dashboard there: from now on the browser sends its cookie to this machine. The key of its pages."""
    page = context.new_page()
    page.goto(f"{daemon.url}/open#{daemon.ok('POST', '/v1/dashboard/links')['code']}")
    page.wait_for_url(f"{daemon.url}/")
    key = page.evaluate("localStorage.getItem('satchel.page-key')")
    page.close()
    return str(key)


def let_in_firefox(session: Session, daemon: Running) -> str:
    tab = Tab(session, session.call("browsingContext.create", type="tab")["context"])
    tab.open(f"{daemon.url}/open#{daemon.ok('POST', '/v1/dashboard/links')['code']}")
    key = eventually(lambda: tab.evaluate("localStorage.getItem('satchel.page-key')"), what="the session")
    session.call("browsingContext.close", context=tab.context)
    return str(key)


def in_chromium(context: BrowserContext) -> Try:
    def attempt(address: str, given: dict[str, str]) -> dict[str, Any]:
        page = context.new_page()
        try:
            page.goto(address)
            return page.evaluate(ATTACKS, given)  # type: ignore[no-any-return]
        finally:
            page.close()

    return attempt


def in_firefox(session: Session) -> Try:
    def attempt(address: str, given: dict[str, str]) -> dict[str, Any]:
        tab = Tab(session, session.call("browsingContext.create", type="tab")["context"])
        try:
            tab.open(address)
            answer = tab.evaluate(f"({ATTACKS.strip()})({json.dumps(given)}).then(JSON.stringify)")
            return json.loads(answer)  # type: ignore[no-any-return]
        finally:
            session.call("browsingContext.close", context=tab.context)

    return attempt


@pytest.fixture(params=["chromium", "firefox"])
def attempt(request: pytest.FixtureRequest) -> Try:
    if request.param == "firefox":
        return in_firefox(request.getfixturevalue("fox"))
    return in_chromium(request.getfixturevalue("chrome"))


@pytest.fixture
def let_in(request: pytest.FixtureRequest, attempt: Try) -> Callable[[Running], str]:
    """The same browser with the dashboard open in it."""
    if request.node.callspec.params["attempt"] == "firefox":
        return functools.partial(let_in_firefox, request.getfixturevalue("fox"))
    return functools.partial(let_in_chromium, request.getfixturevalue("chrome"))


ADDRESSES = {"another port": "http://127.0.0.1:{port}", "another host": "http://evil.example:{port}"}
DAEMONS = {"plain": "http://127.0.0.1:{port}", "rebound": "http://rebound.example:{port}"}


@pytest.mark.parametrize("own_address", ADDRESSES.values(), ids=ADDRESSES)
@pytest.mark.parametrize("daemon_address", DAEMONS.values(), ids=DAEMONS)
def test_a_foreign_page_reads_nothing_changes_nothing_and_learns_of_no_pairing(
    daemon: Running,
    attempt: Try,
    let_in: Callable[[Running], str],
    pages: int,
    own_address: str,
    daemon_address: str,
) -> None:
    """Although the dashboard is open in the very browser, whose cookie goes to every port of this machine."""
    key = let_in(daemon)
    own, at = own_address.format(port=pages), daemon_address.format(port=daemon.port)
    before = dump(daemon)
    alone = arguments(daemon, at, None, key=key)
    with_none_waiting = attempt(own, alone)
    waiting = Waiting(daemon)
    given = arguments(daemon, at, waiting, key=key)
    with_one_waiting = attempt(own, given)
    for told in (with_none_waiting, with_one_waiting):
        assert_nothing_read(told)
    assert outcomes(with_one_waiting, given) == outcomes(with_none_waiting, alone)
    assert dump(daemon) == before
    assert_only_this_waits(daemon, waiting)


def test_a_page_that_rebinds_its_own_name_to_the_loopback_address_is_told_to_go(
    daemon: Running, chrome: BrowserContext
) -> None:
    """The page's own origin is then the daemon's address under another name: no browser stands in the way."""
    before = dump(daemon)
    waiting = Waiting(daemon)
    at = f"http://rebound.example:{daemon.port}"
    told = in_chromium(chrome)(f"{at}/health", arguments(daemon, at, waiting))
    assert_nothing_read(told, own_origin=True)
    assert [told["read /v1/memories"]["status"], told["read with the token /v1/memories"]["status"]] == [421, 421]
    assert dump(daemon) == before
    assert_only_this_waits(daemon, waiting)


@pytest.mark.parametrize("path", ["/health", "/v1/memories", "/schema/openapi.json"])
def test_firefox_shows_no_page_under_a_rebound_name(daemon: Running, fox: Session, path: str) -> None:
    """It takes the refusal (421) for an error of the network: there is no page that could ask further."""
    with pytest.raises(BidiError, match="NS_ERROR_NET_ERROR_RESPONSE"):
        in_firefox(fox)(f"http://rebound.example:{daemon.port}{path}", {})


def test_what_a_page_may_not_a_program_may(daemon: Running) -> None:
    """Else the tests above would show nothing: the very same calls succeed from outside of a browser."""
    before = dump(daemon)
    body = {"site": "evil", "external_id": "evil", "messages": [{"role": "user", "content": "Planted."}]}
    assert daemon.call("POST", "/v1/messages", body).status_code == 202
    assert SECRET in daemon.call("GET", "/v1/memories").text
    assert ask(daemon).status_code == 201
    assert dump(daemon) != before
