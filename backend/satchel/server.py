"""`satchel serve`: the daemon process, one for a data folder, on the loopback address alone."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from satchel import __version__, logs
from satchel.config import Config
from satchel.files import private_umask
from satchel.types import SatchelError

if TYPE_CHECKING:
    from litestar import Litestar

    from satchel.store.clients import Client

logger = logging.getLogger("satchel.server")

ADDRESS = "127.0.0.1"
GRACE_SECONDS = 2
"""How long open requests may take to end once the daemon is told to stop."""

STOP_SECONDS = 4.5
"""After which the process ends whatever still runs in it: what was acknowledged is on disk, and the model's processes
end when their pipes do."""

ALREADY_RUNNING = 75
"""The exit status (EX_TEMPFAIL of sysexits.h) of a start that found another daemon on the data folder."""

LOCK_FILE = "daemon.lock"
RUNNING_FILE = "daemon.json"
TOKEN_FILE = "command-line.token"  # noqa: S105 - a file's name
COMMAND_LINE = "command line"


class CannotServeError(SatchelError):
    """The port is taken, or another daemon holds the data folder."""

    title = "Cannot start"


class _AlreadyRunningError(CannotServeError):
    """Another daemon holds the data folder."""

    exit_status = ALREADY_RUNNING


class Running(msgspec.Struct, frozen=True):
    """What a running daemon leaves in its data folder for the command line."""

    port: int
    pid: int


def running(data: Path) -> Running | None:
    """The daemon that last started on this folder, whether it still runs or not."""
    try:
        return msgspec.json.decode((data / RUNNING_FILE).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Holds the data folder for this process. Raises CannotServeError when another daemon has it, or its lock
    cannot be taken."""
    from filelock import FileLock, Timeout

    lock = FileLock(data / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        other = running(data)
        where = f" on port {other.port} (process {other.pid})" if other else ""
        raise _AlreadyRunningError(
            f"Satchel is already running on {data}{where}; use that one, or start with another --data folder."
        ) from None
    except OSError as error:
        raise _unwritable(data / LOCK_FILE, error) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def stopped(data: Path, what: str) -> Iterator[None]:
    """Holds the data folder for `what` ("restore"), which no daemon may see. Raises CannotServeError when one runs."""
    from satchel.store.store import prepare_folder

    private_umask()
    prepare_folder(data)
    with contextlib.ExitStack() as holding:
        try:
            holding.enter_context(only_one(data))
        except _AlreadyRunningError:
            other = running(data)
            process = f" (process {other.pid})" if other else ""
            raise CannotServeError(
                f"Satchel is running on {data}{process}; stop it with Ctrl-C where it runs, or with "
                f"`satchel service stop`, then {what} again."
            ) from None
        yield


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1. Raises CannotServeError when the port is taken or not ours to take."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((ADDRESS, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServeError(
                f"Port {port} is taken by another program; start with --port N, or set server.port in config.toml."
            ) from None
        raise CannotServeError(f"Port {port} cannot be used ({error.strerror}); start with another --port.") from None
    sock.set_inheritable(False)
    return sock


def serve(data: Path, port: int, config: Config, *, announce: bool = True) -> None:
    """Runs the daemon until it is told to stop. Raises SatchelError when it cannot start."""
    from satchel.store.store import prepare_folder

    private_umask()
    prepare_folder(data)
    with (
        only_one(data),
        contextlib.closing(listen(port)) as sock,
        logs.kept(data),
        contextlib.ExitStack() as at_the_end,
    ):
        # Late: a taken port should be told at once, and the other commands need none of this.
        import uvicorn

        from satchel.api.daemon import Daemon
        from satchel.api.guard import Guard
        from satchel.api.loading import Loading
        from satchel.idle_server import IdleServer
        from satchel.models import Runtime
        from satchel.store import Store, backup, soundness

        backup.tidy(data)
        deadline = _Deadline(data)
        at_the_end.callback(deadline.met)
        at_the_end.callback(logger.info, "ended")
        at_the_end.callback(_no_longer_running, data)
        store = at_the_end.enter_context(contextlib.closing(Store(data)))
        store.read_now(lambda db: soundness.look_at_start(db, backup.size_of(store.path)))
        runtime = Runtime(
            embed=config.models.embed,
            generate=config.models.generate,
            idle_seconds=config.models.idle_seconds,
            threads=config.models.threads or None,
        )
        command_line = ensure_command_line_token(store, data)
        _note_running(data, Running(port, os.getpid()))
        daemon = Daemon(store, runtime, config, command_line=command_line.id)
        broken: list[BaseException] = []

        def build() -> Litestar:
            from satchel.api.app import create_app  # in its own thread: half of a start is this import

            return create_app(daemon)

        def failed(error: BaseException) -> None:
            broken.append(error)
            server.end()

        app = Guard(
            Loading(build, failed=failed),
            port=port,
            look_up=daemon.client_of_token,
            look_up_page=daemon.client_of_page,
            pin=daemon.pin_client,
            seen=daemon.client_seen,
            paired=daemon.is_paired,
        )

        class Server(IdleServer):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                logger.info("Satchel %s answers on port %d", __version__, port)
                if announce and self.started:
                    _announce(port, data)

            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                deadline.set()
                logger.info("told to end")
                daemon.events.close()  # else open event streams would be waited for
                await super().shutdown(sockets)

        server = Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=GRACE_SECONDS,
                timeout_keep_alive=75,
            )
        )
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal that stopped it once more when it is done: what follows must still run.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            server.run(sockets=[sock])
        finally:
            if broken:
                raise broken[0]


class _Deadline:
    """Ends the process when it does not end by itself. Not from another thread than the main one: there the process is
    somebody else's."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._timer: threading.Timer | None = None
        self._ours = threading.current_thread() is threading.main_thread()

    def set(self) -> None:
        if self._ours and self._timer is None:
            self._timer = threading.Timer(STOP_SECONDS, self._end)
            self._timer.daemon = True
            self._timer.start()

    def met(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        logger.warning("not everything had ended after %.1f s", STOP_SECONDS)
        _no_longer_running(self._data)
        os._exit(0)


def _note_running(data: Path, this: Running) -> None:
    file = data / RUNNING_FILE
    try:
        file.write_bytes(msgspec.json.encode(this))
    except OSError as error:
        raise _unwritable(file, error) from error


def _no_longer_running(data: Path) -> None:
    with contextlib.suppress(OSError):  # one that stays behind misleads nobody: readers allow for it
        (data / RUNNING_FILE).unlink(missing_ok=True)


def _unwritable(file: Path, error: OSError) -> CannotServeError:
    return CannotServeError(
        f"{file} cannot be written ({error.strerror or error}); make room or mend its permissions, or start with "
        "another --data folder."
    )


def ensure_command_line_token(store: object, data: Path) -> Client:
    """The command line talks to the daemon like any client; its token lies in the data folder, for the owner alone.

    Returns it as a client. Raises StoreError, and CannotServeError when the token cannot be left there.
    """
    from satchel.store import Store, clients

    assert isinstance(store, Store)
    file = data / TOKEN_FILE
    with contextlib.suppress(OSError, UnicodeDecodeError):
        token = file.read_text("ascii").strip()
        if known := store.read_now(lambda db: clients.by_token(db, token)):
            # One of before origins were kept must not go to whoever asks first.
            return known if known.pinned else store.write_now(lambda tx: clients.pin(tx, known.id, None))
    token = store.write_now(lambda tx: clients.issue(tx, name=COMMAND_LINE))
    part = file.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(token + "\n")
        part.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    made = store.read_now(lambda db: clients.by_token(db, token))
    assert made is not None
    return made


def _announce(port: int, data: Path) -> None:
    print(
        f"Satchel answers at http://{ADDRESS}:{port}\n"
        f"Everything it knows lies in {data}\n\n"
        "Next, in another terminal:\n"
        "  ./scripts/run demo               see it work on an invented person\n"
        "  ./scripts/run add chat.json      remember a conversation\n"
        "  ./scripts/run context QUESTION   what a chat would be given\n"
        "  ./scripts/run pair CODE          connect the browser extension: it shows the code\n"
        "  ./scripts/run token --name APP   let a program ask\n"
        "Ctrl-C stops it.",
        flush=True,
    )
