"""Processes that must not outlive this one, however it goes: one beside it waits for its end, and kills them."""

from __future__ import annotations

import functools
import subprocess
import sys

_REAP = """
import contextlib, sys, psutil
kept = {}
for line in sys.stdin:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(int(line))
        kept[process.pid] = process
for process in kept.values():
    with contextlib.suppress(psutil.Error):
        process.kill()
"""
"""Reads ids until who writes them is gone, and kills them; psutil knows a process from a later one of its id."""


def bound(pid: int) -> int:
    """Have a process killed when this one is gone, however it went; return its id.

    The system's own signal would come when the *thread* that started it ends, and is lost by who changes users.
    """
    reaper = _reaper()
    assert reaper.stdin is not None
    reaper.stdin.write(f"{pid}\n")
    reaper.stdin.flush()
    return pid


@functools.cache
def _reaper() -> subprocess.Popen[str]:
    """Return the process that outlives this one by a moment: in a session of its own, where no Ctrl-C reaches it."""
    return subprocess.Popen([sys.executable, "-c", _REAP], stdin=subprocess.PIPE, text=True, start_new_session=True)
