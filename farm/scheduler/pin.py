"""One version for all frames of a job: settled with its first lease.

Two versions of a renderer don't draw the same picture, and an animation shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, dependencies, frames, jobs
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer
from farm.scheduler import jobrow
from farm.scheduler.crowd import Able
from farm.scheduler.fit import Machine, Suited, closest, fits, has_version
from farm.scheduler.jobrow import JobRow
from farm.words.states import AttemptState, FrameState

_PIN = update(jobs).where(jobs.c.number == bindparam("of"), jobs.c.pinned == "").values(pinned=bindparam("the_version"))


def settled(conn: Connection, job: JobRow, slave: Machine, able: Able, at: int) -> JobRow | None:
    """Return the job with its version pinned; None if a slave has to leave it to others.

    A slave whose renderer fits less well than that of another live one does not pin it; but what came of another
    job's version is rendered with that one, whoever asks.

    Args:
        conn: the writer's.
        job: the job, of which frames are ready.
        slave: who asks; it fits.
        able: the live slaves that fit.
        at: now, µs.
    """
    if job.pinned:
        return job
    best = able.best if able.knows(slave) else closest(job.requires, [slave, *able.others(slave)])
    if not best:
        return job  # a method without versions
    inherited = _inherited(conn, job)
    best = inherited or best
    if not inherited and not any(offer.version == best for offer in slave.offers):
        return None
    if conn.execute(_PIN, {"of": job.number, "the_version": best}).rowcount:
        eventlog.note(conn, "job", at=at, job=job.number, data={"pinned": best})
    jobrow.forget(conn, job.number)  # another process may have been faster, with another version
    found = jobrow.job_row(conn, job.number)
    return None if fits(found.requires, list(slave.offers)) else found


def _inherited(conn: Connection, job: JobRow) -> str:
    """Return the version that made what is laid over a job's files, if it may be the job's, too; else an empty text.

    What one version baked or saved, another may read otherwise, or not at all.
    """
    made = (dependencies.c.job == job.number, dependencies.c.overlay, dependencies.c.server == "")
    query = select(jobs.c.requires, jobs.c.pinned).join(dependencies, dependencies.c.on_job == jobs.c.number)
    for requires, pinned in conn.execute(query.where(*made).order_by(dependencies.c.place)):
        same = jobrow.requirement(requires).method == job.requires.method
        if same and pinned and has_version(job.requires, [Offer(method=job.requires.method, version=pinned)]):
            return str(pinned)
    return ""


def kept_for(requires: Requirement, able: Sequence[Machine], idle: Sequence[Machine]) -> str:
    """Say which version an unpinned job is kept for, if idle slaves have others only; else an empty text. Pure.

    Args:
        requires: what the job needs.
        able: the live slaves that may render it and fit.
        idle: those of them that have nothing to do.
    """
    best, suited = closest(requires, able), Suited(requires)
    versions = {suited.versions(slave) for slave in idle}
    if not best or not versions or any(best in have for have in versions):
        return ""
    others = ", ".join(sorted(frozenset.union(*versions)))
    return (
        f"It is kept for {requires.method} {best}, which fits best, and whose slaves are busy; slaves with {others} "
        f"are idle: use that (version={others.rpartition(' ')[2]}), or wait."
    )


_RENDERED = (FrameState.LEASED, FrameState.DONE)
_COMING = (AttemptState.LOST.value, AttemptState.RETURNED.value)


def unpin(conn: Connection, job: int) -> int:
    """Let a job be pinned anew, unless frames are rendered; return how many are, or are being.

    Results that may still come, of slaves that fell silent, would be of the former version:
    they are refused from now on.
    """
    memory(conn).flush(conn)
    # All rows are locked: another process must not lease one now, with the version that it was pinned to.
    states = select(frames.c.state).where(frames.c.job == job).with_for_update()
    rendered = sum(state in _RENDERED for state in conn.execute(states).scalars())
    if not rendered:
        coming = update(attempts).where(attempts.c.job == job, attempts.c.state.in_(_COMING))
        conn.execute(coming.values(state=AttemptState.REVOKED.value))
        conn.execute(update(jobs).where(jobs.c.number == job).values(pinned=""))
        jobrow.forget(conn, job)
    return rendered
