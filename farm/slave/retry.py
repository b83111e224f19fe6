"""Try again, later and later, and never all slaves at the same moment."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from farm.words.errors import HashMismatch, LengthMismatch, Unavailable, Unreachable

T = TypeVar("T")
log = structlog.get_logger(__name__)

AGAIN = (Unreachable, Unavailable)
_DAMAGED = (HashMismatch, LengthMismatch)
_DAMAGED_TRIES = 3


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


async def patiently(call: Callable[[], Awaitable[T]], what: str, give_up: float = 3600.0) -> T:
    """Call until it works.

    Args:
        call: what may fail with Unreachable or Unavailable, or with damaged bytes (three times).
        what: the call in words, for the log.
        give_up: seconds after which the last error is raised.
    """
    backoff, end, damaged = Backoff(), time.monotonic() + give_up, 0
    while True:
        try:
            return await call()
        except (*AGAIN, *_DAMAGED) as error:
            damaged += isinstance(error, _DAMAGED)
            if time.monotonic() > end or damaged >= _DAMAGED_TRIES:
                raise
            wait = backoff.next()
            log.info("Trying again", what=what, error=error.message, seconds=round(wait, 1))
            await asyncio.sleep(wait)
