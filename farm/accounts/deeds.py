"""The book of deeds: what users did to others' jobs, to accounts and keys, and admins to the farm."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from farm.database.schema import deeds, users
from farm.protocol.why import DeedView
from farm.words.clock import moment


def note(conn: Connection, user: int, verb: str, *, at: int, job: int | None = None, detail: str = "") -> None:
    """Write a deed down, in the transaction that does it.

    Args:
        conn: a connection within a transaction.
        user: who did it.
        verb: what, in one word.
        at: now, µs.
        job: to which job.
        detail: more, in words; no secrets.
    """
    conn.execute(insert(deeds).values(user=user, verb=verb, at=at, job=job, detail=detail))


def views(conn: Connection, limit: int) -> list[DeedView]:
    """Return the last deeds, newest first."""
    c = deeds.c
    query = select(c.at, c.verb, c.job, c.detail, users.c.name).join(users, users.c.id == c.user)
    found = []
    for row in conn.execute(query.order_by(c.at.desc(), c.id.desc()).limit(limit)):
        at = moment(row.at)
        assert at is not None
        found.append(DeedView(at=at, user=row.name, verb=row.verb, job=row.job, detail=row.detail))
    return found
