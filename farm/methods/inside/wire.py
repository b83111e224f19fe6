"""The talk with the slave: orders from stdin, events to stdout, all else into the log.

Blender and scripts print whatever they like. So the real stdout is kept for events,
and file descriptor 1 becomes the log (or a pipe that :mod:`narration` reads).
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
from typing import Any, Iterator  # noqa: UP035  (this Python may be 3.10)

MARK = "\x1e"
"""Begins each event, so that stray lines are recognised."""

_PR_SET_PDEATHSIG = 1


class Wire:
    """Both directions. Ends the process when the slave's end of stdin closes."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        orders = os.dup(0)
        os.set_inheritable(self._out, False)
        os.set_inheritable(orders, False)
        os.dup2(2, 1)
        silence = os.open(os.devnull, os.O_RDONLY)
        os.dup2(silence, 0)
        os.close(silence)
        self._lock = threading.Lock()
        self._orders: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, args=(orders,), daemon=True).start()

    def say(self, event: str, **facts: Any) -> None:
        """Send an event."""
        line = MARK + json.dumps({"event": event, **facts}, default=str) + "\n"
        data = memoryview(line.encode("utf-8", "backslashreplace"))
        with self._lock:
            while data:
                data = data[os.write(self._out, data) :]

    def orders(self) -> Iterator[dict[str, Any]]:
        """Yield orders until one says `quit`."""
        while True:
            order = self._orders.get()
            if order.get("do") == "quit":
                return
            yield order

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            for line in stream:
                if line.strip():
                    self._orders.put(json.loads(line))
        # The slave is gone. Nothing here is worth a clean end, and Blender may be deep in a render.
        os._exit(0)


def die_with_parent() -> None:
    """Ask Linux to kill this process with its parent: a hung Blender does not read its stdin."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
