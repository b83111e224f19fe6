"""What happened to a frame before, for the rules of :mod:`farm.scheduler.failures`."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import attempts
from farm.scheduler.failures import Try
from farm.words.states import AttemptState, FailureClass

_ENDED_BADLY = (AttemptState.FAILED.value, AttemptState.LOST.value)


def tries(conn: Connection, job: int, numbers: Collection[int], since: int) -> dict[int, list[Try]]:
    """Return the failed attempts at frames of a job, by frame.

    Args:
        conn: the writer's.
        job: its number.
        numbers: which frames.
        since: when the job was last queued, µs; what failed before was forgiven by a retry.
    """
    memory(conn).flush(conn)
    c = attempts.c
    query = select(c.frame, c.slave, c.failure_class, c.ended, c.short).where(
        c.job == job, c.frame.in_(sorted(numbers)), c.state.in_(_ENDED_BADLY), c.issued >= since
    )
    found: dict[int, list[Try]] = {number: [] for number in numbers}
    for frame, slave, fault, ended, short in conn.execute(query):
        found[frame].append(Try(slave, FailureClass(fault or FailureClass.FARM), ended or 0, short or 0))
    return found


def open_elsewhere(conn: Connection, job: int, numbers: Collection[int]) -> set[int]:
    """Return which of these frames have an open attempt."""
    memory(conn).flush(conn)
    query = select(attempts.c.frame).where(
        attempts.c.job == job, attempts.c.frame.in_(sorted(numbers)), attempts.c.state == AttemptState.OPEN.value
    )
    return set(conn.execute(query).scalars())
