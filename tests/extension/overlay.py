"""Chip and preview as a person sees them: in a closed shadow root, which only the browser's debugger can enter."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import CDPSession, Error, Page

WAIT_SECONDS = 15

WHERE = """function (selector, saying) {
  const found = [...this.querySelectorAll(selector)].find((each) => each.textContent.includes(saying));
  if (!found) return null;
  found.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = found.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


class Overlay:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)

    def run(self, function: str, *arguments: str) -> Any:
        """What a function of the shadow root (`this`) gives; None where nothing is shown."""
        root = self._root()
        if root is None:
            return None
        called = {
            "objectId": root,
            "functionDeclaration": function,
            "arguments": [{"value": argument} for argument in arguments],
            "returnByValue": True,
        }
        answer = self.cdp.send("Runtime.callFunctionOn", called)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _root(self) -> str | None:
        """The root's handle. The element goes and comes with what it shows, and stays the same."""
        try:
            document = self.cdp.send("DOM.getDocument", {"depth": 1})["root"]
            asked = {"nodeId": document["nodeId"], "selector": "satchel-overlay"}
            found = self.cdp.send("DOM.querySelector", asked)["nodeId"]
            if not found:
                return None
            node = self.cdp.send("DOM.describeNode", {"nodeId": found, "depth": 1, "pierce": True})["node"]
            root = {"backendNodeId": node["shadowRoots"][0]["backendNodeId"]}
            return str(self.cdp.send("DOM.resolveNode", root)["object"]["objectId"])
        except Error as error:
            if "node with given id" not in str(error):
                raise
            return None  # hidden between two of these calls

    def texts(self, selector: str) -> list[str]:
        return (
            self.run("function (s) { return [...this.querySelectorAll(s)].map((e) => e.textContent) }", selector) or []
        )

    def attributes(self, selector: str, name: str) -> list[str]:
        script = "function (s, n) { return [...this.querySelectorAll(s)].map((e) => e.getAttribute(n)) }"
        return self.run(script, selector, name) or []

    def text(self, selector: str) -> str | None:
        """The first one's text, at once; None where there is none."""
        return next(iter(self.texts(selector)), None)

    @property
    def label(self) -> str | None:
        """What the chip says."""
        return self.text(".chip .label")

    def wait(self, selector: str, *, saying: str = "", seconds: float = WAIT_SECONDS) -> None:
        """Until there is such an element that holds these words."""
        end = time.monotonic() + seconds
        while not any(saying in text for text in self.texts(selector)):
            if time.monotonic() > end:
                raise AssertionError(f"no {selector!r} saying {saying!r} came; there is {self.texts('.root')}")
            self.page.wait_for_timeout(40)

    def wait_gone(self, seconds: float = WAIT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while self.texts(".chip"):
            assert time.monotonic() < end, f"the chip stayed: {self.label}"
            self.page.wait_for_timeout(40)

    def click(self, selector: str, *, saying: str = "") -> None:
        """With the mouse, where it is on the screen."""
        self.wait(selector, saying=saying)
        where = self.run(WHERE, selector, saying)
        assert where is not None, f"{selector!r} went away"
        self.page.mouse.click(*where)

    def fill(self, selector: str, text: str) -> None:
        self.wait(selector)
        self.run("function (s) { const e = this.querySelector(s); e.focus(); e.select() }", selector)
        self.page.keyboard.insert_text(text)

    # What it shows

    def open_preview(self) -> None:
        self.click(".chip .main")
        self.wait(".panel")

    def hits(self) -> list[str]:
        return self.texts(".list .words")

    def block(self) -> str:
        """The exact text that would go in, once the daemon has put it together."""
        self.wait(".panel pre", saying="⟦/satchel⟧")
        return self.text(".panel pre") or ""
