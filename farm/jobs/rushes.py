"""Admins' words on jobs: do this first, hold all others. Each is on record, and can be taken back."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.engine import Connection

from farm.accounts import deeds
from farm.database import eventlog
from farm.database.schema import jobs
from farm.jobs.access import Asker, seen
from farm.scheduler import jobrow
from farm.scheduler.fairness import ALONE, FIRST
from farm.words.errors import WrongState
from farm.words.states import JOB_ENDED, JobState

_VERBS = {0: "first no more", FIRST: "first", ALONE: "hold others"}


def say(conn: Connection, admin: Asker, job: int, rush: int, at: int) -> None:
    """Let a job come first, alone, or in its turn again.

    Args:
        conn: the writer's.
        admin: who says it.
        job: the job's number.
        rush: 0, :data:`FIRST` or :data:`ALONE`.
        at: now, µs.

    Raises:
        JobNotFound: there is none.
        WrongState: it has ended.
    """
    row = seen(conn, admin, job)
    if rush and JobState(row.state) in JOB_ENDED:
        raise WrongState(f"Job {job} is {row.state}: nothing of it is left to be rendered first.")
    deeds.note(conn, admin.user, _VERBS[rush], at=at, job=job)
    conn.execute(update(jobs).where(jobs.c.number == job).values(rush=rush))
    jobrow.forget(conn, job)
    eventlog.note(conn, "job", at=at, job=job, data={"rush": rush})
