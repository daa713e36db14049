"""Pairing: a client asks for a token, a person confirms it on the daemon's side, the client collects it once."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, delete, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from satchel.api.access import (
    AnyRequest,
    ForbiddenError,
    TheDaemon,
    client_of,
    refuse_browsers,
    refuse_pages,
)
from satchel.api.guard.size import MAX_TOKENLESS_BYTES
from satchel.api.pairing import Grant, shown
from satchel.api.schemas import (
    Done,
    PairAnswer,
    PairCollect,
    PairDelivered,
    PairingAnswer,
    PairingDecision,
    PairingLookup,
    PairRequest,
    PairWaiting,
)
from satchel.capture.normalise import check_name
from satchel.store import clients
from satchel.store.clients import Client
from satchel.store.store import Tx
from satchel.times import to_iso
from satchel.types import SCOPES, BadInputError


class PairController(Controller):
    """The client's side."""

    path = "/v1/pair"
    tags = ("pairing",)

    @post(security=[{}], guards=[refuse_pages], request_max_body_size=MAX_TOKENLESS_BYTES)
    async def ask(self, request: AnyRequest, data: JSONBody[PairRequest], daemon: TheDaemon) -> PairAnswer:
        """Asks for a token. Show the code to the person, who types it into `satchel pair CODE`."""
        check_client_name("client", data.client)
        origin = request.headers.get("origin")
        if origin is not None:
            check_name("Origin", origin, clients.MAX_ORIGIN)
        pairing = daemon.pairings.ask(client=data.client, challenge=data.challenge, origin=origin)
        daemon.events.publish("pairing", None)
        return PairAnswer(
            pairing_id=pairing.id, code=shown(pairing.code), expires_in=daemon.pairings.expires_in(pairing)
        )

    @post(
        "/{pairing_id:str}",
        status_code=200,
        security=[{}],
        guards=[refuse_pages],
        request_max_body_size=MAX_TOKENLESS_BYTES,
        opt={"problems": (410,)},
        responses={202: ResponseSpec(PairWaiting, generate_examples=False, description="Nobody has confirmed it yet")},
    )
    async def collect(
        self, request: AnyRequest, pairing_id: FromPath[str], data: JSONBody[PairCollect], daemon: TheDaemon
    ) -> Response[PairDelivered]:
        """The token, once, when the person has confirmed; 202 until then."""
        pairing = daemon.pairings.collect(pairing_id, data.verifier, origin=request.headers.get("origin"))
        grant = pairing.grant
        if grant is None:
            waiting: Response[Any] = Response(
                PairWaiting(status="waiting", expires_in=daemon.pairings.expires_in(pairing)), status_code=202
            )
            return waiting

        def issue(tx: Tx) -> tuple[str, Client | None]:
            token = clients.issue(
                tx, name=pairing.client, scopes=grant.scopes, profiles=grant.profiles, origin=pairing.origin
            )
            return token, clients.by_token(tx.db, token)

        token, client = await daemon.store.write(issue)
        if client is not None:
            daemon.events.publish("client", None, id=client.id)
        return Response(PairDelivered(token=token, scopes=grant.scopes, profiles=grant.profiles))

    @delete(status_code=200)
    async def unpair(self, request: AnyRequest, daemon: TheDaemon) -> Done:
        """Revokes the token that this very request was sent with."""
        client = client_of(request)
        if client.id == daemon.command_line:
            raise ForbiddenError(
                "This is the command line's own token: without it, `satchel` would not be answered any more."
            )
        await daemon.store.write(lambda tx: clients.revoke(tx, client.id))
        daemon.events.end(client.id)
        daemon.events.publish("client", None, id=client.id)
        return Done()


class PairingController(Controller):
    """The person's side: never from a browser, where one extension could let in another."""

    path = "/v1/pairings"
    tags = ("pairing",)
    guards = (refuse_browsers,)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @post(status_code=200)
    async def find(self, data: JSONBody[PairingLookup], daemon: TheDaemon) -> PairingAnswer:
        """Who waits with this code, and what it would be allowed."""
        pairing = daemon.pairings.find(data.code)
        return PairingAnswer(
            id=pairing.id,
            client=pairing.client,
            origin=pairing.origin,
            scopes=SCOPES,
            asked_at=to_iso(pairing.asked_at),
            expires_in=daemon.pairings.expires_in(pairing),
        )

    @post("/{pairing_id:str}", status_code=200)
    async def decide(
        self, request: AnyRequest, pairing_id: FromPath[str], data: JSONBody[PairingDecision], daemon: TheDaemon
    ) -> Done:
        """Confirms or refuses it. Without `scopes` and `profiles`: all of them."""
        grant = granted(client_of(request), data) if data.decision == "confirm" else None
        daemon.pairings.decide(pairing_id, data.code, grant)
        daemon.events.publish("pairing", None)
        return Done()


def check_client_name(field: str, name: str) -> None:
    """A name that a person can read and compare. Raises BadInputError."""
    if not check_name(field, name).isprintable():
        raise BadInputError(f"`{field}` holds characters that cannot be shown.")


def granted(by: Client, decision: PairingDecision) -> Grant:
    """Raises ForbiddenError where the one who confirms would give more than it has, BadInputError for a bad name."""
    scopes = tuple(scope for scope in SCOPES if decision.scopes is None or scope in decision.scopes)
    for scope in scopes:
        if not by.may(scope):
            raise ForbiddenError(
                f"The token of {by.name!r} lacks the scope {scope!r} and cannot give it; send `scopes` it has."
            )
    if decision.profiles is None:
        if by.profiles is not None:
            raise ForbiddenError(
                f"The token of {by.name!r} is not for all profiles and cannot give them; send `profiles` it has."
            )
        return Grant(scopes=scopes, profiles=None)
    profiles = tuple(dict.fromkeys(decision.profiles))
    for profile in profiles:
        if not by.sees(check_name("profiles", profile)):
            raise ForbiddenError(f"The token of {by.name!r} is not for the profile {profile!r} and cannot give it.")
    return Grant(scopes=scopes, profiles=profiles)
