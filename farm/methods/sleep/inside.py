"""The child of the `sleep` method: speaks the session wire, waits, writes small pictures.

Standard library only, so that it starts in no time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from farm.methods.sleep.picture import png

MARK = "\x1e"
STEP = 0.1
"""Seconds between signs of progress."""


class Inside:
    """One session: what is open, and how many frames it has rendered."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._settings: dict[str, Any] = {}
        self._persistent = True
        self._rendered = 0
        self._rested = 0.0

    def say(self, event: str, **facts: Any) -> None:
        """Send an event to the slave."""
        self._out.write(MARK + json.dumps({"event": event, **facts}) + "\n")
        self._out.flush()

    def obey(self, order: dict[str, Any]) -> None:
        """Do what the slave says."""
        if order["do"] == "open":
            self._open(order)
        elif order["do"] == "render":
            self._render(order)

    def _open(self, order: dict[str, Any]) -> None:
        source = order.get("source")
        if source and not Path(source).is_file():
            self.say("failed", attempt=None, message=f"The file {source} is missing.", **{"class": "job"})
            return
        self._settings, self._persistent = order.get("settings", {}), order.get("persistent", True)
        self.say("opened", seconds=0.0, warnings=[], memory=_memory(), facts={})

    def _render(self, order: dict[str, Any]) -> None:
        picture, began, cpu = int(order["picture"]), time.monotonic(), time.process_time()
        if self._has("fail_frames", picture):
            message = f"Frame {picture} was told to fail."
            self.say("failed", attempt=order["attempt"], message=message, **{"class": "job"})
            return
        if self._has("crash_frames", picture):
            sys.stderr.write(f"Frame {picture} was told to crash.\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGABRT)
        while self._has("hang_frames", picture):
            time.sleep(60)
        if self._has("hungry_frames", picture):
            _eat()
        self._wait(picture)
        path = Path(order["output"]) / f"{picture:04d}.png"
        size, flat = int(self._settings.get("output_bytes", 0)), self._has("flat_frames", picture)
        path.write_bytes(png(self._seed(picture, order), size, flat=flat))
        self._rendered += 1
        rested, self._rested = self._rested, time.monotonic()
        times = {"seconds": self._rested - began, "idle_seconds": began - rested if rested else 0.0}
        used = {"cpu_seconds": time.process_time() - cpu, "load_seconds": 0.0, "memory": _memory()}
        self.say("done", attempt=order["attempt"], files=[str(path)], **times, **used)

    def _has(self, name: str, picture: int) -> bool:
        return picture in self._settings.get(name, [])

    def _seed(self, picture: int, order: dict[str, Any]) -> int:
        warm = self._rendered and self._persistent and not order.get("cold")
        return picture + 1000 if warm and self._has("drift_frames", picture) else picture

    def _wait(self, picture: int) -> None:
        spread = float(self._settings.get("spread", 0.0))
        seconds = float(self._settings.get("seconds", 1.0))
        seconds *= 1 + spread * random.Random(picture).uniform(-1, 1)
        began = time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            time.sleep(min(STEP, left))
            if left > STEP:
                self.say("progress", fraction=1 - left / seconds, remaining=left, memory=_memory())


def _eat() -> None:
    eaten = []
    for _ in range(100):
        # Not zeros: those take no memory before somebody writes to them.
        eaten.append(b"x" * 10_000_000)
        time.sleep(0.05)


def _memory() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(orders: SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    # The slave is gone: nobody wants what is being done.
    os._exit(0)


def main() -> None:
    """Obey until `quit`, or until the slave is gone."""
    inside = Inside()
    orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    inside.say("hello", version="1.0", engines=[])
    while (order := orders.get())["do"] != "quit":
        inside.obey(order)
    os._exit(0)


if __name__ == "__main__":
    main()
