"""Jobs whose files were let go long after their end: their pictures stay, and none is rendered again.

Every way back into the queue asks here first. Else frames would wait for ever for files that nobody has.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from farm.database.schema import job_files, jobs
from farm.words.clock import moment
from farm.words.errors import WrongState

PIECE = 1000
"""Rows of a manifest that one command removes."""


def must_have_files(conn: Connection, job: int) -> None:
    """Keep a job's files from being let go in this transaction.

    Raises:
        WrongState: they were.
    """
    query = select(jobs.c.let_go).where(jobs.c.number == job)
    must_be_here(job, conn.execute(query.with_for_update()).scalar())


def must_be_here(job: int, let_go: int | None) -> None:
    """Refuse to go on with a job whose files were let go.

    Args:
        job: its number.
        let_go: when they were, µs; None: they are here.

    Raises:
        WrongState: they were.
    """
    if let_go is None:
        return
    when = moment(let_go)
    hint = "Submit it again, as a new job. Its pictures stay."
    raise WrongState(
        f"Job {job} can't be rendered again: its files were let go on {when:%Y-%m-%d}.", hint=hint, job=job
    )


def drop_files(conn: Connection, job: int) -> bool:
    """Remove a piece of a job's manifest; tell whether there is more."""
    places = select(job_files.c.place).where(job_files.c.job == job).order_by(job_files.c.place)
    last = conn.execute(places.limit(1).offset(PIECE)).scalar()
    gone = delete(job_files).where(job_files.c.job == job)
    conn.execute(gone if last is None else gone.where(job_files.c.place < last))
    return last is not None
