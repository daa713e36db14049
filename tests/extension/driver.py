"""A fixture page as its user works it, by the selectors of the site's row in the extension's `sites.ts`."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Page

from extension.sites.chat import ChatSite

#: A turn's words: what the row says holds them, or the whole turn.
WORDS = r"""({ turn, text }) => [...document.querySelectorAll(turn)].map((found) => {
  const inner = text ? [...found.querySelectorAll(text)] : [];
  return (inner.length ? inner : [found]).map((each) => each.innerText).join("\n");
})"""


class Driver:
    """`row` is the site's row, as `pages/build.mjs` writes it to `sites.json`."""

    def __init__(self, page: Page, site: ChatSite, row: dict[str, Any]) -> None:
        self.page, self.site, self.row = page, site, row
        self.composer: str = row["composer"][0]

    def address(self, conversation_id: str) -> str:
        return f"https://{self.site.hosts[0]}{self.site.path(conversation_id)}"

    def open(self, path: str = "/") -> None:
        self.page.goto(f"https://{self.site.hosts[0]}{path}")
        self.loaded()

    def loaded(self) -> None:
        """Waits until the page shows what its address says."""
        self.page.wait_for_selector("html[data-state=idle]:not([data-loading])")

    def idle(self) -> None:
        """Waits until no answer is being written."""
        self.page.wait_for_selector("html[data-state=idle]")

    def type(self, text: str) -> None:
        """Into the composer, Shift+Enter between the lines."""
        self.page.locator(self.composer).first.click()
        first, *more = text.split("\n")
        self.page.keyboard.insert_text(first)
        for line in more:
            self.page.keyboard.press("Shift+Enter")
            self.page.keyboard.insert_text(line)

    def send(self, text: str) -> None:
        """Types and clicks the send button, then waits for the whole answer."""
        self.type(text)
        self.press_send()

    def press_send(self) -> None:
        """Clicks the send button, then waits for the whole answer."""
        before = len(self.site.received)
        self.page.locator(", ".join(self.row["send"])).first.click()
        while len(self.site.received) == before:
            self.page.wait_for_timeout(20)
        self.idle()

    def can_send(self) -> bool:
        """Whether there is a send button that can be pressed."""
        button = self.page.locator(", ".join(self.row["send"])).first
        return button.count() > 0 and button.is_enabled()

    def words(self) -> list[str]:
        """The words of the turns shown, in their order."""
        found: list[str] = self.page.evaluate(WORDS, self.row["turns"])
        return found

    def tool(self, test: str, which: Literal["first", "last"] = "last") -> None:
        """Clicks one of the fixtures' own handles, such as `edit`, and waits for what follows."""
        handle = self.page.locator(f'[data-test="{test}"]')
        (handle.first if which == "first" else handle.last).click()
        self.loaded()
