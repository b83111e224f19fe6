"""Memory and time of this process."""

from __future__ import annotations

import os
import sys
import time

_KIB = 1024


def resident_bytes() -> int:
    """Return the memory that this process holds now (where that is unknown: its peak), in bytes."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return peak_bytes()


def peak_bytes() -> int:
    """Return the most memory that this process ever held, in bytes; 0 where that is unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB


def cpu_seconds() -> float:
    """Return the CPU seconds of all threads of this process."""
    return time.process_time()
