"""The page Models: what runs, what could, fetching one from a hub of the test's own, and choosing one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from api.running import Running, running
from dashboard.hostile import no_sideways
from dashboard.looking import Looking
from satchel.models import registry

Look = Callable[..., Looking]

BIG = next(entry for entry in registry.manifest() if entry.role == "generate" and not entry.default)
CHUNK = b"\0" * 100_000


class Hub(BaseHTTPRequestHandler):
    """A model hub on this machine: slow, and broken where the test says so."""

    broken = False
    asked = 0
    over = threading.Event()

    def do_HEAD(self) -> None:
        Hub.asked += 1
        if Hub.broken:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("ETag", '"0123456789abcdef"')
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("Content-Length", str(BIG.size))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        try:
            while not Hub.broken and not Hub.over.wait(0.05):
                self.wfile.write(CHUNK)
        except OSError:
            pass  # whoever fetched went away

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Hub.broken, Hub.asked = False, 0
    Hub.over.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield Hub
    Hub.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def shelf(hub: type[Hub], tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "shelf", models=tmp_path / "models") as daemon:
        yield daemon


@pytest.fixture
def usual(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    """As it is after set-up, with both default models here."""
    with running(tmp_path / "usual") as daemon:
        yield daemon


def model(page: Page, name: str) -> Locator:
    return page.locator("article.client", has=page.get_by_role("heading", name=name, exact=True))


def fetch(page: Page) -> None:
    model(page, BIG.name).get_by_role("button", name="Download").click()
    page.get_by_role("dialog").get_by_role("button", name="Download", exact=True).click()


def test_every_model_is_listed_with_size_and_licence(usual: Running, look: Look) -> None:
    looking = look(usual, "models")
    page = looking.page
    told = usual.ok("GET", "/v1/models")
    expect(page.locator("article.client")).to_have_count(len(told["items"]))
    for item in told["items"]:
        one = model(page, item["name"])
        expect(one).to_contain_text(item["licence"])
        expect(one).to_contain_text("B")
        expect(one.get_by_text("Too big for this computer")).to_have_count(0 if item["fits"] else 1)
        expect(one.get_by_text("In use")).to_have_count(1 if item["chosen"] else 0)
    expect(page.locator("main")).to_contain_text(f"{told['machine']['cores']} core")
    looking.picture("models")
    assert looking.axe() == []


def test_it_says_where_from_before_anything_goes_out(shelf: Running, look: Look, hub: type[Hub]) -> None:
    looking = look(shelf, "models")
    page = looking.page
    model(page, BIG.name).get_by_role("button", name="Download").click()
    hosts = next(one["sources"] for one in shelf.ok("GET", "/v1/models")["items"] if one["name"] == BIG.name)
    assert hosts
    for host in hosts:
        expect(page.get_by_role("dialog").get_by_role("listitem").filter(has_text=host)).to_be_visible()
    looking.picture("models fetch")
    assert looking.axe() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert hub.asked == 0


def test_fetching_shows_how_far_it_is_and_can_be_stopped(shelf: Running, look: Look, hub: type[Hub]) -> None:
    looking = look(shelf, "models")
    page = looking.page
    fetch(page)
    expect(page.get_by_role("heading", name=f"{BIG.name} is being downloaded")).to_be_visible()
    expect(page.get_by_text("a second")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("left", exact=False).first).to_be_visible()
    expect(model(page, BIG.name).get_by_role("button", name="Download")).to_be_disabled()
    looking.picture("models fetching")
    assert looking.axe() == []
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="is being downloaded")).to_have_count(0)
    assert shelf.ok("GET", "/v1/models")["pulling"] is None


def test_a_fetch_that_fails_says_why_and_offers_another_try(shelf: Running, look: Look, hub: type[Hub]) -> None:
    hub.broken = True
    looking = look(shelf, "models")
    page = looking.page
    fetch(page)
    failed = page.get_by_role("alert")
    expect(failed).to_contain_text("could not be downloaded", timeout=30_000)
    expect(failed).to_contain_text(f"satchel models pull {BIG.name}")
    looking.picture("models failed")
    hub.broken = False
    failed.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="is being downloaded")).to_be_visible()
    page.get_by_role("button", name="Stop").click()


def test_choosing_one_says_first_what_follows(shelf: Running, look: Look, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir(exist_ok=True)
    (tmp_path / "models" / BIG.file).write_bytes(b"GGUF")
    looking = look(shelf, "models")
    page = looking.page
    model(page, BIG.name).get_by_role("button", name="Use").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("satchel rederive")
    looking.picture("models use")
    dialog.get_by_role("button", name="Use it").click()
    expect(model(page, BIG.name)).to_contain_text("In use")
    expect(page.get_by_role("status").filter(has_text="start it again")).to_be_visible()
    items = shelf.ok("GET", "/v1/settings")["items"]
    assert next(one["value"] for one in items if one["key"] == "models.generate") == BIG.name


def test_it_fits_a_phone_and_speaks_chinese(shelf: Running, look: Look) -> None:
    looking = look(shelf, "models", language="zh-CN", narrow=True, dark=True)
    expect(looking.page.get_by_role("heading", name="正在运行")).to_be_visible()
    no_sideways(looking.page)
    looking.picture("models chinese narrow")
    assert looking.axe() == []
