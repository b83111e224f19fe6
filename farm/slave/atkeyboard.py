"""Since when nobody has touched this machine's keyboard and mouse."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_SECONDS = 5.0
"""How long a program that knows may take to answer."""


class AtKeyboard:
    """Watches for input. On Linux by the input devices (root, or the group `input`), else by X11's `xprintidle`.

    Windows and macOS are asked; these parts are untested.

    Args:
        devices: what to read; empty: the machine's input devices.
        clock: seconds; any clock.
    """

    def __init__(self, devices: Sequence[Path] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._open: list[int] = []
        found = devices or (sorted(Path("/dev/input").glob("event*")) if sys.platform == "linux" else ())
        for path in found:
            with contextlib.suppress(OSError):
                self._open.append(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))

    def close(self) -> None:
        """Let the devices go."""
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()

    def idle(self) -> float | None:
        """Return for how many seconds nobody has touched anything; None: nobody can tell."""
        if self._open:
            # All are read, so that none keeps something for the next time.
            touched = [_touched(descriptor) for descriptor in self._open]
            if any(touched):
                self._last = self._clock()
            return self._clock() - self._last
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            if sys.platform == "win32":
                return _windows()
            return _macos() if sys.platform == "darwin" else _x11()
        return None


def _touched(descriptor: int) -> bool:
    touched = False
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            touched = True
    return touched


def _said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout


def _x11() -> float:
    return int(_said("xprintidle")) / 1000


def _macos() -> float:
    found = re.search(r'"HIDIdleTime" = (\d+)', _said("ioreg", "-c", "IOHIDSystem"))
    if found is None:
        raise ValueError("ioreg does not know")
    return int(found[1]) / 1e9


def _windows() -> float:
    class LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("time", ctypes.c_uint))

    dll = ctypes.__dict__["windll"]
    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not dll.user32.GetLastInputInfo(ctypes.byref(last)):
        raise OSError("GetLastInputInfo failed")
    return float((dll.kernel32.GetTickCount() - last.time) % 2**32) / 1000
