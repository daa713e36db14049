"""WebDriver BiDi, as much of it as driving Firefox takes: commands with answers, and input as a person gives it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from websockets.sync.client import ClientConnection, connect

T = TypeVar("T")
WAIT_SECONDS = 20.0
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Shift": "\ue008", "Escape": "\ue00c"}


class BidiError(Exception):
    """What the browser answered to a command."""


class Session:
    def __init__(self, url: str) -> None:
        self._socket: ClientConnection = connect(url, max_size=None, open_timeout=30)
        self._ids = itertools.count(1)

    def call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=90))
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def close(self) -> None:
        self._socket.close()


def plain(value: dict[str, Any]) -> Any:
    """A remote value as Python has it."""
    match value["type"]:
        case "undefined" | "null":
            return None
        case "array":
            return [plain(each) for each in value["value"]]
        case "object":
            return {key: plain(each) for key, each in value["value"]}
        case _:
            return value.get("value")


class Tab:
    """A page. Nodes are its remote references, closed shadow roots included."""

    def __init__(self, session: Session, context: str) -> None:
        self.session, self.context = session, context

    def open(self, url: str) -> None:
        self.session.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        answer = self.session.call(
            "script.evaluate", expression=expression, target={"context": self.context}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return plain(answer["result"])

    def of(self, node: str, function: str) -> Any:
        """What `function` (of one element) gives for a node."""
        answer = self.session.call(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"sharedId": node}],
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return plain(answer["result"])

    def until(self, look: Callable[[], T | None], *, seconds: float = WAIT_SECONDS, what: str = "it") -> T:
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
            time.sleep(0.05)
        return found

    def find(self, selector: str, *, within: str | None = None) -> list[str]:
        scope = {"startNodes": [{"sharedId": within}]} if within else {}
        answer = self.session.call(
            "browsingContext.locateNodes", context=self.context, locator={"type": "css", "value": selector}, **scope
        )
        return [node["sharedId"] for node in answer["nodes"]]

    def wait(self, selector: str, *, saying: str = "", within: Callable[[], str | None] | None = None) -> str:
        """The first node there is, or comes, that holds these words."""

        def look() -> str | None:
            root = within() if within else None
            if within and root is None:
                return None
            for node in self.find(selector, within=root):
                if saying in (self.of(node, "e => e.textContent") or ""):
                    return node
            return None

        return self.until(look, what=f"{selector} saying {saying!r}")

    def shadow(self, selector: str) -> str | None:
        """The shadow root of an element, closed or not; None where there is no such element."""
        answer = self.session.call(
            "browsingContext.locateNodes",
            context=self.context,
            locator={"type": "css", "value": selector},
            serializationOptions={"includeShadowTree": "all", "maxDomDepth": 0},
        )
        for node in answer["nodes"]:
            root = node["value"].get("shadowRoot")
            if root:
                return str(root["sharedId"])
        return None

    # Input

    def keys(self, *values: str) -> None:
        actions = []
        for value in values:
            for key in [KEYS[value]] if value in KEYS else value:
                actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._perform({"type": "key", "id": "keyboard", "actions": actions})

    def click(self, node: str) -> None:
        self.of(node, "e => e.scrollIntoView({ block: 'nearest' })")
        x, y = self.of(
            node, "e => { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }"
        )
        actions = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._perform({"type": "pointer", "id": "mouse", "actions": actions})

    def _perform(self, source: dict[str, Any]) -> None:
        self.session.call("input.performActions", context=self.context, actions=[source])

    def screenshot(self) -> str:
        """A PNG in base64."""
        return str(self.session.call("browsingContext.captureScreenshot", context=self.context)["data"])
