"""Ctrl-C while threads move bytes: they stop at their next chunk, not at their file's end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self


class Stopped(Exception):
    """Raised inside a thread that moves bytes, after Ctrl-C. Nobody waits for its result any more."""


class Interruption:
    """While entered, Ctrl-C stops what goes through :meth:`guard`, then interrupts as usual."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._old: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._old = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self._old is not None:
            signal.signal(signal.SIGINT, self._old)

    def guard(self, on_bytes: Callable[[int], None]) -> Callable[[int], None]:
        """Return a watcher of bytes that ends the thread which calls it after Ctrl-C."""

        def watch(count: int) -> None:
            if self._stop.is_set():
                raise Stopped
            on_bytes(count)

        return watch

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
        raise KeyboardInterrupt


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Clean up after SIGTERM and a closed terminal just as after Ctrl-C."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])
    old = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
