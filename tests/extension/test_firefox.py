"""The Firefox package in a real Firefox: pairing, capture, inserting, and the outbox while the daemon is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.running import Running
from extension.firefox import Firefox, running_firefox
from extension.sites.server import Serving
from extension.test_capture import logged
from extension.test_inject import MEMORIES, QUESTION, remember, squeezed

#: One for each editor: ProseMirror, Quill, a textarea of React's, Lexical.
EDITORS = ("chatgpt", "gemini", "deepseek", "kimi")


@pytest.fixture(scope="module")
def fox(
    packages: Path, server: Serving, bundles: Path, daemon: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Firefox]:
    profile = tmp_path_factory.mktemp("firefox")
    with running_firefox(packages / "firefox", profile, server, bundles) as fox:
        fox.pair(daemon)
        yield fox


class Chat:
    """A fixture page in Firefox."""

    def __init__(self, fox: Firefox, site: str, profile: str) -> None:
        self.site, self.row, self.tab = fox.server[site], fox.rows[site], fox.tab()
        fox.ask({"do": "set-site", "site": self.site.hosts[0], "settings": {"profile": profile}})
        self.site.received.clear()
        self.tab.open(fox.address(site))
        self.idle()

    def idle(self) -> None:
        self.tab.wait("html[data-state=idle]:not([data-loading])")

    def type(self, text: str) -> None:
        node = self.tab.wait(self.row["composer"][0])
        self.tab.click(node)
        self.tab.keys(text)

    def send(self) -> None:
        self.tab.click(self.tab.wait(", ".join(self.row["send"])))
        self.tab.until(lambda: self.site.received, what="the prompt")
        self.idle()

    def overlay(self, selector: str, saying: str = "") -> str:
        return self.tab.wait(selector, saying=saying, within=lambda: self.tab.shadow("satchel-overlay"))


@pytest.fixture
def chat(request: pytest.FixtureRequest, fox: Firefox, profile: str) -> Iterator[Chat]:
    chat = Chat(fox, request.param, profile)
    yield chat
    fox.session.call("browsingContext.close", context=chat.tab.context)


@pytest.mark.parametrize("chat", EDITORS, indirect=True)
def test_firefox_captures_and_inserts(chat: Chat, daemon: Running, profile: str) -> None:
    remember(daemon, profile, *MEMORIES)
    chat.site.next_answer.append("A dinosaur cake.")
    chat.type(QUESTION)
    chat.tab.click(_main(chat, "2 memories fit"))
    chat.overlay(".panel pre", "⟦/satchel⟧")
    block = chat.tab.of(chat.overlay(".panel pre"), "e => e.textContent")
    chat.tab.click(chat.overlay(".panel .primary"))
    chat.overlay(".chip .label", "2 memories inserted")
    chat.send()
    assert [squeezed(each["text"]) for each in chat.site.received] == [squeezed(f"{block}\n\n{QUESTION}")]
    said = logged(daemon, profile, 2)
    assert [turn["content"] for turn in said] == [QUESTION, "A dinosaur cake."]


def _main(chat: Chat, saying: str) -> str:
    chat.overlay(".chip .label", saying)
    return chat.overlay(".chip .main")


@pytest.mark.parametrize("chat", ["claude"], indirect=True)
def test_firefox_keeps_turns_until_the_daemon_is_back(chat: Chat, fox: Firefox, daemon: Running, profile: str) -> None:
    daemon.stop()
    try:
        chat.type("Our parrot is called Coco, what does she eat?")
        chat.send()
        chat.tab.until(lambda: _waiting(fox) == 2, what="two turns in the outbox")
    finally:
        daemon.start()
    fox.ask({"do": "drain"})
    assert [turn["role"] for turn in logged(daemon, profile, 2)] == ["user", "assistant"]
    chat.tab.until(lambda: _waiting(fox) == 0, what="an empty outbox")


def _waiting(fox: Firefox) -> Any:
    return fox.ask({"do": "state"})["waiting"]
