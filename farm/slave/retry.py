"""Try again, later and later, and never all slaves at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from farm.client.patience import Backoff
from farm.words.errors import HashMismatch, LengthMismatch, Unauthenticated, Unavailable, Unreachable, WrongOffset

T = TypeVar("T")
log = structlog.get_logger(__name__)

AGAIN = (Unreachable, Unavailable)
_BESIDE = (*AGAIN, Unauthenticated)
"""What is tried again beside the reports: these log in anew if the login is void, or end the slave."""

_DAMAGED = (HashMismatch, LengthMismatch, WrongOffset)
_DAMAGED_TRIES = 3


async def patiently(call: Callable[[], Awaitable[T]], what: str, give_up: float = 3600.0) -> T:
    """Call until it works.

    Args:
        call: what may fail with Unreachable, Unavailable or a void login, or with damaged bytes (three times).
        what: the call in words, for the log.
        give_up: seconds after which the last error is raised.
    """
    backoff, end, damaged = Backoff(), time.monotonic() + give_up, 0
    while True:
        try:
            return await call()
        except (*_BESIDE, *_DAMAGED) as error:
            damaged += isinstance(error, _DAMAGED)
            if time.monotonic() > end or damaged >= _DAMAGED_TRIES:
                raise
            wait = backoff.next()
            log.info("Trying again", what=what, error=error.message, seconds=round(wait, 1))
            await asyncio.sleep(wait)
