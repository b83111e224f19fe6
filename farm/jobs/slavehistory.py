"""What a slave did last, and how often it went which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from farm.database.schema import attempts, jobs, slaves
from farm.jobs.access import Asker
from farm.words.clock import moment, seconds
from farm.words.states import AttemptState, FailureClass

MOST = 500
"""Attempts that are counted, the newest ones."""

_BOTH = attempts.join(slaves, slaves.c.id == attempts.c.slave).join(jobs, jobs.c.number == attempts.c.job)


@dataclass(frozen=True, slots=True)
class Deed:
    """One attempt of a slave; times in seconds, memory in bytes. A job that is not the asker's to see has no `name`."""

    job: int
    frame: int
    name: str
    state: AttemptState
    failure: FailureClass | None
    message: str
    ended: datetime | None
    seconds: float | None
    memory: int | None


@dataclass(frozen=True, slots=True)
class History:
    """The newest attempts first, and how many of the last ones ended how."""

    deeds: Sequence[Deed]
    counts: dict[AttemptState, int]
    faults: int


@dataclass(frozen=True, slots=True)
class Now:
    """A frame that a slave renders now; `progress` 0 to 1. A job that is not the asker's to see has no `name`."""

    job: int
    frame: int
    name: str
    progress: float
    began: datetime | None


def running(conn: Connection, asker: Asker, slave: str) -> list[Now]:
    """Return what a slave renders now."""
    c = attempts.c
    query = select(c.job, c.frame, c.progress, c.started, jobs.c.name, jobs.c.owner).select_from(_BOTH)
    query = query.where(slaves.c.name == slave, c.state == AttemptState.OPEN, c.started.is_not(None)).order_by(c.id)
    return [
        Now(row.job, row.frame, _seen(row, asker), (row.progress or 0) / 1000, moment(row.started))
        for row in conn.execute(query)
    ]


def history(conn: Connection, asker: Asker, slave: str) -> History:
    """Return what a slave did last."""
    c = attempts.c
    columns = (c.job, c.frame, c.state, c.failure_class, c.message, c.ended, c.seconds, c.memory)
    query = select(*columns, jobs.c.name, jobs.c.owner).select_from(_BOTH)
    rows = conn.execute(query.where(slaves.c.name == slave).order_by(c.id.desc()).limit(MOST)).all()
    deeds = [
        Deed(
            row.job,
            row.frame,
            _seen(row, asker),
            AttemptState(row.state),
            FailureClass(row.failure_class) if row.failure_class else None,
            row.message,
            moment(row.ended),
            None if row.seconds is None else seconds(row.seconds),
            row.memory,
        )
        for row in rows
    ]
    faults = sum(one.failure is FailureClass.SLAVE for one in deeds)
    return History(deeds, dict(Counter(one.state for one in deeds)), faults)


def _seen(row: Any, asker: Asker) -> str:
    """Return a job's name, if it is the asker's to see."""
    return str(row.name) if asker.sees_all or row.owner == asker.user else ""
