"""Leases that a slave has not heard of yet: it gets the same attempts again.

Calls cross: while one hangs, a slave may report the end of a frame by another. What the
first was just given, the second can't name. Only what was in an answer that the slave
has heard, and that it does not name, was lost on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from farm.database.schema import frames
from farm.protocol.slaves import Lease, Report
from farm.scheduler import jobrow
from farm.scheduler.claim import lease_of
from farm.scheduler.held import Held
from farm.words.states import FrameState, SlaveState

_FRAMES = select(frames.c.number, frames.c.picture, frames.c.set).where(
    frames.c.job == bindparam("of"), frames.c.number.in_(bindparam("these", expanding=True))
)


def unheard(conn: Connection, unnamed: Iterable[Held], report: Report, state: SlaveState) -> list[Held]:
    """Return those of a slave's open attempts that it does not name because no answer told it of them.

    Args:
        conn: the writer's.
        unnamed: open attempts that the report does not name.
        report: what the slave says; who names no answer has heard all of those before this report.
        state: the slave's; who takes nothing now gets nothing again.
    """
    if not report.want or state is SlaveState.PAUSED or report.state is SlaveState.RESTING:
        return []
    heard = report.seq - 1 if report.heard is None else report.heard
    found = [one for one in unnamed if one.seq is not None and one.seq > heard]
    active = {job.number for job in jobrow.active(conn)} if found else set()
    return [one for one in found if one.job in active and one.frame_state is FrameState.LEASED]


def again(conn: Connection, attempts: Iterable[Held]) -> list[Lease]:
    """Return the leases of attempts, as they were when they were issued."""
    ordered = sorted(attempts, key=attrgetter("lease", "id"))
    return [_lease(conn, lease, list(held)) for lease, held in groupby(ordered, attrgetter("lease"))]


def _lease(conn: Connection, lease: int, held: list[Held]) -> Lease:
    job = jobrow.job_row(conn, held[0].job)
    rows = conn.execute(_FRAMES, {"of": job.number, "these": [one.frame for one in held]})
    known = {row.number: row for row in rows}
    leased = [(one.id, one.frame, known[one.frame].picture, known[one.frame].set) for one in held]
    return lease_of(job, lease, leased, held[0].deadline)
