"""Say that bytes do not get through, and how much longer that is tried."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from farm.cli.output import notice, span
from farm.client.patience import OnStuck, unheard
from farm.words.errors import DistrenError

EVERY = 15.0
"""Seconds between words on it: several files are tried at once, and each again and again."""


class Retrying:
    """Hears what breaks off, from any thread.

    Args:
        tell: shows a line to the person.
    """

    def __init__(self, tell: Callable[[str], None] = notice) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self, error: DistrenError, left: float) -> None:
        """Say what broke off, unless that was said a moment ago.

        Args:
            error: of the last try.
            left: seconds until it is given up, if nothing gets through.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + EVERY
        self._tell(f"{error.message} Trying again, for {span(left)} more if nothing gets through.")


def retrying(*, quiet: bool) -> OnStuck:
    """Return who hears what breaks off: the person, unless a program reads along."""
    return unheard if quiet else Retrying()
