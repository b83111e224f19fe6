"""What the three systems are told of a service. Only the one that this runs on can be tried for real."""

from __future__ import annotations

import configparser
import plistlib
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from farm.cli.service import Service, plan
from farm.words.errors import NotASetup

ODD = Service("distren-slave", 'Renders <"&">', ["/opt/my py/python", "-m", "farm", "--config", 'a%b "$HOME"'])


def test_systemd_starts_it_again_and_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = plan(ODD, "linux", root=False)
    assert made.file == tmp_path / "systemd" / "user" / "distren-slave.service"
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(made.text.decode())
    assert unit["Service"]["Restart"] == "on-failure", "a slave that was told to stop stays away"
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(unit["Service"]["ExecStart"])]
    assert words == ODD.argv
    assert unit["Install"]["WantedBy"] == "default.target"
    assert plan(ODD, "linux", root=True).file == Path("/etc/systemd/system/distren-slave.service")


def test_macos_gets_an_agent_of_the_user() -> None:
    made = plan(ODD, "darwin")
    facts = plistlib.loads(made.text)
    assert facts["ProgramArguments"] == ODD.argv
    assert facts["KeepAlive"] == {"SuccessfulExit": False}
    assert made.file.name == f"{facts['Label']}.plist"


def test_windows_gets_a_task_at_logon_without_an_end() -> None:
    task = ET.fromstring(plan(ODD, "win32").text.decode("utf-16").partition("?>")[2])
    name = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert task.find(f"{name}Triggers/{name}LogonTrigger") is not None
    assert task.findtext(f"{name}Settings/{name}ExecutionTimeLimit") == "PT0S"
    assert task.findtext(f"{name}Actions/{name}Exec/{name}Command") == ODD.argv[0]
    assert '"a%b \\"$HOME\\""' in str(task.findtext(f"{name}Actions/{name}Exec/{name}Arguments"))


def test_elsewhere_the_command_is_named() -> None:
    with pytest.raises(NotASetup) as caught:
        plan(ODD, "plan9")
    assert "--config" in caught.value.hint


@pytest.mark.parametrize("root", [True, False], ids=["of the machine", "of a user"])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = plan(Service("distren-slave", ODD.title, [sys.executable, *ODD.argv[1:]]), "linux", root=root)
    unit = tmp_path / made.file.name
    unit.write_bytes(made.text)
    words = [program, "verify", *([] if root else ["--user"]), str(unit)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert unit.name not in said.stdout + said.stderr
    assert said.returncode == 0, said.stderr


def test_a_windows_task_is_one_users_so_that_no_admin_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERDOMAIN", "STUDIO")
    monkeypatch.setenv("USERNAME", "ada & co")
    task = ET.fromstring(plan(ODD, "win32").text.decode("utf-16").partition("?>")[2])
    name = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    users = [element.text for element in task.iter(f"{name}UserId")]
    assert users == ["STUDIO\\ada & co"] * 2, "its trigger's and its own"
    parts = [element.tag.removeprefix(name) for element in task]
    assert parts == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
