"""What the dashboard's tests share: a daemon with a life in its store, and a browser that it let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from api.running import Running, running
from dashboard.life import fill
from dashboard.looking import Looking
from extension.chrome import chromium


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """A daemon with 2,000 memories, shared: a test that forgets or changes much takes `small_house`."""
    data = tmp_path_factory.mktemp("house") / "data"
    fill(data)
    with running(data) as daemon:
        yield daemon


@pytest.fixture
def small_house(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    """A daemon of the test's own, with 60 memories."""
    data = tmp_path / "house"
    fill(data, count=60)
    with running(data) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def chromium_browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
    yield browser
    browser.close()


@pytest.fixture
def look(chromium_browser: Browser) -> Iterator[Callable[..., Looking]]:
    """`look(house)`, `look(house, "memories", dark=True)`: a new browser, let in, at a page. In the end, nothing may
    have gone wrong in it that the test did not expect."""
    opened: list[Looking] = []

    def start(daemon: Running, page: str = "home", **how: object) -> Looking:
        looking = Looking(chromium_browser, daemon, **how)  # type: ignore[arg-type]
        opened.append(looking)
        looking.let_in()
        looking.go(page)
        return looking

    yield start
    for looking in opened:
        looking.close()
    for looking in opened:
        assert not looking.unexpected()
