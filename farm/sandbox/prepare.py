"""What a child process does between fork and exec. Linux only; elsewhere stdin's end must do."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = b"500"
"""Added to the badness (0 to 1000) by which the system chooses whom to kill when memory runs out."""


def dies_with_parent() -> Callable[[], None] | None:
    """Return the `preexec_fn` by which a child is killed when this process dies, however it dies.

    The system library is loaded before the fork: after it, in a process with threads,
    only system calls are safe.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    deadly = ctypes.c_ulong(signal.SIGKILL)

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, deadly)
        if os.getppid() != parent:
            os._exit(125)

    return prepare


def for_renderer(nice: int, processors: frozenset[int] = frozenset()) -> Callable[[], None] | None:
    """Return the `preexec_fn` of a renderer: it dies with us, too.

    It leaves no core files (they hold a job's data), and goes first when the machine runs
    out of memory: this process must live to tell of it.

    Args:
        nice: how much lower than ours its priority is, 0 to 19.
        processors: those that it may run on; none: as this process.
    """
    dies = dies_with_parent()
    if sys.platform != "linux" or dies is None:
        return None
    import resource

    def prepare() -> None:
        dies()
        os.nice(nice)
        if processors:
            os.sched_setaffinity(0, processors)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _goes_first()

    return prepare


def _goes_first() -> None:
    try:
        badness = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(badness, _FIRST_TO_GO)
        os.close(badness)
    except OSError:
        pass  # a container may forbid it; nothing depends on it
