"""Who uses a simulated farm: users, their slaves, and the jobs that they send, by day more than by night."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from farm.simulator.month import Month, Person, month
from farm.simulator.virtual import Slot

JOBS = (2, 30)
"""Jobs of a user on a day, at least and at most; each user's own mean is in between."""

FRAMES = (20, 600)
"""Frames of a job."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated in virtual time.

    Args:
        days: how long jobs come.
        slaves: with one slot each.
        users: who send jobs; slaves are theirs.
        frames: of all jobs together.
        failures: the part of all tries that fail.
        deaths: the part of all frames at which a slave dies without a word, and comes back half an hour later.
        late: the part of all frames after which a slave can't be reached for half an hour.
        crashes: the server dies in the middle of a transaction so often a day.
        load: what all jobs need of what the slaves can do.
        seed: of chance.
    """

    days: int = 7
    slaves: int = 1000
    users: int = 50
    frames: int = 2_000_000
    failures: float = 0.02
    deaths: float = 0.0005
    late: float = 0.0005
    crashes: int = 1
    load: float = 0.8
    seed: int = 1


def population(plan: Plan) -> Month:
    """Return slots and jobs of a plan; the same plan gives the same."""
    dice = Random(plan.seed)
    people = tuple(_person(number, plan, dice) for number in range(plan.users))
    made = month(plan.days, plan.load, plan.seed, people)
    slots = [Slot(n, n % plan.users, dice.choice((0.5, 0.8, 1.0, 1.0, 1.5, 2.0))) for n in range(plan.slaves)]
    scale = plan.frames / max(1, sum(job.frames for job in made.jobs))
    jobs = [replace(job, frames=max(1, round(job.frames * scale))) for job in made.jobs]
    largest = max(jobs, key=lambda job: job.frames)
    largest.frames = max(1, largest.frames + plan.frames - sum(job.frames for job in jobs))
    # `month` counts its own slots and frames; a frame takes what fits these.
    power = sum(slot.speed for slot in slots)
    for job in jobs:
        job.span = max(1, round(job.span * power / len(made.slots) / scale))
    return Month(slots, jobs)


def _person(number: int, plan: Plan, dice: Random) -> Person:
    mean = dice.uniform(*JOBS)
    often = max(1, round(mean * 0.7)), max(1, round(mean * 1.3))
    least = max(1, min(FRAMES[0], plan.frames // 100)), max(2, min(FRAMES[1], plan.frames // 10))
    return Person(f"user{number:02}", 1, "0123456", often, least, dice.choice((30, 50, 50, 70)))
