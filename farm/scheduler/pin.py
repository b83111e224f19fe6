"""One version for all frames of a job: settled with its first lease.

Two versions of a renderer don't draw the same picture, and an animation shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.schema import jobs
from farm.scheduler import jobrow
from farm.scheduler.fit import Machine, closest, fits
from farm.scheduler.jobrow import JobRow

_PIN = update(jobs).where(jobs.c.number == bindparam("of"), jobs.c.pinned == "").values(pinned=bindparam("the_version"))


def settled(conn: Connection, job: JobRow, slave: Machine, able: Sequence[Machine], at: int) -> JobRow | None:
    """Return the job with its version pinned; None if a slave has to leave it to others.

    A slave whose renderer fits less well than that of another live one does not pin it.

    Args:
        conn: the writer's.
        job: the job, of which frames are ready.
        slave: who asks; it fits.
        able: the live slaves that fit.
        at: now, µs.
    """
    if job.pinned:
        return job
    best = closest(job.requires, [slave, *(machine for machine in able if machine.id != slave.id)])
    if not best:
        return job  # a method without versions
    if not any(offer.version == best for offer in slave.offers):
        return None
    if conn.execute(_PIN, {"of": job.number, "the_version": best}).rowcount:
        eventlog.note(conn, "job", at=at, job=job.number, data={"pinned": best})
    jobrow.forget(conn, job.number)  # another process may have been faster, with another version
    found = jobrow.job_row(conn, job.number)
    return None if fits(found.requires, list(slave.offers)) else found
