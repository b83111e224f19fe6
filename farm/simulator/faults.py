"""What a simulation can do to its own farm, by name. What is not possible on a machine says why."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from farm.words.clock import SECOND

DISK = 64 * 1024 * 1024
"""Bytes of the disk that may become full."""

DAY = 24 * 3600 * SECOND


class Stage(Protocol):
    """A farm that faults happen to."""

    async def kill_server(self, seconds: float) -> None:
        """Kill the server; start it again after a while."""

    def set_clock(self, us: int) -> None:
        """Set the server's clock wrong."""

    def cut(self, *, there: bool, back: bool) -> None:
        """Cut half of the slaves off, in one direction or both."""

    @property
    def disk(self) -> Path:
        """A folder on the server's disk."""


Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Args:
        what: happens, in words.
        act: lets it happen, and be over.
        hinders: why it can't be done here; empty: it can.
    """

    what: str
    act: Act
    hinders: Callable[[], str] = lambda: ""


async def _kill_server(stage: Stage) -> None:
    await stage.kill_server(2)


async def _clock_jump(stage: Stage) -> None:
    for wrong in (DAY, 0, -DAY, 0):
        stage.set_clock(wrong)
        await asyncio.sleep(3)


async def _partition(stage: Stage) -> None:
    for there, back in ((True, True), (False, True), (True, False)):
        stage.cut(there=there, back=back)
        await asyncio.sleep(4)
    stage.cut(there=False, back=False)


async def _disk_full(stage: Stage) -> None:
    ballast = stage.disk / "ballast"
    await asyncio.to_thread(_fill, ballast)
    await asyncio.sleep(5)
    await asyncio.to_thread(ballast.unlink)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as out, suppress(OSError):
        while out.write(bytes(4096)):
            pass


def _no_mount() -> str:
    return "" if os.name == "posix" and os.geteuid() == 0 else "Only root may mount the small disk that it fills."


def small_disk(place: Path) -> str:
    """Mount a disk that may be filled; return why it could not be done, or nothing."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def unmount(place: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", "-l", str(place)], check=False)


FAULTS = {
    "kill-server": Fault("the server is killed (SIGKILL), and started again 2 s later", _kill_server),
    "clock-jump": Fault("the server's clock is set a day forward, right, a day back, and right again", _clock_jump),
    "partition": Fault("half of the slaves are cut off: both ways, then from answers, then from asking", _partition),
    "disk-full": Fault("the server's disk is full for 5 s", _disk_full, _no_mount),
}
"""By name, as `--faults` takes them."""
