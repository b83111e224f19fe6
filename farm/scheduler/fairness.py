"""Whose turn it is: fair queueing, first between users, then between the jobs of one. Pure.

What counts is *work*: the CPU time that frames took or, where that is longer (graphics cards, waiting), their time,
times the slave's power, and less where a boost was paid for. What is being rendered counts in full, by estimate; what
was rendered counts half after an hour. A user's work is divided by their weight, which grows with the points that they
ever earned. So nobody who asks gets less than their share of the farm by having fewer jobs or frames than others, and
nobody pays for yesterday.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import log10
from typing import Generic, Protocol, TypeVar, overload

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


@dataclass(slots=True)
class _Owned(Generic[W]):
    """A user's jobs in the line. `since`: when the first of them came, µs; `oldest`: the least of their numbers."""

    since: int
    oldest: int
    rushed: list[W] = field(default_factory=list)
    usual: list[W] = field(default_factory=list)


class Line(Generic[W]):
    """The jobs that wait, by their owners: whose turn it is costs no look at each of a thousand.

    Args:
        jobs: those that wait.
    """

    def __init__(self, jobs: Iterable[W]) -> None:
        self._users: dict[int, _Owned[W]] = {}
        self._last: list[W] = []
        self._count = 0
        for self._count, job in enumerate(jobs, 1):
            self._add(job)

    def __len__(self) -> int:
        return self._count

    def since(self, job: W) -> int:
        """Return since when a job's owner waits, µs; what comes last gives nobody a claim."""
        owned = self._users.get(job.owner)
        return job.queued if owned is None else owned.since

    def turns(self, usage: Usage, at: int, first: int | None = None) -> Turns[W]:
        """Return the jobs in their order; see :func:`turns`."""
        return Turns(self._count, self._in_turn(usage, at, first))

    def _add(self, job: W) -> None:
        if job.rush == LAST:
            self._last.append(job)
            return
        owned = self._users.get(job.owner)
        if owned is None:
            owned = self._users[job.owner] = _Owned(job.queued, job.number)
        owned.since, owned.oldest = min(owned.since, job.queued), min(owned.oldest, job.number)
        (owned.rushed if job.rush else owned.usual).append(job)

    def _in_turn(self, usage: Usage, at: int, first: int | None) -> Iterator[W]:
        def place(user: int) -> tuple[bool, int, float, int]:
            owned = self._users[user]
            waits = at - max(owned.since, usage.user(user).served)
            return user != first, -max(waits - usage.terms.unserved, 0), usage.burden(user), owned.oldest

        def among(job: W) -> tuple[int, float, int]:
            return -job.priority, usage.job(job.number).work, job.number

        users = [self._users[user] for user in sorted(self._users, key=place)]
        for owned in users:
            yield from sorted(owned.rushed, key=among)
        for owned in users:
            yield from sorted(owned.usual, key=among)
        yield from sorted(self._last, key=lambda job: job.number)


class Turns(Sequence[W]):
    """Jobs in their order, each found only when it is asked for: most often the first gets the slot.

    What they and their owners have had must not change meanwhile but for those that were given.

    Args:
        count: how many there are.
        found: yields them.
    """

    def __init__(self, count: int, found: Iterator[W]) -> None:
        self._count, self._found = count, found
        self._known: list[W] = []

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> W: ...
    @overload
    def __getitem__(self, place: slice) -> list[W]: ...
    def __getitem__(self, place: int | slice) -> W | list[W]:
        wanted = self._count if isinstance(place, slice) or place < 0 else place + 1
        self._known += islice(self._found, max(wanted - len(self._known), 0))
        return self._known[place]


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
    return list(Line(jobs).turns(usage, at, first))


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
