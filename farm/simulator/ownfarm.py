"""A farm of this one machine: a real server and real slaves as processes, and their end."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

import psutil

from farm.protocol.joining import SlaveKeyMade
from farm.sandbox import tree
from farm.sandbox.reaper import bound
from farm.words.errors import NotASetup

SERVER = "server"
"""The name of the process that is none of the slaves."""

START = 60.0
"""Seconds that a server may take until it listens: the first start also makes the database."""

GENTLE = 8.0
"""Seconds that processes may take to end by themselves."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process of the farm, its log, and its first lines of stdout."""

    name: str
    process: subprocess.Popen[bytes]
    identity: tree.Identity
    log: Path
    lines: Queue[bytes]
    reader: threading.Thread


class OwnFarm:
    """Server and slaves in one folder, which is removed at the end with all in it.

    Args:
        folder: where the farm keeps everything.
        name: the server's, and how messages call the farm.
    """

    def __init__(self, folder: Path, name: str = "demo") -> None:
        self.folder = folder
        self.name = name
        self.members: list[Member] = []

    def __enter__(self) -> OwnFarm:
        self.folder.mkdir(parents=True, mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_server(self, port: int = 0, clock: Path | None = None, **settings: object) -> dict[str, Any]:
        """Start a server; return what it says of itself when it listens.

        Args:
            port: where it listens; 0: anywhere.
            clock: the file that tells by how much its clock is wrong, see :mod:`farm.simulator.wrongclock`.
            settings: what differs from the defaults.

        Raises:
            NotASetup: it did not come up; says why.
        """
        given = {"data": self.folder / "server", "host": "127.0.0.1", "port": port, **settings}
        arguments = [part for name, value in given.items() for part in _option(name.replace("_", "-"), value)]
        program = ("farm.cli.skewed", str(clock)) if clock else ("farm.cli.main",)
        member = self._start(SERVER, ["server", "--json", *arguments], {"DISTREN_NAME": self.name}, program)
        try:
            first = member.lines.get(timeout=START)
        except Empty:
            first = b""
        try:
            return dict(json.loads(first))
        except ValueError as error:
            raise NotASetup(
                f"The {self.name}'s server did not start. {tail(member.log)}", hint="`distren doctor`"
            ) from error

    def start_slave(self, url: str, made: SlaveKeyMade, options: Mapping[str, str]) -> None:
        """Start a slave with the key that was made for it."""
        place = self.folder / made.name
        given = {"server": url, "key": made.key, "cache": place / "cache", "work": place / "work"}
        given |= {"state": place / "state", "benchmark": "off", **options}
        arguments = [part for name, value in given.items() for part in (f"--{name}", str(value))]
        self._start(made.name, ["slave", "--json", *arguments], {"DISTREN_SLAVE_PASSWORD": made.password})

    def check(self) -> None:
        """Raise if a process of the farm ended by itself.

        Raises:
            NotASetup: names it, with the end of its log.
        """
        for member in self.members:
            code = member.process.poll()
            if code is not None:
                raise NotASetup(f"The {self.name}'s {member.name} ended with exit code {code}. {tail(member.log)}")

    def kill(self, name: str) -> None:
        """Kill a process of the farm, without any warning (SIGKILL)."""
        (member,) = [one for one in self.members if one.name == name]
        member.process.kill()
        _end(member)
        self.members.remove(member)

    def process(self, name: str) -> int:
        """Return a process' number."""
        return next(one.process.pid for one in self.members if one.name == name)

    def stop(self) -> None:
        """End all processes, slaves first; those that won't go are killed with their children."""
        with _undisturbed():
            for member in reversed(self.members):
                _ask(member)
            until = time.monotonic() + GENTLE
            for member in reversed(self.members):
                _end(member, until - time.monotonic())
            self.members.clear()

    def _start(
        self, name: str, verb: list[str], variables: dict[str, str], program: Sequence[str] = ("farm.cli.main",)
    ) -> Member:
        log, token = self.folder / f"{name}.log", secrets.token_hex(16)
        environment = {**_without_ours(os.environ), **variables, tree.TOKEN: token}
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *program, *verb],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=environment,
                start_new_session=True,
            )
        assert process.stdout is not None
        bound(process.pid)
        lines: Queue[bytes] = Queue()
        reader = threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True)
        reader.start()
        member = Member(name, process, tree.identify(process.pid, token), log, lines, reader)
        self.members.append(member)
        return member


def _option(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{'' if value else 'no-'}{name}"]
    return [f"--{name}", str(value)]


def new_folder(place: Path) -> Path:
    """Return a folder for a farm of this process; folders of processes that are gone are removed."""
    for old in place.glob("run-*"):
        number = old.name.removeprefix("run-")
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(old, ignore_errors=True)
    return place / f"run-{os.getpid()}"


def tail(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log as one."""
    try:
        text = log.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
    return " / ".join(text.splitlines()[-lines:])


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without DistRen's settings: they are meant for another server."""
    kept = ("DISTREN_CONFIG", "DISTREN_SLAVE_CONFIG")
    clean = {name: value for name, value in environment.items() if not name.startswith("DISTREN_")}
    return clean | dict.fromkeys(kept, os.devnull)


def _drain(stream: IO[bytes], lines: Queue[bytes]) -> None:
    """Read stdout to its end, so that nobody blocks; the first lines are kept."""
    with stream:
        for line in stream:
            if lines.qsize() < 100:
                lines.put(line)
    lines.put(b"")


def _ask(member: Member) -> None:
    """Ask a process to end. A slave that is asked twice gives its work back now, else it would first finish it."""
    # Two signals of one kind could arrive as one.
    for number in (signal.SIGTERM, signal.SIGINT)[: 1 if member.name == SERVER else 2]:
        with contextlib.suppress(ProcessLookupError):
            member.process.send_signal(number)


def _end(member: Member, seconds: float = GENTLE) -> None:
    try:
        member.process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        member.process.kill()
    tree.kill(member.identity)
    member.process.wait()
    member.reader.join(5)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no second Ctrl-C interrupt the cleaning up; it is bounded in time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
