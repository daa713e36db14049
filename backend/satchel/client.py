"""The command line's side of the HTTP API. The daemon answers it like any other client."""

from __future__ import annotations

import os
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from satchel import server
from satchel.types import SatchelError

TIMEOUT_SECONDS = 120.0
FORGETTING_SECONDS = 3600.0
"""A forgetting answers when every file of the data folder was read, perhaps written anew, and the backups made anew."""
POLL_SECONDS = 0.1
CHANGES_PAGE = 500
IDLE_SECONDS = 2.0
"""How long a job waits, while none runs, before it is asked what it waits for."""


class ClientError(SatchelError):
    """The daemon does not answer, or refused; the message says what to do."""


def path(folder: str, name: str) -> str:
    """The path of one thing, its id quoted into one segment. Raises ClientError for an id that would leave it out."""
    if name.strip() in ("", ".", ".."):
        raise ClientError(f"{name!r} is no id; `satchel memories` and `satchel jobs` show them.")
    return f"{folder}/{urllib.parse.quote(name, safe='')}"


class Client:
    """Calls a daemon. `url` and `token` default to the daemon of the data folder, or SATCHEL_URL and SATCHEL_TOKEN."""

    def __init__(self, data: Path, *, url: str | None = None, token: str | None = None) -> None:
        self._data = data
        self.url = url or os.environ.get("SATCHEL_URL") or f"http://{server.ADDRESS}:{_port(data)}"
        self.token = token or os.environ.get("SATCHEL_TOKEN") or _token(data)
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,  # a proxy must not see this, and could not reach it
        )

    def call(self, method: str, path: str, *, body: Any = None, **query: Any) -> Any:
        """The decoded answer. Raises ClientError with the problem's own sentence."""
        return self._call(method, path, body, query, TIMEOUT_SECONDS)

    def forget(self, what: dict[str, Any]) -> dict[str, Any]:
        """Forgets it; the receipt, when it is gone. Raises ClientError."""
        answer = self._call("POST", "/v1/forget", what | {"preview": False}, {}, FORGETTING_SECONDS)
        return dict(answer["receipt"])

    def _call(self, method: str, path: str, body: Any, query: dict[str, Any], seconds: float) -> Any:
        params = {name: value for name, value in query.items() if value is not None}
        try:
            response = self._http.request(method, path, json=body, params=params, timeout=seconds)
        except httpx.ConnectError:
            raise ClientError(
                f"No Satchel answers at {self.url}. Start it with ./scripts/run and leave it running."
            ) from None
        except httpx.TimeoutException:
            raise ClientError(
                f"Satchel at {self.url} did not answer within {seconds:.0f} s; `satchel doctor` may say why."
            ) from None
        except httpx.HTTPError as error:
            raise ClientError(f"The connection to {self.url} broke ({error}); try again.") from None
        try:
            answer = response.json()
        except ValueError:
            raise ClientError(f"What answers at {self.url} is not Satchel; see --port and SATCHEL_URL.") from None
        if response.is_error:
            raise ClientError(str(answer.get("detail") or answer.get("message") or answer.get("title")))
        return answer

    def wait_for(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The states of a job until it is completed or failed, or queued with an `error`: what it waits for."""
        idle_since = time.monotonic()
        while True:
            job = self.call("GET", path("/v1/jobs", job_id))
            if job["status"] != "queued":
                idle_since = time.monotonic()
            elif not job["error"] and time.monotonic() - idle_since > IDLE_SECONDS:
                # It was not tried: an earlier job may be what waits for the model.
                job |= {"error": self._hindrance()}
                idle_since = time.monotonic()
            yield job
            # One that failed and backs off has counted an attempt: it will be tried again by itself.
            waits = job["status"] == "queued" and job["error"] and not job["attempts"]
            if waits or job["status"] in ("completed", "failed"):
                return
            time.sleep(POLL_SECONDS)

    def _hindrance(self) -> str | None:
        """The sentence that says why nothing is read: paused, or a model is missing; None when that is not it."""
        now = self.call("GET", "/v1/status")
        if now["paused"]:
            return "Extraction is paused; run: satchel resume"
        missing = [model["name"] for model in now["models"] if model["state"] == "missing"]
        if now["running"] or not missing:
            return None
        return f"The model {missing[0]} is not there; run: satchel models pull {missing[0]}"

    def rederiving(self, profile: str) -> Iterator[dict[str, Any]]:
        """How far deriving again is, now and then, until nothing more happens by itself; without the changes.

        Raises ClientError for what it waits for.
        """
        while True:
            now = self.call("GET", "/v1/rederive", profile=profile, size=1)
            if now["error"]:
                raise ClientError(now["error"])
            yield now
            if now["state"] not in ("reading", "applying"):
                return
            if now["paused"]:
                raise ClientError("Extraction is paused; run: satchel resume")
            time.sleep(POLL_SECONDS)

    def rederive_changes(self, profile: str) -> Iterator[dict[str, Any]]:
        """All changes of a preview, in the order in which they are applied."""
        number = 1
        while True:
            page = self.call("GET", "/v1/rederive", profile=profile, page=number, size=CHANGES_PAGE)
            yield from page["items"]
            if number * CHANGES_PAGE >= page["total"]:
                return
            number += 1

    def close(self) -> None:
        self._http.close()


def _port(data: Path) -> int:
    found = server.running(data)
    if found is not None:
        return found.port
    from satchel import config

    return config.load(data).server.port


def _token(data: Path) -> str:
    try:
        return (data / server.TOKEN_FILE).read_text("ascii").strip()
    except FileNotFoundError:
        raise ClientError(
            f"No Satchel has run on {data} yet. Start it with ./scripts/run, or name its folder with --data."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{data / server.TOKEN_FILE} cannot be read ({error}).") from None
