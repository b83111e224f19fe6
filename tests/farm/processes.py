"""Processes of `distren` that tests start, and may kill."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import psutil

from farm.sandbox.reaper import bound

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["farm.cli.main", "farm.cli.server", "farm.cli.slave", "farm.server.process", "farm.slave.run", __name__]
)


class Child(Protocol):
    """What tests want of a child process; :class:`subprocess.Popen` does it."""

    pid: int

    def kill(self) -> None:
        """SIGKILL: no chance to say good-bye."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit code."""


class Process:
    """A process of the farm, its children marked so that orphans are found."""

    def __init__(self, name: str, verb: list[str], variables: dict[str, str], folder: Path) -> None:
        self.mark = secrets.token_hex(8)
        self.started: list[psutil.Process] = []
        self.log = folder / f"{name}.log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DISTREN_")}
        kept = {"DISTREN_CONFIG": os.devnull, "DISTREN_SLAVE_CONFIG": os.devnull, "DISTREN_CLIENT_CONFIG": os.devnull}
        self.popen = self._start(verb, {**clean, **kept, **variables, "FARM_TEST_MARK": self.mark})
        bound(self.popen.pid)

    def _start(self, verb: list[str], variables: dict[str, str]) -> Child:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "farm.cli.main", *verb],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=variables,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL: no chance to say good-bye."""
        self._remember()
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._remember()
        self.popen.send_signal(signal.SIGTERM)
        self.popen.send_signal(signal.SIGTERM)
        self.popen.wait(20)

    def freeze(self, seconds: float) -> None:
        """Let it stand still, as a laptop that sleeps."""
        self.popen.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.popen.send_signal(signal.SIGCONT)

    def cpu(self) -> float:
        """Return the seconds of processor time that it has taken so far."""
        return sum(psutil.Process(self.popen.pid).cpu_times()[:2])

    def descendants(self) -> list[psutil.Process]:
        """Return all living processes that were started by it, wherever they hang now.

        Contained renderers have an environment of their own, without the mark: those that
        there were before the end are remembered.
        """
        found = [p for p in self.started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if (
                    process.pid != self.popen.pid
                    and process not in found
                    and process.environ().get("FARM_TEST_MARK") == self.mark
                ):
                    found.append(process)
        return found

    def _remember(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.started = psutil.Process(self.popen.pid).children(recursive=True)


class Forked(Process):
    """The same, forked from a process that has imported everything: it starts at once. Killed, it is as dead as any.

    Its own environment is not seen from outside, nor does it measure what a start takes. All live where the first was
    started: who is elsewhere on a network of tests starts whole processes.
    """

    def _start(self, verb: list[str], variables: dict[str, str]) -> Child:
        return _Born(verb, variables, self.log)


class _Born:
    def __init__(self, verb: list[str], variables: dict[str, str], log: Path) -> None:
        self._process = _CONTEXT.Process(target=_live, args=(verb, variables, str(Path.cwd()), str(log)), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def send_signal(self, sig: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("distren", timeout or 0.0)
        return self._process.exitcode


def _live(verb: list[str], variables: dict[str, str], place: str, log: str) -> None:
    """Be a `distren` of one's own."""
    os.setsid()
    os.chdir(place)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    with Path(log).open("ab", buffering=0) as out, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.argv = ["distren", *verb]
    from farm.cli.main import main

    main()
