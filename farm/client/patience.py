"""Try again, later and later, and never all at the same moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from farm.words.errors import DistrenError, Unavailable, Unreachable, WrongOffset

OnBytes = Callable[[int], None]
"""Is told how many more bytes have travelled."""


def unwatched(_count: int) -> None:
    """Watch no bytes."""


OnStuck = Callable[[DistrenError, float], None]
"""Is told what broke off, and for how many seconds that is tried again if nothing gets through."""

PATIENCE = 120.0
"""Seconds that bytes may not get through before it is given up."""

_THROUGH = 1024 * 1024
"""Bytes that surely got through, and do not wait in this machine's own buffers."""

_STEP = 0.1
"""Seconds between looks whether anybody still wants to wait."""


class Backoff:
    """Growing waits: the n-th is a random part (a half to the whole) of first × 2ⁿ, at most `longest` (seconds)."""

    def __init__(self, first: float = 0.5, longest: float = 15.0) -> None:
        self.first = first
        self.longest = longest
        self.count = 0

    def reset(self) -> None:
        """Begin with short waits again."""
        self.count = 0

    def next(self) -> float:
        """Return the seconds to wait now."""
        whole: float = min(self.longest, self.first * 2 ** min(self.count, 30))
        self.count += 1
        return whole * random.uniform(0.5, 1.0)


def named(error: DistrenError) -> float | None:
    """Return the seconds to wait that a server named, and up to a quarter more; None if it named none."""
    after = error.facts.get("retry_after")
    return after * random.uniform(1, 1.25) if isinstance(after, (int, float)) else None


def unheard(_error: DistrenError, _left: float) -> None:
    """Tell nobody."""


def persist(move: Callable[[OnBytes], None], on_bytes: OnBytes, on_stuck: OnStuck = unheard) -> None:
    """Move bytes until all have arrived, over broken connections and servers that are away for a while.

    Args:
        move: sends or fetches a file; goes on where an earlier try broke off, if it can.
        on_bytes: is told of bytes that travelled, and asked while nothing does whether to go on: it may raise.
            A negative number takes back those of a failed try.
        on_stuck: is told of each try that broke off, before the next.

    Raises:
        Unavailable, Unreachable: nothing got through for two minutes.
    """
    backoff, stuck = Backoff(), time.monotonic()
    while True:
        moved = 0

        def count(more: int) -> None:
            nonlocal moved
            moved += more
            on_bytes(more)

        try:
            move(count)
        except (Unavailable, Unreachable, WrongOffset) as error:
            on_bytes(-moved)
            if moved >= _THROUGH:
                backoff.reset()
                stuck = time.monotonic()
            left = PATIENCE - (time.monotonic() - stuck)
            if left < 0:
                raise
            on_stuck(error, left)
            _wait(backoff.next(), on_bytes)
        else:
            return


def _wait(seconds: float, on_bytes: OnBytes) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        on_bytes(0)
        time.sleep(min(_STEP, left))
