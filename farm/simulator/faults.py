"""What a simulation can do to a farm, by name. What is not possible at a place says why."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from farm.simulator import owndatabase
from farm.simulator.network import Cable
from farm.words.clock import SECOND

PAGES = 16
"""Pages that a full disk has left, so that it can be made so while it is written to."""

TRIES = 50
"""So often that is tried."""

DAY = 24 * 3600 * SECOND

PAUSE = 2
"""Seconds for which a killed process is away."""


class Machine(Protocol):
    """A server's machine, where it is the simulation's own."""

    async def kill_server(self, seconds: float) -> None:
        """Kill the server; start it again after a while."""

    async def kill_database(self, seconds: float) -> None:
        """Kill the database's server; start it again after a while."""

    def set_clock(self, us: int) -> None:
        """Set the server's clock wrong."""

    @property
    def disk(self) -> Path:
        """A folder on the server's disk."""


class Stage(Protocol):
    """A farm that faults happen to."""

    @property
    def cables(self) -> Sequence[Cable]:
        """What slaves share of the network; faults happen to the first."""

    @property
    def machine(self) -> Machine:
        """The server's. Only where it is the simulation's own."""


Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Args:
        what: happens, in words.
        act: lets it happen, and be over.
        hinders: why it can't be done on this machine; empty: it can.
        own: it is done to the server's machine, so that must be the simulation's own.
    """

    what: str
    act: Act
    hinders: Callable[[], str] = lambda: ""
    own: bool = True


async def _kill_server(stage: Stage) -> None:
    await stage.machine.kill_server(PAUSE)


async def _kill_database(stage: Stage) -> None:
    await stage.machine.kill_database(PAUSE)


async def _clock_jump(stage: Stage) -> None:
    for wrong in (DAY, 0, -DAY, 0):
        stage.machine.set_clock(wrong)
        await asyncio.sleep(3)


async def _partition(stage: Stage) -> None:
    cable = stage.cables[0]
    for cable.there, cable.back in ((True, True), (False, True), (True, False)):
        await asyncio.sleep(4)
    cable.there = cable.back = False


async def _disk_full(stage: Stage) -> None:
    disk, whole = stage.machine.disk, os.statvfs(stage.machine.disk)
    try:
        await asyncio.to_thread(_fill, disk)
        await asyncio.sleep(5)
    finally:
        _resize(disk, whole.f_blocks * whole.f_frsize)


def _fill(disk: Path) -> None:
    """Take away what a disk has left: it costs no memory, as a file that fills it would."""
    for _ in range(TRIES):
        now = os.statvfs(disk)
        if _resize(disk, (now.f_blocks - now.f_bfree + PAGES) * now.f_frsize):
            return


def _resize(disk: Path, size: int) -> bool:
    command = ["mount", "-o", f"remount,size={size}", str(disk)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _no_mount() -> str:
    return "" if os.name == "posix" and os.geteuid() == 0 else "Only root may mount the disk that it fills."


def own_disk(place: Path) -> str:
    """Mount a disk in memory that may be full; return why it could not be done, or nothing."""
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def unmount(place: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", "-l", str(place)], check=False)


FAULTS = {
    "kill-server": Fault("the server is killed (SIGKILL), and started again 2 s later", _kill_server),
    "kill-database": Fault(
        "the database's server is killed (SIGKILL), and started again 2 s later", _kill_database, owndatabase.hinders
    ),
    "clock-jump": Fault("the server's clock is set a day forward, right, a day back, and right again", _clock_jump),
    "partition": Fault(
        "half of the slaves are cut off: both ways, then from answers, then from asking", _partition, own=False
    ),
    "disk-full": Fault("the server's disk is full for 5 s", _disk_full, _no_mount),
}
"""By name, as `--faults` takes them."""
