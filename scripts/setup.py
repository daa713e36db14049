"""Sets up `.venv` for scripts/run and scripts/test: setup.py run|test FINGERPRINT

Standard library only, since nothing is installed yet. Everything comes from the lock files with its hash
checked, the tools that compile llama-cpp-python included. Each step may be interrupted and is taken up again
by the next call; the fingerprint is written to `.venv/ready-*` last of all, and says that nothing is missing.
All output goes to stderr, so that `satchel ... --json` stays readable by a program.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "scripts" / "locks"
LOG = VENV / "setup.log"
# Written before packages are changed and removed after: if it is there, a call was killed in between.
UNFINISHED = VENV / "unfinished"

NEEDED_BYTES = 1_500_000_000
COMPILED = "llama-cpp-python"
# Vision models are of no use here; leaving them out saves a fifth of the compile time.
CMAKE_ARGS = "-DLLAVA_BUILD=OFF"

Seen = Callable[[str], None]


class CannotSetUpError(Exception):
    """One sentence: what is missing, and what to do."""


class Display:
    """One line that is written over on a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.started = time.monotonic()
        self.downloaded = 0.0

    def step(self, text: str) -> None:
        self.started = time.monotonic()
        if self.live:
            self.update(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def update(self, text: str) -> None:
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            line = f"{text}  {duration(time.monotonic() - self.started)}"
            print(f"\r\033[K{line[:width]}", end="", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A line that stays."""
        print(f"\r\033[K{text}" if self.live else text, file=sys.stderr, flush=True)

    def done(self, text: str) -> None:
        self.note(f"{text} ({duration(time.monotonic() - self.started)})")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def main() -> None:
    mode, fingerprint = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    display = Display()
    began = time.monotonic()
    try:
        VENV.mkdir(exist_ok=True)
        with only_one(display) as lock:
            if stamp(mode).exists() and stamp(mode).read_text() == fingerprint:
                return  # another call did it while this one waited
            Setup(mode, display, lock).run()
            # What the tests need includes what a run needs.
            for ready in {"run", mode}:
                write_whole(stamp(ready), fingerprint)
    except CannotSetUpError as error:
        stop(display, f"satchel: {error}", 1)
    except KeyboardInterrupt:
        stop(display, "\nStopped. The same command goes on from here.", 130)
    except PermissionError as error:
        stop(
            display,
            f"satchel: {error.filename} may not be used: clone to a folder of yours.",
            1,
        )
    except OSError as error:
        stop(display, f"satchel: {error.strerror or error}: {error.filename or ROOT}", 1)
    display.note(f"Set up in {duration(time.monotonic() - began)}; {display.downloaded:.0f} MB of packages downloaded.")


def stop(display: Display, text: str, status: int) -> NoReturn:
    display.note(text)
    sys.exit(status)


def stamp(mode: str) -> Path:
    return VENV / f"ready-{mode}"


def write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.replace(path)


@contextlib.contextmanager
def only_one(display: Display) -> Iterator[int]:
    """Holds the lock of this environment; the system frees it however this process, and its children, end."""
    with (VENV / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            display.step("Another set-up of this folder is running; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


class Setup:
    def __init__(self, mode: str, display: Display, lock: int) -> None:
        self.mode = mode
        self.display = display
        self.lock = lock
        self.packages = read_lock(LOCKS / f"{mode}.txt")

    def run(self) -> None:
        self.check_disk()
        if not self.is_compiled():
            check_compiler()
        self.make_environment()
        again = ["--ignore-installed"] if UNFINISHED.exists() else []
        UNFINISHED.touch()
        self.install_pip(again)
        self.install_wheels(again)
        self.compile_llama(again)
        self.install_satchel()
        if self.mode == "test":
            self.install_memos_sdk()
        UNFINISHED.unlink()
        self.fetch_models()

    def check_disk(self) -> None:
        free = shutil.disk_usage(ROOT).free
        if not self.is_compiled() and free < NEEDED_BYTES:
            raise CannotSetUpError(
                f"set-up needs {NEEDED_BYTES / 1e9:.1f} GB and {ROOT} has {free / 1e9:.1f} GB: make room."
            )

    def is_compiled(self) -> bool:
        version = re.search(r"==(\S+)", self.packages[COMPILED])
        assert version
        folder = f"{COMPILED.replace('-', '_')}-{version[1]}.dist-info"
        return any(VENV.glob(f"lib/python*/site-packages/{folder}/RECORD"))

    def make_environment(self) -> None:
        python = VENV / "bin" / "python"
        works = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        if python.exists() and subprocess.run([python, "-I", "-c", works], stderr=subprocess.DEVNULL).returncode == 0:
            return
        self.display.step("Making the Python environment …")
        for old in VENV.iterdir():
            if old.name not in {"setup.lock", "setup.log"}:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        # The real file, not a link such as /usr/bin/python3: when the system moves to another version the
        # environment is then seen to be broken, and made again.
        base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        status, tail = self.call([base, "-m", "venv", str(VENV)])
        if status:
            if "ensurepip" in tail:
                raise CannotSetUpError(venv_remedy())
            raise CannotSetUpError(f"the Python environment could not be made: {last_words(tail)} (see {LOG})")
        self.display.done(f"Python {sys.version_info.major}.{sys.version_info.minor} environment in {VENV}")

    def install_pip(self, again: list[str]) -> None:
        """The pip of the lock, so that every machine installs with the same one."""
        self.display.note(f"Packages come from {self.index()}")
        self.install("pip", [*again, "--no-deps", *self.subset({"pip"})])

    def install_wheels(self, again: list[str]) -> None:
        wanted = set(self.packages) - {COMPILED, "pip"}
        total = sum(len(re.findall(r"^\S", self.packages[name], re.M)) for name in wanted)
        count = 0

        def seen(line: str) -> None:
            nonlocal total, count
            if line.startswith("Ignoring "):
                total -= 1
            elif line.startswith(("Collecting ", "Requirement already satisfied")):
                count += 1
                self.display.update(f"Packages: {count}/{total}")
            elif line.startswith("Installing "):
                self.display.update(f"Packages: installing {total}")

        self.display.step(f"Packages: {total} in the lock …")
        self.install("packages", [*again, "--no-deps", "--only-binary", ":all:", *self.subset(wanted)], seen)
        self.display.done(f"Packages: {total} installed, each checked against its hash")

    def compile_llama(self, again: list[str]) -> None:
        if self.is_compiled():
            return
        counted = shown = 0

        def seen(line: str) -> None:
            nonlocal counted, shown
            progress = re.match(r"\s*\[(\d+)/(\d+)\]", line)
            if not progress:
                return
            done, total = map(int, progress.groups())
            counted += 1
            self.display.update(f"Compiling llama.cpp: {done}/{total}")
            tenth = done * 10 // total
            if not self.display.live and total > 20 and tenth > shown:
                shown = tenth
                elapsed = duration(time.monotonic() - self.display.started)
                self.display.note(f"Compiling llama.cpp: {done}/{total}, {elapsed}")

        self.display.step("llama.cpp: fetching and compiling it, once (5 to 15 minutes on a small machine) …")
        self.install(
            "llama.cpp",
            ["--verbose", *again, "--no-deps", "--no-build-isolation", *self.subset({COMPILED})],
            seen,
        )
        self.display.done("llama.cpp " + ("compiled for this machine" if counted else "found in pip's cache"))

    def install_satchel(self) -> None:
        self.display.step("Satchel itself …")
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
        self.install("satchel", options)
        self.call([self.python(), "-m", "compileall", "-q", str(ROOT / "backend")])
        self.display.done("Satchel installed")

    def install_memos_sdk(self) -> None:
        """MemOS's client, for tests of the compatible API, out of the way of the program's own packages."""
        target = VENV / "memos-sdk"
        wanted = (LOCKS / "memos-sdk.txt").read_text()
        if (target / "LOCK").exists() and (target / "LOCK").read_text() == wanted:
            return
        self.display.step("The MemOS SDK …")
        shutil.rmtree(target, ignore_errors=True)
        options = ["--no-deps", "--only-binary", ":all:", "--target", str(target)]
        self.install("the MemOS SDK", [*options, "--require-hashes", "-r", str(LOCKS / "memos-sdk.txt")])
        write_whole(target / "LOCK", wanted)
        self.display.done("MemOS SDK installed, for tests")

    def fetch_models(self) -> None:
        self.display.step("Default models …")
        command = [self.python(), "-P", "-m", "satchel", "models", "pull"]
        if self.display.live:
            self.display.note("Default models:")
        # Its own progress and errors are shown as they are.
        with self.child(command, stdout=sys.stderr.fileno()) as process:
            status = process.wait()
        if status:
            sys.exit(status if status > 0 else 1)

    # Running things

    def python(self) -> str:
        return str(VENV / "bin" / "python")

    def index(self) -> str:
        """Where pip is about to go, as its settings say, without whatever is secret in the address."""
        command = [self.python(), "-P", "-m", "pip", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        named = dict(re.findall(r"^(global|install|:env:)\.index-url='(.+)'$", done.stdout, re.M))
        index = named.get(":env:") or named.get("install") or named.get("global") or "https://pypi.org/simple"
        return re.sub(r"//[^/@]*@", "//", index)

    def subset(self, names: set[str]) -> list[str]:
        """pip's options for these packages of the lock alone."""
        path = VENV / "requirements.txt"
        path.write_text("".join(self.packages[name] for name in sorted(names)))
        return ["--require-hashes", "-r", str(path)]

    def install(self, what: str, options: list[str], seen: Seen | None = None) -> None:
        command = [self.python(), "-P", "-m", "pip", "install", "--progress-bar", "off", *options]
        status, tail = self.call(command, seen)
        if status:
            raise CannotSetUpError(explain(what, tail))

    def call(self, command: list[str], seen: Seen | None = None) -> tuple[int, str]:
        """The exit code and the last 40,000 characters of the output, all of which goes to the log."""
        tail = ""
        with (
            LOG.open("a", encoding="utf-8") as log,
            self.child(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
        ):
            log.write(f"\n$ {' '.join(command)}\n")
            assert process.stdout
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace")
                log.write(line)
                tail = (tail + line)[-40_000:]
                size = re.search(r"Downloading \S+ .*?\(([\d.]+) (kB|MB)\)", line)
                if size:
                    self.display.downloaded += float(size[1]) / (1 if size[2] == "MB" else 1000)
                if "WARNING: Retrying" in line:
                    self.display.note("The package index does not answer; trying again …")
                if seen:
                    seen(line)
            return process.wait(), tail

    @contextlib.contextmanager
    def child(self, command: list[str], **streams: int) -> Iterator[subprocess.Popen[bytes]]:
        """A process in a group of its own, ended with all its descendants if this one is interrupted.

        It inherits the lock, so that after a `kill -9` of this process no second set-up starts beside it.
        """
        environment = os.environ | {
            "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_USER": "0",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PYTHONUNBUFFERED": "1",
            "CMAKE_ARGS": f"{CMAKE_ARGS} {os.environ.get('CMAKE_ARGS', '')}".strip(),
        }
        environment.setdefault("PIP_RETRIES", "3")
        environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX"):
            environment.pop(name, None)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
            pass_fds=(self.lock,),
            **streams,  # type: ignore[call-overload]
        )
        try:
            yield process
        except BaseException:
            for number in (signal.SIGINT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            raise


def read_lock(path: Path) -> dict[str, str]:
    """Each package's lines in a lock file, by its name: one version, or several for different Pythons."""
    packages: dict[str, str] = {}
    name = ""
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name = line.partition("==")[0]
        packages[name] = packages.get(name, "") + line
    return packages


def check_compiler() -> None:
    for variable, names in (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++"))):
        chosen = os.environ.get(variable)
        compilers = [chosen.split()[0]] if chosen else names
        if not any(answers(compiler) for compiler in compilers):
            raise CannotSetUpError(f"llama.cpp is compiled here and a C++ compiler is missing: {compiler_remedy()}")


def answers(compiler: str) -> bool:
    """Whether it runs: on macOS a `cc` that only offers to install itself is always there."""
    if not shutil.which(compiler):
        return False
    return subprocess.run([compiler, "--version"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def compiler_remedy() -> str:
    if sys.platform == "darwin":
        return "run `xcode-select --install`, then this command again."
    for manager, packages in (
        ("apt-get", "build-essential"),
        ("dnf", "gcc gcc-c++"),
        ("zypper", "gcc gcc-c++"),
    ):
        if shutil.which(manager):
            return f"run `sudo {manager} install {packages}`, then this command again."
    if shutil.which("pacman"):
        return "run `sudo pacman -S base-devel`, then this command again."
    return "install gcc and g++ (or clang), then run this command again."


def venv_remedy() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which("apt-get"):
        remedy = f"run `sudo apt-get install python{version}-venv`, then this command again."
    else:
        remedy = "install its venv package, or name another Python with SATCHEL_PYTHON."
    return f"Python {version} lacks what makes environments: {remedy}"


# What pip and the compiler say, and what we say instead; the first that matches counts.
CAUSES = (
    (r"No space left on device", "the disk is full: make room and run this command again"),
    (r"DO NOT MATCH THE HASHES", "a package is not the one that was locked, so nothing of it was installed: "
     "try another network or package index"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError", "the package index's certificate is not trusted here: "
     "if your network inspects traffic, point PIP_CERT at its certificate"),
    (r"Killed signal terminated|c(c1plus|lang\S*): .*(out of memory|Killed)|virtual memory exhausted",
     "the compiler ran out of memory: run it again with CMAKE_BUILD_PARALLEL_LEVEL=1"),
    (r"ConnectionError|NewConnectionError|Failed to establish a new connection|ConnectTimeout|ReadTimeout"
     r"|ProxyError|from versions: none|Name or service not known|name resolution|Network is unreachable"
     r"|Connection refused",
     "the package index cannot be reached: check the network (or PIP_INDEX_URL and the proxy), "
     "then run this command again"),
    (r"Could not find a version that satisfies|No matching distribution found",
     "the package index has no build of a locked package for this machine: check PIP_INDEX_URL, or try "
     "another Python with SATCHEL_PYTHON"),
)  # fmt: skip


def explain(what: str, output: str) -> str:
    """One sentence for a failed installation."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, output):
            return f"{what} could not be installed: {sentence}. (Details: {LOG})"
    return f"{what} could not be installed: {last_words(output)} (Details: {LOG})"


def last_words(output: str) -> str:
    """The last line that speaks of an error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
    return (errors or lines or ["no output"])[-1][:300]


if __name__ == "__main__":
    main()
