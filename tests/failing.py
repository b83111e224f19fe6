"""Calls of the system that fail in a running process: strace has the n-th of each thread return an error."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WRITES = ("pwrite64", "ftruncate")
"""How SQLite writes; `write` also serves sockets and pipes, and is tried with a small disk."""

SYNCS = ("fsync", "fdatasync")
NAMES = ("rename", "link", "mkdir", "unlink")


@contextmanager
def failing(pid: int, calls: tuple[str, ...], error: str, when: str, log: Path) -> Iterator[None]:
    """Have calls of a process fail while the block runs.

    Args:
        pid: of the process; its threads, and those that it starts, are meant too.
        calls: names, as strace has them.
        error: what they return, e.g. ENOSPC.
        when: which of each thread's, as strace has it: `3`, or `3+` for all from there.
        log: gets the calls.
    """
    names = ",".join(calls)
    inject = f"inject={names}:error={error}:when={when}"
    command = [
        "strace",
        "-f",
        "-p",
        str(pid),
        "-e",
        f"trace={names}",
        "-e",
        "signal=none",
        "-e",
        inject,
        "-o",
        str(log),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as by:
        try:
            end = time.monotonic() + 60
            while not _traced(pid, by.pid):
                assert by.poll() is None, "strace can't be attached"
                assert time.monotonic() < end, "strace is not attached"
                time.sleep(0.01)
            yield
        finally:
            by.terminate()
            by.wait(60)


def _traced(pid: int, by: int) -> bool:
    """Tell whether all threads of a process are watched."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # it has ended
            if f"TracerPid:\t{by}\n" not in (thread / "status").read_text():
                return False
    return True


def injected(log: Path) -> int:
    """Return how many calls failed so."""
    return log.read_text(errors="replace").count("(INJECTED)")
