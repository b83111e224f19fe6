"""A synthetic month: who sends what when, and whose the slots are. The same seed gives the same month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from farm.simulator.virtual import Job, Slot
from farm.words.clock import SECOND

HOUR = 3600 * SECOND
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody uses the farm.

    Args:
        name: what they are like.
        slots: that are theirs.
        days: of the week on which they send jobs, Monday is 0.
        jobs: how many on such a day, at least and at most.
        frames: of each.
        priority: that they set.
        at_once: all of a day's jobs come at nine in the morning; else during the day.
        since: the day of the month on which they come, from 0.
    """

    name: str
    slots: int
    days: str
    jobs: tuple[int, int]
    frames: tuple[int, int]
    priority: int = 50
    at_once: bool = False
    since: int = 0


PEOPLE = (
    Person("a film each Monday", 4, "0", (1, 1), (6000, 9000)),
    Person("fifty jobs a day, all urgent", 0, "01234", (50, 50), (20, 40), 100, at_once=True),
    Person("shots, by day", 2, "01234", (2, 4), (100, 300)),
    Person("shots, by day, too", 2, "01234", (2, 4), (100, 300)),
    Person("shots, and half the farm's slots", 12, "01234", (2, 4), (100, 300)),
    Person("tests of a few frames", 1, "01234", (6, 12), (1, 5)),
    Person("polite: priority 30", 2, "0123456", (1, 3), (100, 300), 30),
    Person("new in the third week", 0, "01234", (2, 4), (100, 300), since=14),
    Person("weekends only", 1, "56", (2, 4), (200, 600)),
)


@dataclass(frozen=True, slots=True)
class Month:
    """A month, or less.

    Args:
        slots: all that there are; each is its owner's.
        jobs: all that come.
    """

    slots: list[Slot]
    jobs: list[Job]


def month(days: int = 30, load: float = 0.9, seed: int = 1, people: tuple[Person, ...] = PEOPLE) -> Month:
    """Return a month of the people.

    Args:
        days: how long they send jobs.
        load: what all jobs need of what the slots can do in that time.
        seed: of chance.
        people: who there are; their places are their ids.
    """
    dice = Random(seed)
    owners = [user for user, person in enumerate(people) for _ in range(person.slots)]
    slots = [Slot(number, owner) for number, owner in enumerate(owners)]
    wanted = [wish for user, one in enumerate(people) for wish in _wishes(user, one, days, dice)]
    wanted.sort(key=lambda wish: wish[0])
    needed = sum(frames * weight for _, _, _, frames, weight in wanted)
    unit = load * days * DAY * len(slots) / needed
    jobs = [
        Job(number, user, priority, at, frames, round(unit * weight))
        for number, (at, user, priority, frames, weight) in enumerate(wanted, 1)
    ]
    return Month(slots, jobs)


def _wishes(user: int, person: Person, days: int, dice: Random) -> Iterator[tuple[int, int, int, int, float]]:
    """Yield when somebody sends a job, who, its priority, its frames, and how heavy each is beside others'."""
    for day in range(person.since, days):
        if str(day % 7) not in person.days:
            continue
        for _ in range(dice.randint(*person.jobs)):
            hour = 9.0 if person.at_once else dice.uniform(9, 19)
            frames, weight = dice.randint(*person.frames), dice.lognormvariate(0, 0.5)
            yield day * DAY + round(hour * HOUR), user, person.priority, frames, weight
