"""Whose turn it is: by this farm's rules, and by models of others', for comparison.

The others' are models of the order alone, from what they say and show of themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from farm.scheduler.fairness import UNKNOWN, Had, Usage, charged, entry, faded, turns, weight
from farm.scheduler.policy import Policy
from farm.scheduler.portions import Held, ordered
from farm.simulator.virtual import Job, Slot
from farm.words.clock import SECOND

MINUTE = 60 * SECOND


@dataclass(slots=True)
class Fair:
    """This farm's: :mod:`farm.scheduler.fairness` itself, with what the database would remember.

    Args:
        policy: with `strangers`, own slots come first, and no job has more than its part.
        slots: how many there are.
        boosts: of jobs, by number; paid for as long as they last.
    """

    policy: Policy = field(default_factory=Policy)
    slots: int = 1
    boosts: dict[int, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    earned: Counter[int] = field(default_factory=Counter)
    _at: int = 0
    _worked: Counter[int] = field(default_factory=Counter)
    _measured: Counter[int] = field(default_factory=Counter)

    def came(self, job: Job, waiting: Sequence[Job], at: int) -> None:
        """Let a job, and its owner if nothing else of theirs waits, start level."""
        self._fade(at)
        usage, owner = self.usage, job.owner
        siblings = [usage.job(one.number).work for one in waiting if one.owner == owner]
        others = {one.owner for one in waiting} - {owner}
        if not siblings:
            level = entry(usage.burden(owner), (usage.burden(user) for user in others))
            usage.users.setdefault(owner, Had()).recent += level * usage.weight(owner)
        usage.jobs.setdefault(job.number, Had()).recent += entry(0.0, siblings)

    def next(self, waiting: Sequence[Job], slot: Slot, at: int) -> Job:
        """Return the first in the fair queue."""
        if at - self._at >= SECOND:
            self._fade(at)
        strangers = self.policy.strangers
        order = turns(waiting, self.usage, at, slot.owner if strangers else None)
        if not strangers:
            return order[0]
        return ordered(order, Held(self.slots, {job.number: job.running for job in waiting}), self.policy)[0]

    def leased(self, job: Job, slot: Slot, at: int) -> None:
        """Count a frame by estimate."""
        self.usage.add(job.owner, job.number, running=self._each(job), served=at)

    def done(self, job: Job, slot: Slot, work: int, at: int) -> None:
        """Count what it was, and let the slot's owner earn."""
        before = self._each(job)
        self._worked[job.number] += work
        self._measured[job.number] += 1
        cost = charged(work, self.boosts.get(job.number, 0))
        left = job.running * (self._each(job) - before)  # the others that run are estimated anew
        self.usage.add(job.owner, job.number, recent=cost, running=left - before)
        if slot.owner != job.owner:
            self.earned[slot.owner] += work * 1000 // MINUTE
            self.usage.weights[slot.owner] = weight(self.earned[slot.owner])
        if not job.frames and not job.running:
            self.usage.jobs.pop(job.number)

    def _each(self, job: Job) -> float:
        measured = self._measured[job.number]
        mean = self._worked[job.number] / measured if measured else UNKNOWN
        return charged(mean, self.boosts.get(job.number, 0))

    def _fade(self, at: int) -> None:
        for had in (*self.usage.users.values(), *self.usage.jobs.values()):
            had.recent = faded(had.recent, at - self._at)
        self._at = at


class _Mindless:
    """A rule that remembers nothing."""

    def came(self, job: Job, waiting: Sequence[Job], at: int) -> None:
        """Nothing to note."""

    def leased(self, job: Job, slot: Slot, at: int) -> None:
        """Nothing to note."""

    def done(self, job: Job, slot: Slot, work: int, at: int) -> None:
        """Nothing to note."""


class HighestPriority(_Mindless):
    """Flamenco's: the job of the highest priority, of equal ones the oldest.

    From `internal/manager/persistence/sqlc/query_task_scheduler.sql`.
    """

    def next(self, waiting: Sequence[Job], slot: Slot, at: int) -> Job:
        """Return it."""
        return min(waiting, key=lambda job: (-job.priority, job.number))


@dataclass(slots=True)
class Need(_Mindless):
    """Afanasy's: the user with the most need, 1.1^priority / (running frames + 1); all users have the same priority.

    Of equal ones, who was served longest ago; of a user's jobs, that of the highest priority, then the oldest.
    From `afanasy/src/server/afnodesolve.cpp`.
    """

    running: Counter[int] = field(default_factory=Counter)
    _served: Counter[int] = field(default_factory=Counter)
    _turn: int = 0

    def next(self, waiting: Sequence[Job], slot: Slot, at: int) -> Job:
        """Return the job of the neediest."""
        return min(
            waiting,
            key=lambda job: (self.running[job.owner], self._served[job.owner], -job.priority, job.number),
        )

    def leased(self, job: Job, slot: Slot, at: int) -> None:
        """Count the frame."""
        self._turn += 1
        self.running[job.owner] += 1
        self._served[job.owner] = self._turn

    def done(self, job: Job, slot: Slot, work: int, at: int) -> None:
        """Count it no more."""
        self.running[job.owner] -= 1


@dataclass(slots=True)
class MostPoints(_Mindless):
    """SheepIt's: the user with the most points, of theirs the oldest job.

    A minute of the reference machine earns 37.5 and costs 9.6; one's own frames are free. Its scheduler is closed:
    this is what it says of itself, and other factors it may have.
    """

    points: Counter[int] = field(default_factory=Counter)

    def next(self, waiting: Sequence[Job], slot: Slot, at: int) -> Job:
        """Return the job of the richest."""
        return min(waiting, key=lambda job: (-self.points[job.owner], job.number))

    def done(self, job: Job, slot: Slot, work: int, at: int) -> None:
        """Pay, in thousandths of points."""
        if slot.owner != job.owner:
            self.points[slot.owner] += 37_500 * work // MINUTE
            self.points[job.owner] -= 9_600 * work // MINUTE
