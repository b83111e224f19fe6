"""Which slave rendered what, and when: a job's attempts in lanes, one per slave and slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, select

from farm.database.schema import attempts, slaves
from farm.jobs.access import Asker, seen
from farm.words.clock import SECOND
from farm.words.states import AttemptState
from farm.words.steps import Step, read

MOST = 2000
"""Attempts that a timeline shows, the newest ones: what a browser draws without effort."""

_AT_WORK = frozenset({Step.START, Step.LOAD, Step.PREPARE, Step.RENDER, Step.WRITE, Step.COMPARE})
"""The steps in which a frame has its slot."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A slot's time with one frame, in µs since 1970; `state` is its attempt's."""

    slave: str
    frame: int
    state: AttemptState
    began: int
    ended: int


@dataclass(slots=True)
class Lane:
    """What one slot of a slave did, in the order of time."""

    slave: str
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def end(self) -> int:
        """When it was free again, µs."""
        return self.stretches[-1].ended if self.stretches else 0

    @property
    def busy(self) -> int:
        """The time that it rendered, µs."""
        return sum(one.ended - one.began for one in self.stretches)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes by slave, from the first `began` to the last `ended`, µs; `left_out`: older attempts are not shown."""

    lanes: list[Lane]
    began: int
    ended: int
    left_out: bool = False

    @property
    def busy(self) -> float:
        """The part of all lanes' time in which they rendered, 0 to 1: the rest are gaps."""
        whole = len(self.lanes) * (self.ended - self.began)
        return sum(lane.busy for lane in self.lanes) / whole if whole else 0.0


def timeline(conn: Connection, asker: Asker, job: int, at: int) -> Timeline | None:
    """Return a job's timeline; None before a frame was begun.

    Args:
        conn: a connection.
        asker: who asks.
        job: the job's number.
        at: now, µs: what renders still, ends here.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    c = attempts.c
    query = select(
        c.id, c.frame, c.state, c.issued, c.started, c.ended, c.seconds, c.trace, slaves.c.name, slaves.c.slots
    )
    query = query.join(slaves, slaves.c.id == c.slave).where(c.job == job).order_by(c.id.desc()).limit(MOST + 1)
    rows = conn.execute(query).all()
    found = [one for row in rows[:MOST] if (one := _stretch(row, at)) is not None]
    if not found:
        return None
    began, ended = min(one.began for one in found), max(one.ended for one in found)
    slots = {row.name: row.slots for row in rows}
    return Timeline(lanes(found, slots), began, max(ended, began + SECOND // 1000), left_out=len(rows) > MOST)


def lanes(stretches: Iterable[Stretch], slots: Mapping[str, int]) -> list[Lane]:
    """Return lanes in which nothing overlaps, as few per slave as that takes. Pure.

    What would need more lanes than its slave has slots, was told wrongly: it begins when one is free.
    """
    found: dict[str, list[Lane]] = {}
    for one in sorted(stretches, key=lambda one: (one.began, one.ended, one.frame)):
        of_slave = found.setdefault(one.slave, [])
        lane = min(of_slave, key=lambda lane: lane.end, default=None)
        if lane is None or (lane.end > one.began and len(of_slave) < slots.get(one.slave, 1)):
            of_slave.append(lane := Lane(one.slave))
        began = max(one.began, lane.end)
        lane.stretches.append(replace(one, began=began, ended=max(began, one.ended)))
    return [lane for slave in sorted(found) for lane in found[slave]]


def _stretch(row: Any, at: int) -> Stretch | None:
    """Return when an attempt had its slot: as its slave told, else as the server saw; None: it never had one."""
    state = AttemptState(row.state)
    end = row.ended if row.ended is not None else at
    told = [span for span in read(row.trace or "") if span.step in _AT_WORK]
    if told:
        began, ended = (row.issued + min(span.at for span in told), row.issued + max(span.end for span in told))
        return Stretch(row.name, row.frame, state, min(began, end), min(ended, end))
    if row.started is None and row.seconds is None:
        return None
    began = row.started if row.seconds is None else end - row.seconds
    return Stretch(row.name, row.frame, state, min(began, end), end)
