"""How far a frame is, from what Blender says while it renders.

Blender 5 hands its statistics to a handler. Older ones only print them: for those,
file descriptor 1 becomes a pipe that a thread copies into the log and reads along.
"""

from __future__ import annotations

import os
import re
import threading
import time
from typing import Any, Callable  # noqa: UP035  (this Python may be 3.10)

from . import machine

REMAINING = re.compile(r"Remaining: ?((?:\d+:)*\d+(?:\.\d+)?)")
SAMPLE = re.compile(r"(?:Sample|Rendering) (\d+) ?/ ?(\d+)")
LINE_LIMIT = 65536
PAUSE = 0.25
"""Seconds between two reports of progress."""


def span(text: str) -> float:
    """Return `1:02:03.5` in seconds."""
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total


class Narrator:
    """Turns statistics into progress events, never backwards within a frame."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._began = 0.0
        self._told = 0.0
        self._fraction = 0.0
        self._busy = False
        self._first = 0.0
        self._last = 0.0

    def begin(self) -> None:
        """A frame begins."""
        self._began, self._told, self._fraction, self._busy = time.monotonic(), 0.0, 0.0, True
        self._first = self._last = 0.0

    def end(self) -> None:
        """The frame ended."""
        self._busy = False

    def steps(self, ended: float) -> dict[str, float]:
        """Return how long the frame that ended just now was prepared, and written, as far as was heard.

        It is prepared until its first sample, and written from the last statistics on.
        """
        if not self._first:
            return {"prepare_seconds": 0.0, "write_seconds": 0.0}
        return {"prepare_seconds": self._first - self._began, "write_seconds": max(0.0, ended - self._last)}

    def hear(self, text: str) -> None:
        """Take a line of statistics."""
        now = time.monotonic()
        if not self._busy:
            return
        self._last = now
        if not self._first and SAMPLE.search(text):
            self._first = now
        remaining = self._remaining(text)
        sample = SAMPLE.search(text)
        if remaining is not None:
            elapsed = now - self._began
            self.reach(elapsed / (elapsed + remaining + 1e-6), remaining)
        else:
            self.reach(int(sample[1]) / int(sample[2]) if sample and int(sample[2]) else 0.0)

    def reach(self, fraction: float, remaining: float | None = None) -> None:
        """Tell how far it is, now and then: of 1, and in seconds to go."""
        now = time.monotonic()
        if self._busy and now - self._told >= PAUSE:
            self._told, self._fraction = now, max(self._fraction, min(0.99, fraction))
            self._tell("progress", fraction=self._fraction, remaining=remaining, memory=machine.resident_bytes())

    @staticmethod
    def _remaining(text: str) -> float | None:
        found = REMAINING.search(text)
        return span(found[1]) if found else None


def listen(bpy: Any, narrator: Narrator) -> None:
    """Let a narrator hear Blender's statistics, by handler or by its printed lines."""
    if bpy.app.version >= (5, 0):

        def stats(text: object = None, *_: object) -> None:
            if isinstance(text, str):
                narrator.hear(text)

        # Handlers of the session outlive the opening of a file.
        bpy.app.handlers.render_stats.append(bpy.app.handlers.persistent(stats))
    else:
        _read_along(narrator)


def _read_along(narrator: Narrator) -> None:
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)
    threading.Thread(target=_copy, args=(reading, narrator), daemon=True).start()


def _copy(reading: int, narrator: Narrator) -> None:
    rest = b""
    while data := os.read(reading, LINE_LIMIT):
        os.write(2, data)
        *lines, rest = (rest + data).replace(b"\r", b"\n").split(b"\n")
        rest = rest[-LINE_LIMIT:]
        for line in lines:
            if line.startswith(b"Fra:"):
                narrator.hear(line.decode("utf-8", "replace"))
