"""Who may ask: the clients, listed, renamed, narrowed and revoked. Nothing here makes one wider, or lets one in.

Never from a browser: an extension that may manage memories could turn away all others, or take another's name. A client
that is limited to profiles knows of those alone that have none but its own, and of itself; the others it cannot even
tell from clients that do not exist.
"""

from __future__ import annotations

from litestar import Controller, delete, get, patch
from litestar.params import FromPath, JSONBody

from satchel.api.access import AnyRequest, ForbiddenError, TheDaemon, client_of, refuse_browsers
from satchel.api.daemon import Daemon
from satchel.api.native.pairing import check_client_name
from satchel.api.schemas import ClientAnswer, ClientList, ClientPatch, Done
from satchel.capture.normalise import check_name
from satchel.store import clients
from satchel.store.clients import Client
from satchel.store.store import Tx
from satchel.types import NotFoundError


class ClientController(Controller):
    path = "/v1/clients"
    tags = ("clients",)
    guards = (refuse_browsers,)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @get()
    async def list_clients(self, request: AnyRequest, daemon: TheDaemon) -> ClientList:
        """All clients, revoked ones too, the oldest first."""
        asks = client_of(request)
        found = await daemon.store.read(clients.every)
        return ClientList(items=[ClientAnswer.of(client) for client in found if asks.oversees(client)])

    @patch("/{client_id:str}")
    async def change(
        self, request: AnyRequest, client_id: FromPath[str], data: JSONBody[ClientPatch], daemon: TheDaemon
    ) -> ClientAnswer:
        """Renames it, or leaves it fewer scopes or profiles. What it has open under its old rights is closed."""
        if data.name is not None:
            check_client_name("name", data.name)
        for profile in data.profiles or ():
            check_name("profiles", profile)

        def write(tx: Tx) -> Client:
            self._overseen(request, daemon, clients.by_id(tx.db, client_id))
            clients.narrow(tx, client_id, scopes=data.scopes, profiles=data.profiles)
            if data.name is not None:
                clients.rename(tx, client_id, data.name)
            changed = clients.by_id(tx.db, client_id)
            assert changed is not None
            return changed

        changed = await daemon.store.write(write)
        if data.scopes is not None or data.profiles is not None:
            daemon.events.end(client_id)
        daemon.events.publish("client", None, id=client_id)
        return ClientAnswer.of(changed)

    @delete("/{client_id:str}", status_code=200)
    async def revoke(self, request: AnyRequest, client_id: FromPath[str], daemon: TheDaemon) -> Done:
        """Its token is not accepted from now on, and its event streams end."""

        def write(tx: Tx) -> None:
            self._overseen(request, daemon, clients.by_id(tx.db, client_id))
            clients.revoke(tx, client_id)

        await daemon.store.write(write)
        daemon.events.end(client_id)
        daemon.events.publish("client", None, id=client_id)
        return Done()

    @staticmethod
    def _overseen(request: AnyRequest, daemon: Daemon, client: Client | None) -> None:
        """Raises NotFoundError, and ForbiddenError for the command line's own."""
        if client is None or not client_of(request).oversees(client):
            raise NotFoundError("There is no such client; `satchel clients` lists them.")
        if client.id == daemon.command_line:
            raise ForbiddenError("This is the command line's own token: without it, `satchel` would not be answered.")
