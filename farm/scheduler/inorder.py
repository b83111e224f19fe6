"""Jobs whose frames depend on those before them: one slave renders them, ascending.

Whoever takes such a job over simulates it from its start again, so it stays with the slave
that has it for as long as that can go on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import attempts, frames, slaves
from farm.scheduler import history, jobrow, shortage
from farm.scheduler.failures import Try, may_try
from farm.scheduler.fit import Machine
from farm.scheduler.jobrow import JobRow
from farm.scheduler.policy import Policy
from farm.words.states import AttemptState, FrameState

_READY = (
    select(frames.c.number, frames.c.picture, frames.c.set, frames.c.rank)
    .where(
        frames.c.job == bindparam("of"), frames.c.state == FrameState.READY.value, frames.c.rank <= bindparam("highest")
    )
    .order_by(frames.c.number)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_HOLDERS = (
    select(attempts.c.slave)
    .where(attempts.c.job == bindparam("of"), attempts.c.state == AttemptState.OPEN.value)
    .distinct()
)
_LAST = select(attempts.c.slave).where(
    attempts.c.id
    == select(func.max(attempts.c.id))
    .where(attempts.c.job == bindparam("of"), attempts.c.state == AttemptState.WON.value)
    .scalar_subquery()
)


def takes(
    slave: int,
    tries: Sequence[Try],
    holders: Collection[int],
    last: int | None,
    fitting: Collection[int],
    at: int,
    policy: Policy,
) -> bool:
    """Tell whether a slave may render the lowest ready frame of a job in order: pure.

    Args:
        slave: who asks.
        tries: failed attempts at that frame.
        holders: slaves with open attempts at the job.
        last: who rendered its newest result.
        fitting: live slaves that could render it.
        at: now, µs.
        policy: the scheduler's numbers.
    """
    if set(holders) - {slave} or not may_try(tries, slave, fitting, at, policy):
        return False
    stays = last in fitting and last is not None and may_try(tries, last, fitting, at, policy)
    return slave in holders or not stays or slave == last


def candidates(
    conn: Connection,
    job: JobRow,
    slave: Machine,
    able: Sequence[Machine],
    highest: int,
    most: int,
    at: int,
    policy: Policy,
) -> Sequence[Row[Any]]:
    """Return the lowest ready frames if this slave may go on with the job, else none.

    Args:
        conn: the writer's.
        job: one in order.
        slave: who asks.
        able: live slaves that fit it.
        highest: the highest rank that may be leased.
        most: frames.
        at: now, µs.
        policy: the scheduler's numbers.
    """
    jobrow.lock(conn, job.number)  # two processes must not give it to two slaves
    memory(conn).flush(conn)
    rows: list[Row[Any]] = list(conn.execute(_READY, {"of": job.number, "highest": highest, "most": most}))
    if not rows:
        return []
    past = history.tries(conn, job.number, [row.number for row in rows if row.rank % 2], job.queued)
    fitting = {machine.id for machine in able} | {slave.id}
    holders = set(conn.execute(_HOLDERS, {"of": job.number}).scalars())
    last = conn.execute(_LAST, {"of": job.number}).scalar()
    tries = past.get(rows[0].number, [])
    if not takes(slave.id, tries, holders, last, shortage.fitting(conn, tries, fitting), at, policy):
        return []
    after = (place for place, row in enumerate(rows) if place and row.rank % 2)
    return rows[: next(after, len(rows))]


def at_it(conn: Connection, job: int) -> str:
    """Return the names of the slaves that hold frames of a job."""
    query = select(slaves.c.name).where(slaves.c.id.in_(select(_HOLDERS.subquery().c.slave)))
    return ", ".join(sorted(conn.execute(query, {"of": job}).scalars()))
