"""What a child process does between fork and exec. Linux only; elsewhere stdin's end must do."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


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
