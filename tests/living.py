"""Whether processes live, asked without a race against their end."""

from __future__ import annotations

import time

import psutil


def lives(pid: int) -> bool:
    """Tell whether there is such a process, not counting one that only waits for its parent."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def all_gone(*pids: int, within: float = 60.0) -> bool:
    """Wait up to `within` seconds for the end of all; a busy machine needs far longer than a quiet one."""
    end = time.monotonic() + within
    while any(map(lives, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
