"""A farm in virtual time: jobs come, slots take frames by a rule, and a month is over in seconds.

Nothing here waits or talks to a server. What is the farm's own is the rule: :mod:`farm.simulator.rules` asks the
scheduler's pure functions whose turn it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Protocol


@dataclass(slots=True, eq=False)
class Job:
    """A job of the simulation.

    Args:
        number: orders jobs that came at the same time.
        owner: whose it is.
        priority: as its owner set it, 0 to 100.
        queued: when it comes, µs.
        frames: that are not leased yet.
        span: µs that a frame takes on a slot of speed 1.
        rush: an admin's word, see :class:`farm.scheduler.fairness.Waiting`.
        running: frames that are being rendered.
        rendered: frames that are done.
        began: when it got its first slot, µs.
        ended: when its last frame was done, µs.
    """

    number: int
    owner: int
    priority: int
    queued: int
    frames: int
    span: int
    rush: int = 0
    running: int = 0
    rendered: int = 0
    began: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to render one frame at a time. `speed`: how much faster than the reference."""

    number: int
    owner: int
    speed: float = 1.0


class Rule(Protocol):
    """Whose turn it is; it is told of all that happens."""

    def came(self, job: Job, waiting: Sequence[Job], at: int) -> None:
        """Note a new job; `waiting` are those that were there."""

    def next(self, waiting: Sequence[Job], slot: Slot, at: int) -> Job:
        """Return the job that gets a slot."""

    def leased(self, job: Job, slot: Slot, at: int) -> None:
        """Note that a frame begins."""

    def done(self, job: Job, slot: Slot, work: int, at: int) -> None:
        """Note that a frame is done, and the reference's µs that it was worth."""


class Witness(Protocol):
    """Who sees what happens, to measure it."""

    def came(self, job: Job) -> None:
        """A job is there."""

    def leased(self, job: Job, at: int, until: int) -> None:
        """A frame of a job is rendered from `at` to `until`."""


@dataclass(slots=True)
class Farm:
    """Slots, a rule, and what goes on.

    Args:
        slots: that render; none ever rests.
        rule: whose turn it is.
        witness: who watches.
        seed: of how long each frame takes: within a fifth of its job's mean.
    """

    slots: Sequence[Slot]
    rule: Rule
    witness: Witness
    seed: int = 0
    waiting: list[Job] = field(default_factory=list)

    def run(self, jobs: Iterable[Job], until: float = inf) -> None:
        """Render all jobs, from the first that comes to the end of the last, or until a time (µs)."""
        dice, coming = Random(self.seed), sorted(jobs, key=lambda job: (job.queued, job.number), reverse=True)
        free = [slot.number for slot in self.slots]
        busy: list[tuple[int, int, int, Job]] = []
        while coming or busy:
            at = min([job.queued for job in coming[-1:]] + [end[0] for end in busy[:1]])
            if at > until:
                return
            while coming and coming[-1].queued <= at:
                self._take(coming.pop())
            while busy and busy[0][0] <= at:
                _, number, work, job = heapq.heappop(busy)
                self._end(job, self.slots[number], work, at)
                heapq.heappush(free, number)
            while free and self.waiting:
                slot = self.slots[heapq.heappop(free)]
                job, work = self._begin(slot, at, dice)
                heapq.heappush(busy, (at + round(work / slot.speed), slot.number, work, job))

    def _take(self, job: Job) -> None:
        self.rule.came(job, self.waiting, job.queued)
        self.waiting.append(job)
        self.witness.came(job)

    def _begin(self, slot: Slot, at: int, dice: Random) -> tuple[Job, int]:
        job = self.rule.next(self.waiting, slot, at)
        job.began = at if job.began is None else job.began
        job.frames -= 1
        job.running += 1
        work = round(job.span * dice.uniform(0.8, 1.2))
        self.rule.leased(job, slot, at)
        self.witness.leased(job, at, at + round(work / slot.speed))
        if not job.frames:
            self.waiting.remove(job)
        return job, work

    def _end(self, job: Job, slot: Slot, work: int, at: int) -> None:
        job.running -= 1
        job.rendered += 1
        self.rule.done(job, slot, work, at)
        if not job.frames and not job.running:
            job.ended = at
