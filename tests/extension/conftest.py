"""What these tests share: a built extension, the chat sites, a real daemon and a paired browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from api.running import Running, running
from extension.chrome import Chrome, chrome
from extension.sites.server import Serving, serve

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "extension"


def node(*arguments: str | Path) -> None:
    if not (EXTENSION / "node_modules").is_dir():
        pytest.fail("the extension's packages are not installed: run ./scripts/test")
    done = subprocess.run(["node", *map(str, arguments)], cwd=EXTENSION, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built extension: `chrome` and `firefox` in it."""
    node("build.mjs")
    copy = tmp_path_factory.mktemp("dist")
    return Path(shutil.copytree(EXTENSION / "dist", copy, dirs_exist_ok=True))


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture pages, bundled."""
    folder = tmp_path_factory.mktemp("pages")
    node(Path(__file__).parent / "pages" / "build.mjs", folder)
    return folder


@pytest.fixture(scope="session")
def server(bundles: Path) -> Iterator[Serving]:
    with serve(bundles) as serving:
        yield serving


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("extension") / "data") as daemon:
        yield daemon


@pytest.fixture(scope="session")
def browser(
    playwright: Playwright,
    packages: Path,
    server: Serving,
    bundles: Path,
    daemon: Running,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chrome]:
    with chrome(playwright, packages / "chrome", tmp_path_factory.mktemp("profile"), server, bundles) as browser:
        browser.pair(daemon)
        yield browser


@pytest.fixture
def profile(request: pytest.FixtureRequest) -> str:
    """A profile nobody else writes to."""
    name = request.node.nodeid.partition("::")[2]
    return re.sub(r"\W+", "-", name)[-80:] + format(zlib.crc32(name.encode()), "x")
