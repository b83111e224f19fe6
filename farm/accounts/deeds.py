"""The book of deeds: what a user did to another's job, or an admin to the farm."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from farm.database.schema import deeds


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
