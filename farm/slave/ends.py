"""Ends of attempts that the server has to be told, until it took the word."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from farm.protocol.slaves import Failed, Finished
from farm.slave.outbox import Ready

TOGETHER = 64
"""The most ends in one report."""

INLINE = 1024 * 1024
"""Bytes of results that ride in one report."""

AGAIN = 5.0
"""Seconds after which a result without a verdict is told again."""


@dataclass(frozen=True, slots=True)
class Words:
    """The ends that go into one report."""

    finished: list[Finished] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)

    def attempts(self) -> set[int]:
        """The attempts that are mentioned."""
        return {f.attempt for f in self.finished} | {f.attempt for f in self.failed} | set(self.returned)

    def __bool__(self) -> bool:
        return bool(self.finished or self.failed or self.returned)


class Ends:
    """What is to be told."""

    def __init__(self) -> None:
        self._finished: dict[int, Ready] = {}
        self._failed: dict[int, Failed] = {}
        self._returned: set[int] = set()
        self._told: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._finished) + len(self._failed) + len(self._returned)

    def finish(self, ready: Ready) -> None:
        """Tell of a result that the server has, or that rides along."""
        self._finished[ready.attempt] = ready
        self._told.pop(ready.attempt, None)

    def fail(self, failed: Failed) -> None:
        """Tell of a failure."""
        self._failed[failed.attempt] = failed

    def give_back(self, attempts: Iterable[int]) -> None:
        """Tell of frames that go back unrendered."""
        self._returned.update(attempts)

    def forget(self, attempt: int) -> None:
        """Say nothing of an attempt."""
        self._finished.pop(attempt, None)
        self._failed.pop(attempt, None)
        self._returned.discard(attempt)
        self._told.pop(attempt, None)

    def words(self) -> Words:
        """Return what the next report says."""
        now = time.monotonic()
        finished: list[Finished] = []
        size = 0
        for ready in self._finished.values():
            fresh = now - self._told.get(ready.attempt, -AGAIN) >= AGAIN
            if not fresh or len(finished) >= TOGETHER or (finished and size + ready.size > INLINE and ready.inline):
                continue
            size += ready.size if ready.inline else 0
            finished.append(ready.word())
        return Words(finished, list(self._failed.values())[:TOGETHER], sorted(self._returned))

    def told(self, words: Words) -> list[int]:
        """Note that the server took a report; return the attempts that are over by that.

        Results are over by their verdict only.
        """
        over = [f.attempt for f in words.failed] + words.returned
        for attempt in over:
            self.forget(attempt)
        for finished in words.finished:
            if finished.attempt in self._finished:
                self._told[finished.attempt] = time.monotonic()
        return over
