"""The farm at a glance: what runs, what needs somebody, whose frames wait. One look at the farm serves it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from farm.accounts import slaveviews
from farm.database.schema import jobs, slaves, tallies, users
from farm.jobs.access import Asker
from farm.jobs.framemap import last_pictures
from farm.jobs.jobviews import Filter, job_page
from farm.jobs.pulse import last_hour
from farm.protocol.jobs import JobView
from farm.protocol.slaveviews import SlaveView
from farm.scheduler.fairness import Usage
from farm.scheduler.waiting import Look
from farm.words.clock import seconds
from farm.words.states import JOB_ACTIVE, JobState, SlaveState

MOST = 12
"""Jobs, slaves and users of a kind; other pages have all."""

_AT_WORK = ",".join((JobState.RENDERING, JobState.QUEUED, JobState.RECEIVING))
_TROUBLE = ",".join((JobState.PAUSED, JobState.FAILED))
_UNWELL = (SlaveState.SICK, SlaveState.OFFLINE)


@dataclass(frozen=True, slots=True)
class Share:
    """A user's part of the queue: jobs, frames that render and that wait; `lately`: what they had, CPU seconds."""

    user: str
    jobs: int
    rendering: int
    waiting: int
    lately: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many slaves there are by state, and their slots that are awake."""

    states: Mapping[SlaveState, int]
    slots: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def unwell(self) -> int:
        """Those that somebody should look after."""
        return sum(self.states.get(state, 0) for state in _UNWELL)


@dataclass(frozen=True, slots=True)
class Glance:
    """What somebody sees of the farm. `pictures`: the last finished frame of jobs; `minutes`: see `last_hour`."""

    running: Sequence[JobView]
    trouble: Sequence[JobView]
    ended: Sequence[JobView]
    crowd: Crowd
    unwell: Sequence[SlaveView]
    queue: Sequence[Share]
    pictures: Mapping[int, int]
    minutes: Sequence[float | None]


def glance(conn: Connection, asker: Asker, server: str, at: int) -> Glance:
    """Return what somebody sees of the farm at a moment.

    Args:
        conn: a reader's.
        asker: who looks; strangers see what is theirs.
        server: this server's name.
        at: now, µs.
    """
    look = Look(conn, at, server)
    some = partial(job_page, conn, asker, server=server, at=at, look=look)
    running, trouble, ended = (
        some(wanted=Filter(states, limit=MOST)).jobs for states in (_AT_WORK, _TROUBLE, JobState.DONE)
    )
    owner = None if asker.sees_all else asker.user
    return Glance(
        running,
        trouble,
        ended,
        _crowd(conn, owner),
        slaveviews.views(conn, server, owner, limit=MOST, states=_UNWELL),
        _queue(conn, owner, look.usage),
        last_pictures(conn, [job.job for job in (*running, *trouble, *ended)]),
        last_hour(conn, at),
    )


def _crowd(conn: Connection, owner: int | None) -> Crowd:
    query = select(slaves.c.state, func.count(), func.sum(slaves.c.slots)).where(slaves.c.state != SlaveState.RETIRED)
    if owner is not None:
        query = query.where(slaves.c.owner == owner)
    counted = conn.execute(query.group_by(slaves.c.state))
    rows = [(SlaveState(state), many, int(slots)) for state, many, slots in counted]
    awake = sum(slots for state, _, slots in rows if state not in _UNWELL)
    return Crowd({state: many for state, many, _ in rows}, awake)


def _queue(conn: Connection, owner: int | None, usage: Usage) -> list[Share]:
    """Return the users whose jobs are active, who is next first."""
    many, active = func.count(jobs.c.number.distinct()), jobs.c.state.in_([state.value for state in JOB_ACTIVE])
    leased, ready = (func.coalesce(func.sum(tallies.c[name]), 0) for name in ("leased", "ready"))
    whole = jobs.join(users, users.c.id == jobs.c.owner).outerjoin(tallies, tallies.c.job == jobs.c.number)
    query = select(users.c.id, users.c.name, many, leased, ready).select_from(whole).where(active)
    if owner is not None:
        query = query.where(jobs.c.owner == owner)
    rows: list[Any] = sorted(conn.execute(query.group_by(users.c.id, users.c.name)), key=lambda r: usage.burden(r[0]))
    return [
        Share(name, count, int(renders), int(waits), seconds(round(usage.user(user).work)))
        for user, name, count, renders, waits in rows[:MOST]
    ]
