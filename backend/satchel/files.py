"""Files and folders that hold what is private: made for the owner alone, kept so, and removed with their bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from satchel.types import StoreError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
OTHERS = 0o077
"""The bits of a mode that let anybody else in."""

CHUNK = 1_000_000

OWN_FILES = (
    "satchel.sqlite*",
    "config.toml",
    "config.part",
    "config.lock",
    "command-line.*",
    "daemon.json",
    "daemon.lock",
    "backup.lock",
    "open.html",
)
OWN_FOLDERS = ("vectors", "backups", "logs")
"""What Satchel puts into its data folder; whatever else lies there is not its to change."""


def make_private(folder: Path) -> None:
    """Makes a folder, and the parents it lacks, for the owner alone. One that exists stays as it is. Raises OSError."""
    for each in (*reversed(folder.parents), folder):
        each.mkdir(mode=FOLDER_MODE, exist_ok=True)


def private_umask() -> None:
    """From now on, whatever this process makes is for its owner alone, whoever makes it. Windows has rights of the
    folder instead, which its user folder gives to the user alone."""
    if os.name == "posix":
        os.umask(OTHERS)


def own_paths(data: Path) -> Iterator[Path]:
    """What of Satchel's lies in its data folder: folders before what is in them."""
    for pattern in OWN_FILES:
        yield from data.glob(pattern)
    for name in OWN_FOLDERS:
        folder = data / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            with contextlib.suppress(PermissionError):  # another user's: whoever needs it says so
                yield from folder.iterdir()


def open_to_others(data: Path) -> list[Path]:
    """Which of Satchel's own files and folders others on this computer may look into. Nothing on Windows."""
    if os.name != "posix":
        return []
    found = []
    for path in own_paths(data):
        with contextlib.suppress(FileNotFoundError):  # the daemon removes files as it runs
            kind = path.stat().st_mode
            if kind & OTHERS and (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                found.append(path)
    return found


def close_to_others(data: Path) -> None:
    """Takes others' rights from Satchel's own files. Raises StoreError for one that stays open."""
    for path in open_to_others(data):
        mode = FOLDER_MODE if path.is_dir() else FILE_MODE
        with contextlib.suppress(OSError):  # what became of it is looked at below
            path.chmod(path.stat().st_mode & mode)
    if still := open_to_others(data):
        raise StoreError(
            f"Others on this computer may read {still[0]}, and this cannot be mended from here; run "
            f"`chmod go= '{still[0]}'` as its owner, or choose a data folder on a disk that keeps permissions."
        )


def new_private_file(path: Path) -> None:
    """Makes an empty file for the owner alone. Raises OSError: FileExistsError where there is something already."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def copy_private(source: Path, target: Path) -> None:
    """Copies bytes into a new file for the owner alone, and waits until they are on the disk. Raises OSError."""
    new_private_file(target)
    with source.open("rb") as found, target.open("r+b") as made:
        shutil.copyfileobj(found, made, CHUNK)
        made.flush()
        os.fsync(made.fileno())


def sync(path: Path) -> None:
    """Waits until a file, or what a folder lists, is on the disk. Raises OSError."""
    if path.is_dir() and os.name != "posix":
        return  # a folder cannot be opened there, and its entries are kept by the file system's own journal
    # fsync of a file must be asked for with the right to write, on Windows.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shred(path: Path) -> None:
    """Overwrites a file with zeros, then removes it. Raises OSError; nothing where there is no such file.

    The bytes are gone as far as the file system writes in place. One that copies on write (btrfs, ZFS, APFS), keeps
    snapshots, or a disk that spreads its writes (SSD) may keep the old blocks for a while, where no file names them.
    """
    if path.is_symlink():
        path.unlink(missing_ok=True)
        return
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            left = file.seek(0, os.SEEK_END)
            file.seek(0)
            while left > 0:
                left -= file.write(bytes(min(CHUNK, left)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
