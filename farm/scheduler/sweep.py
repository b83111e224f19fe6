"""What nobody's call does: losing the silent, ending what was left over, putting things together."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.database import leaps
from farm.database.memory import memory
from farm.database.schema import jobs, slaves, tallies
from farm.scheduler import bulk, ripples, standing, tally
from farm.scheduler.hearing import nothing_is_yet_to_come
from farm.scheduler.policy import Policy
from farm.scheduler.settle import settle
from farm.scheduler.slaves import expired, lose, lose_attempts, open_attempts
from farm.words.clock import SECOND, microseconds
from farm.words.states import JOB_ACTIVE, JobState, SlaveState

_MOST = 500
_SLOWLY = 60 * SECOND
_LAST = "sweep"


def sweep(conn: Connection, at: int, policy: Policy, since: int = 0) -> bool:
    """Do the periodic work; call it every second or so, from any process.

    Args:
        conn: the writer's.
        at: now, µs.
        policy: the scheduler's numbers.
        since: from when on slaves could be heard without a break, µs; see :class:`Hearing`.

    Returns:
        Whether pieces of large changes are left, for :func:`farm.scheduler.bulk.work`.
    """
    memory(conn).flush(conn)
    if since >= at:
        nothing_is_yet_to_come(conn, at, policy)
    if since < at - policy.lost_us:
        _lose_silent(conn, at, policy)
    for job in _left_over(conn):
        settle(conn, job, at)
    shelf = memory(conn).shelf
    if abs(at - shelf.get(_LAST, 0)) >= _SLOWLY:  # the clock may have been put back since
        shelf[_LAST] = at
        tally.fold(conn)
        ledger.fold(conn)
        standing.forget_old(conn, at)
        for job in _stalled(conn):
            ripples.wake(conn, job, at)
        if not leaps.doubted(conn, at):
            _expire_receiving(conn, at, policy)
    return bulk.work(conn, at)


def _lose_silent(conn: Connection, at: int, policy: Policy) -> None:
    for slave in _silent(conn, at, policy):
        lose(conn, slave, at, policy)
    late = open_attempts(conn, expired(conn, at, _MOST))
    lose_attempts(conn, late, at, policy, "Nobody spoke of it until its deadline.")


def _silent(conn: Connection, at: int, policy: Policy) -> list[int]:
    """Return slaves that missed their heartbeats; the paused and sick ones only lose their attempts."""
    awake = [SlaveState.IDLE.value, SlaveState.RENDERING.value, SlaveState.RESTING.value]
    silent = (slaves.c.state.in_(awake), func.coalesce(slaves.c.seen, 0) < at - policy.lost_us)
    return list(conn.execute(select(slaves.c.id).where(*silent).order_by(slaves.c.id).limit(_MOST)).scalars())


def _left_over(conn: Connection) -> list[int]:
    """Return active jobs with nothing left to do: two processes had left the end to each other."""
    still = func.sum(tallies.c.blocked + tallies.c.ready + tallies.c.leased)
    query = select(jobs.c.number).join(tallies, tallies.c.job == jobs.c.number)
    query = query.where(jobs.c.state.in_([state.value for state in (*JOB_ACTIVE, JobState.PAUSED)]))
    return sorted(conn.execute(query.group_by(jobs.c.number).having(still == 0)).scalars())


def _stalled(conn: Connection) -> list[int]:
    """Return active jobs in which everything that is left waits for other frames."""
    moving, waiting = func.sum(tallies.c.ready + tallies.c.leased), func.sum(tallies.c.blocked)
    query = select(jobs.c.number).join(tallies, tallies.c.job == jobs.c.number)
    query = query.where(jobs.c.state.in_([state.value for state in JOB_ACTIVE]))
    return sorted(conn.execute(query.group_by(jobs.c.number).having(moving == 0, waiting > 0).limit(_MOST)).scalars())


def _expire_receiving(conn: Connection, at: int, policy: Policy) -> None:
    """Delete jobs whose files never came; each frame part and each file makes `changed` newer."""
    old = jobs.c.changed < at - microseconds(policy.receiving_seconds)
    query = select(jobs.c.number).where(jobs.c.state == JobState.RECEIVING.value, old)
    for job in sorted(conn.execute(query).scalars()):
        bulk.delete(conn, job, at)
