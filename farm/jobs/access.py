"""Who may see and change which job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from farm.database.schema import deeds, jobs, users
from farm.words.errors import Forbidden, JobNotFound, NeedsConfirmation
from farm.words.states import JobState


@dataclass(frozen=True, slots=True)
class Asker:
    """The user who asks.

    Args:
        user: their id.
        name: their name.
        admin: they may do everything.
        studio: the server's users are one team; else they are strangers to each other.
        guest: a user of another server, who changes no jobs but their own.
    """

    user: int
    name: str
    admin: bool = False
    studio: bool = True
    guest: bool = False

    @property
    def sees_all(self) -> bool:
        """Other users' jobs are theirs to see."""
        return self.admin or self.studio


def seen(conn: Connection, asker: Asker, job: int) -> Row[Any]:
    """Return a job's row, if it is the asker's to see.

    Raises:
        JobNotFound: there is none, it was deleted, or it is a stranger's.
    """
    row = conn.execute(select(jobs).where(jobs.c.number == job)).first()
    if row is None or row.state == JobState.DELETED or not (asker.sees_all or row.owner == asker.user):
        raise JobNotFound(f"There is no job {job}.", job=job)
    return row


def owned(conn: Connection, asker: Asker, job: int) -> Row[Any]:
    """Return the row of a job that is the asker's own.

    Raises:
        JobNotFound: it is none of their business.
        Forbidden: they see it, but it is another's.
    """
    row = seen(conn, asker, job)
    if row.owner != asker.user:
        raise Forbidden(f"Job {job} is {owner_name(conn, row.owner)}'s: only they can send its files.")
    return row


def changing(
    conn: Connection, asker: Asker, job: int, verb: str, *, confirmed: bool, at: int, detail: str = ""
) -> Row[Any]:
    """Return the row of a job that the asker is about to change; write down who changes another's.

    Args:
        conn: the transaction of the change.
        asker: who wants it.
        job: the job's number.
        verb: what will be done.
        confirmed: the person was asked and said yes.
        at: the time, µs.
        detail: more for the record.

    Raises:
        JobNotFound: it is none of their business.
        NeedsConfirmation: it is another user's, and nobody asked the person yet.
        Forbidden: it is another user's, and they are of another server.
    """
    row = seen(conn, asker, job)
    if row.owner == asker.user:
        return row
    owner = owner_name(conn, row.owner)
    if asker.guest:
        raise Forbidden(f"Job {job} “{row.name}” is {owner}'s, and {asker.name} is of another server.")
    if not (confirmed or asker.admin):
        hint = "Ask the person; if they say yes, send the same with confirmed=true."
        raise NeedsConfirmation(f"Job {job} “{row.name}” is {owner}'s.", hint=hint, job=job, owner=owner)
    deed = {"at": at, "user": asker.user, "verb": verb, "job": job, "detail": detail}
    conn.execute(insert(deeds).values(deed))
    return row


def owner_name(conn: Connection, user: int) -> str:
    """Return a user's name."""
    return str(conn.execute(select(users.c.name).where(users.c.id == user)).scalar_one())
