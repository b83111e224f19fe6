"""Whose turn it is: fair queueing, first between users, then between the jobs of one. Pure.

What counts is *work*: the CPU time that frames took or, where that is longer (graphics cards, waiting), their time,
times the slave's power, and less where a boost was paid for. What is being rendered counts in full, by estimate; what
was rendered counts half after an hour. A user's work is divided by their weight, which grows with the points that they
ever earned. So nobody who asks gets less than their share of the farm by having fewer jobs or frames than others, and
nobody pays for yesterday.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log10
from typing import Protocol, TypeVar

from farm.scheduler.terms import HALF_LIFE, WEIGHT, Terms
from farm.words.clock import SECOND

UNKNOWN = 30 * SECOND
"""µs of work that a frame counts before the first of its job is measured: what a lease should hold."""


HUNDRED = 100_000
"""Thousandths of points from which on they weigh."""


def weight(earned: int, points: float = WEIGHT) -> float:
    """Return a user's weight: 1 without points, 1.15 with 100, 1.5 with 900, 2 with 9,900.

    Args:
        earned: thousandths of points that they ever earned.
        points: how much ten times as many add.
    """
    return 1 + points * log10(1 + max(earned, 0) / HUNDRED)


def charged(work: float, boost: int) -> float:
    """Return what work counts for a job of which a boost was paid."""
    return work / (1 + boost)


FIRST = 1
"""An admin's word: this job comes before all others."""

ALONE = 2
"""The same, and all others wait until it is done."""

LAST = -1
"""The farm's own word: this job is rendered where there is nothing else to do, and costs its owner no share."""


class Waiting(Protocol):
    """What the order of jobs depends on."""

    @property
    def number(self) -> int:
        """The job's number."""

    @property
    def owner(self) -> int:
        """Whose it is."""

    @property
    def priority(self) -> int:
        """Higher is sooner, among the jobs of one user."""

    @property
    def queued(self) -> int:
        """Since when it waits, µs."""

    @property
    def rush(self) -> int:
        """An admin's word: 0 none, :data:`FIRST` or :data:`ALONE`; or the farm's, :data:`LAST`."""


W = TypeVar("W", bound=Waiting)


@dataclass(slots=True)
class Had:
    """What a user or a job has had of the farm.

    Args:
        recent: µs of work that was done, faded to now.
        running: µs of work that is being done.
        served: when it last got a lease, µs.
    """

    recent: float = 0.0
    running: float = 0.0
    served: int = 0

    @property
    def work(self) -> float:
        """All of it, µs."""
        return self.recent + self.running


_NOTHING = Had()


@dataclass(slots=True)
class Usage:
    """What users and jobs have had, by their ids, users' weights, and the terms on which the farm is shared."""

    users: dict[int, Had] = field(default_factory=dict)
    jobs: dict[int, Had] = field(default_factory=dict)
    weights: dict[int, float] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)

    def weight(self, user: int) -> float:
        """Return a user's weight."""
        return self.weights.get(user, 1.0) * self.terms.factors.get(user, 1.0)

    def burden(self, user: int) -> float:
        """Return a user's work by their weight: who has the least is next."""
        return self.user(user).work / self.weight(user)

    def user(self, user: int) -> Had:
        """Return a user's."""
        return self.users.get(user, _NOTHING)

    def job(self, job: int) -> Had:
        """Return a job's."""
        return self.jobs.get(job, _NOTHING)

    def add(self, user: int, job: int, *, recent: float = 0.0, running: float = 0.0, served: int = 0) -> None:
        """Add to a job's, and to its owner's."""
        for known, key in ((self.users, user), (self.jobs, job)):
            had = known.get(key)
            if had is None:
                had = known[key] = Had()
            had.recent += recent
            had.running = max(0.0, had.running + running)
            had.served = max(had.served, served)


def turns(jobs: Iterable[W], usage: Usage, at: int, first: int | None = None) -> list[W]:
    """Return jobs in the order in which they get slots.

    What an admin said comes first of all, and what the farm said last. Who got nothing for ten minutes (or as long as
    the terms say) is next, the longest waiting before others; then the user with the least work by their weight, of
    theirs the job of the highest priority, then that with the least work.

    Args:
        jobs: those that wait.
        usage: what they and their owners have had.
        at: now, µs.
        first: the user whose jobs come before all others', as on their own slave.
    """
    waiting, last = _apart(jobs)
    since: dict[int, int] = {}
    oldest: dict[int, int] = {}
    for job in waiting:
        since[job.owner] = min(since.get(job.owner, job.queued), job.queued)
        oldest[job.owner] = min(oldest.get(job.owner, job.number), job.number)
    users = {
        user: (user != first, -max(waits - usage.terms.unserved, 0), usage.burden(user), oldest[user])
        for user, began in since.items()
        for waits in [at - max(began, usage.user(user).served)]
    }
    order = sorted(
        waiting, key=lambda job: (not job.rush, users[job.owner], -job.priority, usage.job(job.number).work, job.number)
    )
    return order + last


def _apart(jobs: Iterable[W]) -> tuple[list[W], list[W]]:
    """Return the jobs that have a turn, and those that come last, by their numbers."""
    usual, last = list[W](), list[W]()
    for job in jobs:
        (last if job.rush == LAST else usual).append(job)
    return usual, sorted(last, key=lambda job: job.number)


def not_held(jobs: Iterable[W]) -> list[W]:
    """Return the jobs that may be leased: all, unless an admin holds all others for some."""
    active = list(jobs)
    alone = [job for job in active if job.rush == ALONE]
    return alone or active


def entry(had: float, others: Iterable[float]) -> float:
    """Return the work (µs) that is put on the account of who comes to the queue.

    Who was away has no claim to what others had meanwhile: they start level with the least of these.
    """
    return max(min(others, default=0.0) - had, 0.0)


def faded(work: float, since: int) -> float:
    """Return what work counts after a span of `since` µs (before it, where that is negative)."""
    return float(work * 0.5 ** (since / HALF_LIFE))
