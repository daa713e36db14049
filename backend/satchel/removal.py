"""What Satchel has put on this computer, and its removal: file by file, by names that are its own.

A folder may have been chosen by the user and hold other things: nothing is removed for lying in it, links are not
followed, and a folder goes only when it is empty.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import apsw
import msgspec

from satchel import files, logs, server
from satchel.models import registry
from satchel.models.download import PARTIAL
from satchel.store import backup
from satchel.store.database import connect
from satchel.store.store import CELLS_FOLDER, FILE_NAME
from satchel.types import ModelError, SatchelError, StoreError

LOCKS = (server.LOCK_FILE, backup.LOCK_FILE)
"""Held while the rest is removed, and removed last."""


class Found(msgspec.Struct, frozen=True):
    """Files of Satchel's, with the folders that go with them when they are empty."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...] = ()

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(map(_size, self.files))


def is_ours(data: Path) -> bool:
    """Whether this folder is Satchel's at all: a mistyped one holds a `config.toml` of somebody else's."""
    return any((data / name).is_file() for name in (FILE_NAME, server.LOCK_FILE, backup.LOCK_FILE))


def leavings(data: Path) -> Found:
    """Logs and what can be made again: the index of meaning held in files, and what a running daemon notes down."""
    if not is_ours(data):
        return Found(())
    cells = data / CELLS_FOLDER
    return Found(
        files=(
            *_inside(data / logs.FOLDER, f"{logs.FILE_NAME}*"),
            *_inside(cells, "*.faiss", "*.json", "*.part"),
            *_own(data, server.RUNNING_FILE, "config.part", "command-line.part"),
        ),
        folders=(data / logs.FOLDER, cells),
    )


def memories(data: Path) -> Found:
    """Everything that was said and drawn from it, the backups in the data folder, the settings and the token."""
    if not is_ours(data):
        return Found(())
    copies = backup.folder(data)
    others = {*leavings(data).files, *(data / name for name in LOCKS)}
    return Found(
        files=(
            *(file for file in dict.fromkeys(_own(data, *files.OWN_FILES)) if file not in others),
            *_inside(copies, "satchel-*.db*", f"*{backup.OWED}", f"{backup.ELSEWHERE_FILE}*"),
        ),
        folders=(copies,),
    )


def models(folder: Path) -> tuple[Found, tuple[Path, ...]]:
    """What Satchel fetched into the models folder, and the GGUFs there that it did not, or that were changed since."""
    try:
        local = registry.read_local(folder)
    except ModelError:  # its list of one's own models is damaged: what was fetched is known without it
        local = registry.Local()
    fetched = {entry.file: local.pins.get(entry.file, entry.sha256) for entry in registry.manifest()}
    ours: list[Path] = []
    others: list[Path] = []
    for file in _own(folder, "*.gguf"):
        (ours if _hash(file, folder) == fetched.get(file.name, "") else others).append(file)
    begun = [folder / PARTIAL / entry.name for entry in registry.manifest()]
    partly = [file for one in begun for file in (*_within(one), *_own(one.parent, f"{one.name}.lock"))]
    folders = [inner for one in begun for inner in _folders_within(one)]
    return (
        Found(
            (*ours, *_own(folder, registry.LOCAL, registry.VERIFIED, ".local.lock"), *partly),
            (*folders, folder / PARTIAL, folder),
        ),
        tuple(others),
    )


def count_memories(data: Path) -> int | None:
    """How many there are; None when the store cannot be read. 0 without a store."""
    if not (data / FILE_NAME).exists():
        return 0
    try:
        with contextlib.closing(connect(data / FILE_NAME, readonly=True)) as db:
            return int(str(db.execute("SELECT count(*) FROM memory").get))
    except (SatchelError, apsw.Error):
        return None


def copies_elsewhere(data: Path) -> tuple[str, ...]:
    """The backups that were written to places of the user's choice, as far as they are known and still there."""
    try:
        return tuple(one.path for one in backup.elsewhere(data) if backup.lies_there(one) is not False)
    except StoreError:
        return ()


def remove(found: Found, *, private: bool = False) -> None:
    """Removes the files, and the folders that are empty then; `private` ones are overwritten first. Raises StoreError,
    naming the first that could not be removed."""
    for file in found.files:
        try:
            files.shred(file) if private else file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{file} cannot be removed ({error.strerror}); mend its permissions, and do it again."
            ) from error
    _remove_empty(found.folders)


def remove_locks(data: Path) -> None:
    """The last of it, when nothing holds the folder any more; the folder itself goes if it is empty."""
    for name in LOCKS:
        with contextlib.suppress(OSError):
            (data / name).unlink()
    _remove_empty([data])


def program() -> tuple[Path, ...]:
    """The folders of the program itself: of its source, where it runs from there, and of its virtual environment."""
    tree = Path(__file__).parents[2]
    checkout = [tree] if (tree / "pyproject.toml").exists() else []
    own = [Path(sys.prefix)] if sys.prefix != sys.base_prefix else []
    return (*checkout, *(place for place in own if not checkout or checkout[0] not in place.parents))


def _own(folder: Path, *patterns: str) -> Iterator[Path]:
    """The files in a folder that match; links are none of ours."""
    for pattern in patterns:
        with contextlib.suppress(OSError):
            yield from sorted(file for file in folder.glob(pattern) if file.is_file() and not file.is_symlink())


def _inside(folder: Path, *patterns: str) -> Iterator[Path]:
    """Likewise, of a folder that Satchel makes: where a link stands in its place, it was not Satchel's doing."""
    return iter(()) if folder.is_symlink() else _own(folder, *patterns)


def _hash(file: Path, folder: Path) -> str | None:
    try:
        return registry.file_sha256(file, folder)
    except OSError:
        return None


def _within(folder: Path) -> list[Path]:
    return [Path(at) / name for at, _, names in _walk(folder) for name in names]


def _folders_within(folder: Path) -> list[Path]:
    """The innermost first."""
    return [Path(at) for at, _, _ in reversed(list(_walk(folder)))]


def _walk(folder: Path) -> Iterable[tuple[str, list[str], list[str]]]:
    return () if folder.is_symlink() else os.walk(folder)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # not empty, not there, or a link: it stays
            folder.rmdir()


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.lstat().st_size
    return 0
