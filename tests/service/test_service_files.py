"""What a service's file says, read by the platform's rules, is the command that was meant, whatever the paths hold."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from satchel.service import plan as plans
from satchel.service.launchd import Launchd
from satchel.service.manager import Manager, here
from satchel.service.plan import Plan, ServiceError
from satchel.service.systemd import Systemd, quote
from satchel.service.windows import NAMESPACE, VARIABLE, TaskScheduler, split
from service import unit_file

TRICKY = "/a b/50% %h %%/$HOME ${USER} $$/\"q\" 's' \\n \\/é 記憶 🎒/; # @-:+!/<&>]]>/ "
# Whole names beside single characters: a specifier, a variable or an escape is more than one.
PIECES = st.sampled_from(
    ["%h", "%%", "$HOME", "${HOME}", "$$", '\\"', "\\n", "\\", " ", "'", '"', ";", "&amp;", "]]>", "é"]
)
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"]).filter(plans._can_be_written)
PATHS = st.lists(PIECES | CHARACTERS, max_size=12).map(lambda parts: "/" + "".join(parts))
PORTS = st.none() | st.integers(1, 65535)
PLANS = st.builds(Plan, python=PATHS, data=PATHS, models=PATHS, port=PORTS)
RUNNABLE = PLANS.filter(lambda plan: not set(plan.python) & set("\"'\\"))
WITHOUT_VARIABLES = PLANS.filter(lambda plan: not any(map(VARIABLE.search, plan.command())))


def unit(plan: Plan) -> dict[str, dict[str, str]]:
    return unit_file.settings(Systemd().write(plan).decode("utf-8"))


@example(Plan("/usr/bin/python", TRICKY, TRICKY, 8765))
@example(Plan("/a $HOME %h é/python", TRICKY, "/m"))
@given(RUNNABLE)
def test_systemd_runs_what_was_meant(plan: Plan) -> None:
    command = unit_file.exec_start(unit(plan)["Service"]["ExecStart"])
    assert command.path == plan.python
    assert command.argv == list(plan.command())


@given(st.lists(PIECES | CHARACTERS).map("".join))
def test_a_word_is_one_word_for_systemd(word: str) -> None:
    assert [unit_file.specified(found) for found in unit_file.split(quote(word))] == [word]


@given(PATHS.filter(lambda path: set(path) & set("\"'\\")))
def test_a_program_that_systemd_would_refuse_is_refused(path: str) -> None:
    with pytest.raises(ServiceError):
        Systemd().write(Plan(path, "/d", "/m"))


@example(Plan(TRICKY, TRICKY, TRICKY, 1))
@given(PLANS)
def test_launchd_runs_what_was_meant(plan: Plan) -> None:
    assert plistlib.loads(Launchd().write(plan))["ProgramArguments"] == list(plan.command())


@given(WITHOUT_VARIABLES)
def test_the_task_scheduler_runs_what_was_meant(plan: Plan) -> None:
    run = ElementTree.fromstring(TaskScheduler().write(plan)).find(f".//{{{NAMESPACE}}}Exec")
    assert run is not None
    command, *arguments = plan.command()
    assert run.findtext(f"{{{NAMESPACE}}}Command") == command
    assert run.findtext(f"{{{NAMESPACE}}}Arguments") == subprocess.list2cmdline(arguments)


@pytest.mark.parametrize("path", ["C:\\%TEMP%\\x", "C:\\$(Arg0)", "C:\\50% or 60%"])
def test_what_the_task_scheduler_would_take_for_a_variable_is_refused(path: str) -> None:
    with pytest.raises(ServiceError, match="variable"):
        TaskScheduler().write(Plan("C:\\python.exe", path, "C:\\m"))


@given(st.lists(st.text(st.sampled_from('\\" \tab%é'), max_size=8)))
def test_a_windows_command_line_is_split_as_it_was_joined(words: list[str]) -> None:
    assert split(subprocess.list2cmdline(words)) == words


@pytest.mark.parametrize("manager", [Systemd(), Launchd(), TaskScheduler()], ids=lambda manager: manager.name)
def test_a_written_file_is_read_again_and_others_are_not_ours(manager: Manager) -> None:
    @given(WITHOUT_VARIABLES.filter(lambda plan: not set(plan.python) & set("\"'\\")))
    def read_again(plan: Plan) -> None:
        assert manager.read(manager.write(plan)) == plan

    read_again()
    for other in (
        b"",
        b"\xff\x00nonsense",
        b"[Service]\nExecStart=/bin/true\n",
        b"<Task/>",
        plistlib.dumps({"Label": "x"}),
    ):
        assert manager.read(other) is None


@given(st.sampled_from("\n\t\x00\x1b\x7f\x85\ud800\udcff\ufdd0\ufffe\U0001ffff"))
def test_a_path_that_no_file_can_name_is_refused(c: str) -> None:
    with pytest.raises(ServiceError):
        plans.make(Path(f"/data {c}"), None)


def test_the_python_that_runs_now_is_named_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment's python is a link, and knows its packages by where the link lies."""
    link = tmp_path / "venv" / "bin" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(link))
    monkeypatch.setenv("SATCHEL_MODELS", "models")
    monkeypatch.chdir(tmp_path)
    made = plans.make(Path("data"), 9000)
    assert made == Plan(str(link), str(tmp_path / "data"), str(tmp_path / "models"), 9000)


def test_no_manager_tries_again_what_would_fail_again_and_each_stops_it_in_time() -> None:
    plan = Plan("/python", "/data", "/models")
    service = unit(plan)["Service"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2 75 78")
    assert (service["TimeoutStopSec"], service["UMask"], service["NoNewPrivileges"]) == ("5", "0077", "yes")
    assert "StartLimitBurst" in unit(plan)["Unit"]
    agent = plistlib.loads(Launchd().write(plan))
    assert (agent["KeepAlive"], agent["ExitTimeOut"], agent["Umask"]) == ({"SuccessfulExit": False}, 5, 0o077)
    task = TaskScheduler().write(plan).decode("utf-16")
    assert "<Count>5</Count>" in task
    assert "<MultipleInstancesPolicy>IgnoreNew<" in task


KNOWN = {
    "Unit": {"Description", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        *("Type", "SyslogIdentifier", "ExecStart", "Restart", "RestartSec", "RestartPreventExitStatus"),
        *("TimeoutStopSec", "KillMode", "OOMPolicy", "UMask", "LimitCORE", "NoNewPrivileges", "RestrictNamespaces"),
        *("RestrictSUIDSGID", "SystemCallArchitectures", "RestrictRealtime", "LockPersonality"),
        "RestrictAddressFamilies",
    },
    "Install": {"WantedBy"},
}
"""All of which systemd 252 took without a word."""


def test_a_child_that_fetches_a_model_may_speak_on_every_network() -> None:
    text = Systemd().write(Plan(python="/usr/bin/python3", data="/d", models="/m", port=7331)).decode()
    families = unit_file.settings(text)["Service"]["RestrictAddressFamilies"].split()
    assert sorted(families) == ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"]
    assert "than the loopback address needs" not in text


def test_systemd_takes_every_line(tmp_path: Path) -> None:
    """By its own tool where that is here; everywhere, no line is one that it was not asked about."""
    folder = tmp_path / "My $HOME 100% é"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    plan = Plan(str(folder / "python"), TRICKY, "/models", 8765)
    assert {section: set(keys) for section, keys in unit(plan).items()} == KNOWN
    (tmp_path / "satchel.service").write_bytes(Systemd().write(plan))
    if tool := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [tool, "--user", "verify", tmp_path / "satchel.service"],
            capture_output=True,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_platform_has_its_manager_and_an_unknown_one_is_told() -> None:
    assert [type(here(name)) for name in ("linux", "darwin", "win32")] == [Systemd, Launchd, TaskScheduler]
    with pytest.raises(ServiceError, match="freebsd14"):
        here("freebsd14")


def test_a_relative_xdg_config_home_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert Systemd().file == tmp_path / ".config/systemd/user/satchel.service"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    assert Systemd().file == tmp_path / "conf/systemd/user/satchel.service"


def test_what_launchd_says_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "gui": "domain = gui/501",
        "service": "gui/501/local.satchel = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 4711\n\truns = 1\n}\n",
    }
    answers = lambda *words: said.get("service" if words[-1].endswith("local.satchel") else "gui")  # noqa: E731
    monkeypatch.setattr("satchel.service.launchd.ask", answers)
    state = Launchd().state()
    assert state is not None
    assert (state.enabled, state.active, state.pid) == (True, True, 4711)
    del said["service"]
    state = Launchd().state()
    assert state is not None
    assert (state.enabled, state.active, state.pid) == (False, False, None)
    said.clear()
    assert Launchd().state() is None
