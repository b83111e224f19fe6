"""What this machine has, as far as this process may use it."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from farm.methods.blender.drivers import versions
from farm.protocol.slaves import Hardware
from farm.slave.arithmetic import arithmetic
from farm.slave.containment import Containment

_CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")


def hardware(cards: Iterable[str] = (), containment: Containment | None = None, lent: int = 0) -> Hardware:
    """Return host name, system, cores, memory and devices.

    Args:
        cards: the graphics cards that the renderers here can use.
        containment: how the renderers are started.
        lent: the processors that renderers may use; 0: all.
    """
    used = sorted(set(cards))
    return Hardware(
        hostname=socket.gethostname()[:200],
        system=f"{platform.system()} {platform.release()} {platform.machine()}"[:200],
        cores=lent or cores(),
        memory_bytes=memory_bytes(),
        devices=[f"CPU {processor()}"[:200], *used],
        contained=containment is not None and containment.works,
        containment=containment.words[:200] if containment else "",
        arithmetic=arithmetic()[:200],
        drivers=versions() if used else [],
    )


def cores() -> int:
    """Return how many logical processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Return the machine's memory, or a container's limit."""
    total = int(psutil.virtual_memory().total)
    with contextlib.suppress(OSError, ValueError):
        return min(total, int(_CGROUP_MEMORY.read_text()))
    return total


def processor() -> str:
    """Return the processor's name."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
