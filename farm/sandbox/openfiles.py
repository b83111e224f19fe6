"""What a process tree holds in files that no folder and no resident size shows.

A program can fill memory by files in it (`memfd`, a `/dev/shm` of its own), and a disk by files that it has
open and has removed. Linux only; elsewhere there is no sandbox either.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SHARED = re.compile(r"^RssShmem:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes in memory that are part of no process, and bytes on disks that are part of no folder."""

    memory: int = 0
    disk: int = 0


def held(pids: Sequence[int]) -> Held:
    """Return what processes hold so.

    Args:
        pids: those of one tree; whoever ends meanwhile holds nothing.
    """
    if sys.platform != "linux":
        return Held()
    shared = {device: used for pid in pids for device, used in _shared_memory(pid)}
    files = {key: found for pid in pids for key, found in _nameless(pid) if key[0] not in shared}
    memory = sum(shared.values()) + sum(used for used, in_memory in files.values() if in_memory)
    disk = sum(used for used, in_memory in files.values() if not in_memory)
    # What is mapped is part of resident sizes already.
    return Held(max(0, memory - sum(map(_mapped, pids))) if memory else 0, disk)


def _shared_memory(pid: int) -> list[tuple[int, int]]:
    """Return the device and the bytes of a process's /dev/shm, if that is not this machine's."""
    with contextlib.suppress(OSError):
        place = Path(f"/proc/{pid}/root/dev/shm")
        device = place.stat().st_dev
        if device != Path("/dev/shm").stat().st_dev:  # noqa: S108
            room = os.statvfs(place)
            return [(device, (room.f_blocks - room.f_bfree) * room.f_frsize)]
    return []


def _nameless(pid: int) -> list[tuple[tuple[int, int], tuple[int, bool]]]:
    """Return device and number of each open file without a name, its bytes, and whether it lies in memory."""
    found = []
    for handle in _handles(pid):
        with contextlib.suppress(OSError):
            about = handle.stat()
            if stat.S_ISREG(about.st_mode) and not about.st_nlink and about.st_blocks:
                in_memory = os.readlink(handle).startswith("/memfd:")  # noqa: PTH115  Path.readlink() is slower
                found.append(((about.st_dev, about.st_ino), (about.st_blocks * 512, in_memory)))
    return found


def _handles(pid: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(Path(f"/proc/{pid}/fd").iterdir())
    return []


def _mapped(pid: int) -> int:
    with contextlib.suppress(OSError):
        shared = _SHARED.search(Path(f"/proc/{pid}/status").read_text("ascii", "replace"))
        return int(shared[1]) * 1024 if shared else 0
    return 0
