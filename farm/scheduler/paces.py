"""What slaves have shown in a job: frames done, time spent, failures of their own fault."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import paces
from farm.database.shards import adding
from farm.scheduler import held

_OF_JOB = select(paces.c.slave, paces.c.done, paces.c.seconds, paces.c.failures).where(
    paces.c.job == bindparam("of"), paces.c.slave.in_(bindparam("these", expanding=True))
)
_ADD = adding(paces, ("slave", "job"), ("done", "seconds", "failures"))


def own(conn: Connection, slave: int, job: int) -> Row[Any] | None:
    """Return what a slave has shown in a job, None for nothing; it is read together with its neighbours'."""
    known: dict[int, Row[Any] | None] = memory(conn).ahead.setdefault(("paces", job), {})
    if slave not in known:
        these = [slave, *held.neighbours(conn)]
        known.update(dict.fromkeys(these))
        known.update({row.slave: row for row in conn.execute(_OF_JOB, {"of": job, "these": these}).all()})
    return known[slave]


def rendered(conn: Connection, slave: int, job: int, us: int) -> None:
    """Count a frame that a slave rendered in so many µs."""
    memory(conn).later(_ADD, {"slave": slave, "job": job, "done": 1, "seconds": us, "failures": 0})


def failed(conn: Connection, slave: int, job: int) -> None:
    """Count a failure of a slave's own fault."""
    _ADD.run(conn, [{"slave": slave, "job": job, "done": 0, "seconds": 0, "failures": 1}])
    held.forget(conn)
