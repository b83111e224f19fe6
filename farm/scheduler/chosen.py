"""Why a slave got frames of a job, and not of another: noted with the attempt, told in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from farm.scheduler.fairness import Usage, Waiting
from farm.words.clock import SECOND


class Because(StrEnum):
    """The rule that decided."""

    ONLY = "only"
    """No other job waited."""
    ADMIN = "admin"
    """An admin had said that the job comes first."""
    OWN = "own"
    """The slave is the job's owner's."""
    WAITED = "waited"
    """The job's owner had got nothing for too long."""
    LEAST = "least"
    """The job's owner had had the least."""
    TWICE = "twice"
    """Nothing was left to start, and the slave will be done sooner than who has the frame."""
    IDLE = "idle"
    """Nothing else was left for the slave."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was compared. `mine`, `next`: CPU-minutes by weight of the owner, and of the next other user.

    Args:
        because: the rule.
        place: of the job in the order, from 1; those before had nothing that the slave may render.
        of: how many jobs waited.
        mine: what the job's owner had had; `next`: what the next other user had.
        unserved: minutes without a lease after which a user is next, where that decided.
    """

    because: Because
    place: int = 1
    of: int = 1
    mine: float = 0.0
    next: float | None = None
    unserved: int | None = None

    def text(self) -> str:
        """Return it as it is kept."""
        return _brief({name: getattr(self, name) for name in _FIELDS})


_FIELDS = tuple(field.name for field in fields(Choice))
_brief = json.JSONEncoder(separators=(",", ":")).encode


ONLY = Choice(Because.ONLY).text()
TWICE = Choice(Because.TWICE).text()


def choice(order: Sequence[Waiting], place: int, since: int, usage: Usage, at: int, first: int | None) -> Choice:
    """Return why a job comes at its place.

    Args:
        order: the jobs that waited, in their order.
        place: of the job among them, from 0.
        since: when the first of its owner's jobs came, µs.
        usage: what users have had.
        at: now, µs.
        first: the user whose jobs come first on this slave.
    """
    job = order[place]
    others = (usage.burden(order[n].owner) for n in range(place + 1, len(order)) if order[n].owner != job.owner)
    then = next(others, None)
    waits = at - max(since, usage.user(job.owner).served)
    if job.rush:
        because = Because.ADMIN if job.rush > 0 else Because.IDLE
    elif job.owner == first:
        because = Because.OWN
    else:
        because = Because.WAITED if waits > usage.terms.unserved else Because.LEAST
    mine = round(usage.burden(job.owner) / SECOND / 60, 1)
    other = None if then is None else round(then / SECOND / 60, 1)
    waited = round(usage.terms.unserved / SECOND / 60) if because is Because.WAITED else None
    return Choice(because, place + 1, len(order), mine, other, waited)


_WORDS = {
    Because.ONLY: "no other job waited",
    Because.ADMIN: "an admin had said that the job comes first",
    Because.OWN: "a slave renders its owner's jobs before others'",
    Because.WAITED: "its owner had got nothing for {minutes} minutes, and is then next",
    Because.LEAST: "its owner had had the least of the farm",
    Because.TWICE: "nothing was left to start, and this slave would be done sooner than the one that has the frame",
    Because.IDLE: "nothing else was left for this slave",
}


def words(text: str) -> str:
    """Return a choice in words; '' where none was noted."""
    if not text:
        return ""
    made = Choice(**json.loads(text))
    said = _WORDS[Because(made.because)].format(minutes=made.unserved or 10)
    if made.because == Because.LEAST and made.next is not None:
        said += f": {made.mine} CPU-minutes by weight, the next user {made.next}"
    if made.of > 1 and made.place == 1:
        said += f"; {made.of} jobs waited"
    if made.place > 1:
        said += f"; of the {made.of} jobs that waited, {made.place - 1} before it had nothing for this slave"
    return said
