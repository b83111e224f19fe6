"""Whose turn it is: pure. The fair queue comes in here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Queued(Protocol):
    """What the order of jobs depends on."""

    @property
    def number(self) -> int:
        """The job's number."""

    @property
    def priority(self) -> int:
        """Higher is sooner."""


Q = TypeVar("Q", bound=Queued)


def order(jobs: Iterable[Q]) -> list[Q]:
    """Return jobs in the order in which they get slots: by priority, then by number."""
    return sorted(jobs, key=lambda job: (-job.priority, job.number))
