"""Find, measure and kill a process with all that it started.

A tree is known by three marks, since each can be lost: parent numbers (lost when a parent
ends first), the process session (lost by setsid), and a token in the environment (kept by
everything that was started without clearing it).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from farm.sandbox.openfiles import held

TOKEN = "DISTREN_TREE"  # noqa: S105
"""The environment variable that marks every process of a tree."""

_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree uses: bytes of memory now, CPU seconds (user and system) so far, processes, files without a name."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    processes: int = 0
    nameless_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, told apart from a later one with the same number by its start (seconds since 1970)."""

    pid: int
    started: float
    token: str

    def process(self) -> psutil.Process | None:
        """Return the process if it still runs."""
        with contextlib.suppress(*_GONE):
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.started) < 0.05 and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None


def identify(pid: int, token: str) -> Identity:
    """Return who a process is; one that is gone already has no start."""
    with contextlib.suppress(*_GONE):
        return Identity(pid, psutil.Process(pid).create_time(), token)
    return Identity(pid, 0.0, token)


def members(root: Identity) -> list[psutil.Process]:
    """Return all processes of a tree that live, but never this one."""
    found = {p.pid: p for p in _family(root)}
    # Without its leader, a session's number may be another's by now: then only the token counts.
    session = root.pid if found else -1
    for process in psutil.process_iter():
        if process.pid not in found and _marked(process, session, root.token):
            found[process.pid] = process
    found.pop(os.getpid(), None)
    return [p for p in found.values() if _lives(p)]


def kill(root: Identity, patience: float = 5.0) -> bool:
    """Kill a tree, again and again until nothing of it is left.

    Args:
        root: the tree's first process; it may be gone.
        patience: seconds to try.

    Returns:
        Whether nothing is left.
    """
    end = time.monotonic() + patience
    while left := members(root):
        _kill_all(left)
        _wait(left, 0.2)
        if time.monotonic() > end:
            return not members(root)
    return True


def usage(root: Identity) -> Usage:
    """Measure a tree; children that ended count if their parent waited for them."""
    memory, cpu, family = 0, 0.0, _family(root)
    for process in family:
        with contextlib.suppress(*_GONE):
            times = process.cpu_times()
            cpu += times.user + times.system + _of_children(times)
            memory += process.memory_info().rss
    files = held([process.pid for process in family])
    return Usage(memory + files.memory, cpu, len(family), files.disk)


def inside(root: Identity, shell: str) -> Identity | None:
    """Return the first process of a tree that is not one of its shell's; None while there is none.

    Args:
        root: the tree's first process.
        shell: the name of the program around it, e.g. `bwrap`, which runs as several processes.
    """
    for process in _family(root):
        with contextlib.suppress(*_GONE):
            if process.name() != shell:
                return Identity(process.pid, process.create_time(), root.token)
    return None


def own_cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU seconds of a process, and of its children that ended."""
    with contextlib.suppress(*_GONE):
        times = process.cpu_times()
        return float(times.user + times.system + _of_children(times))
    return 0.0


def _of_children(times: object) -> float:
    return float(getattr(times, "children_user", 0.0)) + float(getattr(times, "children_system", 0.0))


def _family(root: Identity) -> list[psutil.Process]:
    process = root.process()
    if process is None:
        return []
    with contextlib.suppress(*_GONE):
        return [process, *process.children(recursive=True)]
    return [process]


def _marked(process: psutil.Process, session: int, token: str) -> bool:
    with contextlib.suppress(*_GONE, OSError):
        if hasattr(os, "getsid") and os.getsid(process.pid) == session:
            return True
        return process.environ().get(TOKEN) == token
    return False


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(*_GONE):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _wait(processes: list[psutil.Process], seconds: float) -> None:
    """Wait for ends without asking for exit codes: that of our own child is for whoever started it."""
    end = time.monotonic() + seconds
    while any(map(_lives, processes)) and time.monotonic() < end:
        time.sleep(0.005)


def _kill_all(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.kill()
