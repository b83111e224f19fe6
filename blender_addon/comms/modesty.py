"""Threads that let the artist work: what hashes and sends runs when nothing else wants the processor."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

NICENESS = 15
"""Of 19: the window's own thread, and what draws it, come first."""


def give_way() -> None:
    """Let this thread run behind all others of this machine; only Linux counts priorities per thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
