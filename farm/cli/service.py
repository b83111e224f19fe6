"""Services of the three systems: what starts a command with the machine, or with its user, and again when it ends.

On Windows it is a task at logon, since a service there has no OpenGL; on macOS an agent of the
user for the same reason.
"""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from farm.words.errors import NotASetup

_TRIES = 60.0
"""Seconds that the system's own program for services may take."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is to run.

    Args:
        name: letters and dashes, e.g. `distren-slave`.
        title: for people.
        argv: the command.
    """

    name: str
    title: str
    argv: Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a system is told of a service.

    Args:
        file: where its description goes.
        text: the description.
        start: commands that make the system know and start it; those that may fail begin with `-`.
        ready: that system is running here, and can be told.
        look: the command by which a person looks at it.
    """

    file: Path
    text: bytes
    start: list[list[str]] = field(default_factory=list)
    ready: bool = True
    look: str = ""


def plan(service: Service, system: str = sys.platform, *, root: bool | None = None) -> Plan:
    """Return how a system is told of a service.

    Args:
        service: what is to run.
        system: `linux`, `win32` or `darwin`.
        root: it is for the whole machine, not for one user; None: if this process may.

    Raises:
        NotASetup: on other systems.
    """
    if system == "linux":
        return _systemd(service, root=os.geteuid() == 0 if root is None else root)
    if system == "darwin":
        return _launchd(service)
    if system == "win32":
        return _logon(service)
    raise NotASetup(f"No service can be made on {system}.", hint=f"Start it yourself: {' '.join(service.argv)}")


def install(service: Service) -> tuple[Plan, bool]:
    """Write a service's description and start it; return how, and whether it was started.

    Raises:
        NotASetup: it can't be written, or the system refuses it; says what it said.
    """
    how = plan(service)
    try:
        how.file.parent.mkdir(parents=True, exist_ok=True)
        how.file.write_bytes(how.text)
    except OSError as error:
        raise NotASetup(f"The service can't be written to {how.file}: {error.strerror or error}.") from error
    if how.ready:
        for words in how.start:
            _run(words)
    return how, how.ready


def _run(words: list[str]) -> None:
    optional, argv = words[0].startswith("-"), [words[0].lstrip("-"), *words[1:]]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=_TRIES, check=False)
        said = (done.stderr or done.stdout).decode(errors="replace").strip() if done.returncode else ""
        failed = bool(done.returncode)
    except (OSError, subprocess.TimeoutExpired) as error:
        said, failed = str(error), True
    if failed and not optional:
        raise NotASetup(f"The service can't be started: {' '.join(argv)} said: {said}.")


def _systemd(service: Service, *, root: bool) -> Plan:
    unit = f"{service.name}.service"
    home = Path("/etc/systemd/system") if root else _config_home() / "systemd" / "user"
    control = ["systemctl"] if root else ["systemctl", "--user"]
    start = [[*control, "daemon-reload"], [*control, "enable", unit], [*control, "restart", unit]]
    if not root:
        # Else it ends when its user logs out.
        start.append(["-loginctl", "enable-linger"])
    target = "multi-user.target" if root else "default.target"
    text = (
        f"[Unit]\nDescription={service.title}\nWants=network-online.target\nAfter=network-online.target\n"
        "StartLimitIntervalSec=0\n\n"
        # One that is told to stop finishes what it does; a machine that is shut down can't wait for long.
        f"[Service]\nExecStart={' '.join(map(_unit_word, service.argv))}\nRestart=on-failure\nRestartSec=5\n"
        f"TimeoutStopSec=60\nKillMode=mixed\n\n[Install]\nWantedBy={target}\n"
    )
    look = " ".join([*control, "status", service.name])
    return Plan(home / unit, text.encode(), start, Path("/run/systemd/system").is_dir(), look)


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _unit_word(word: str) -> str:
    """Return a word as ExecStart wants it: in quotes, without specifiers and variables."""
    quoted = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{quoted}"'


def _launchd(service: Service) -> Plan:
    label = f"org.{service.name.replace('-', '.')}"
    file = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    facts = {
        "Label": label,
        "ProgramArguments": list(service.argv),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "StandardErrorPath": str(Path.home() / "Library" / "Logs" / f"{service.name}.log"),
    }
    start = [["-launchctl", "unload", str(file)], ["launchctl", "load", "-w", str(file)]]
    return Plan(file, plistlib.dumps(facts), start, look=f"launchctl list {label}")


def _logon(service: Service) -> Plan:
    folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "DistRen"
    file = folder / f"{service.name}.xml"
    words = subprocess.list2cmdline(service.argv[1:])
    # Without a user it would start at everybody's logon, which only an admin may ask for.
    user = "\\".join(filter(None, (os.environ.get("USERDOMAIN"), os.environ.get("USERNAME"))))
    whose = f"<UserId>{escape(user)}</UserId>" if user else ""
    program = escape(service.argv[0])
    text = _TASK.format(title=escape(service.title), whose=whose, program=program, words=escape(words))
    start = [
        ["schtasks", "/Create", "/F", "/TN", service.name, "/XML", str(file)],
        ["schtasks", "/Run", "/TN", service.name],
    ]
    return Plan(file, text.encode("utf-16"), start, look=f"schtasks /Query /TN {service.name} /V /FO LIST")


_TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{title}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled>{whose}</LogonTrigger></Triggers>
  <Principals><Principal id="Author">{whose}<LogonType>InteractiveToken</LogonType></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author"><Exec><Command>{program}</Command><Arguments>{words}</Arguments></Exec></Actions>
</Task>
"""
