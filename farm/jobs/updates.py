"""Updates: a job that has ended gets other files, and renders some of its frames with them.

The files come as those of any job, so they are resumed, counted and expire as such. When
all are here, the job that brought them hands them over and is no more. Pictures so far
stay, as a former version; so do files only as long as the grace time of unused ones.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from farm.database import eventlog
from farm.database.schema import job_files, job_versions, jobs
from farm.jobs.access import Asker, owned
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.slaves import Offer
from farm.scheduler import bulk, jobrow, letgo, rules
from farm.scheduler.fit import has_version
from farm.scheduler.frames import mark_probes
from farm.words.errors import BadFrameRange, Malformed, WrongState
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, JobState


def frames_of(conn: Connection, asker: Asker, submission: Submission) -> FrameRange:
    """Return all frames of the job that a submission updates, if it may.

    Raises:
        JobNotFound, Forbidden: it is not the asker's.
        WrongState: it has not ended, its files were let go, or another version of the renderer drew its pictures.
        BadFrameRange: it has no such frames.
        Malformed: it is rendered otherwise.
    """
    assert submission.updates is not None
    row = owned(conn, asker, submission.updates)
    changed = (submission.paused, "start paused"), (submission.sets or row.sets, "have parameter sets")
    what = next((name for wrong, name in (*changed, (submission.depends, "change what frames wait for")) if wrong), "")
    if what:
        raise Malformed(f"An update can't {what}.", hint="Send it as a new job.")
    _must_take(row, submission.requires, FrameRange.pictures(submission.frames))
    return FrameRange.parse(row.frames)


def _must_take(row: Row[Any], needs: Requirement, numbers: FrameRange) -> None:
    if row.state not in JOB_ENDED:
        hint = "Wait for its end, or cancel it first."
        raise WrongState(f"Job {row.number} is {row.state}: it can't get other files now.", hint=hint)
    letgo.must_be_here(row.number, row.let_go)
    had = Requirement.model_validate_json(row.requires)
    if had.method != needs.method:
        raise Malformed(f"Job {row.number} is of {had.method}, not of {needs.method}.", hint="Send it as a new job.")
    if row.pinned and not has_version(needs, [Offer(method=needs.method, version=row.pinned)]):
        raise WrongState(
            f"Job {row.number} was rendered with {row.pinned}, but this file needs {needs.method} {needs.version}.",
            hint="Send it as a new job: all frames of a job are rendered with one version.",
        )
    have = set(FrameRange.parse(row.frames))
    new = [number for number in numbers if number not in have]
    if new:
        raise BadFrameRange(f"Job {row.number} has no frames {FrameRange.of(new)}.", hint="An update adds none.")


def hand_over(conn: Connection, asker: Asker, found: Row[Any], at: int) -> int:
    """Give a job the files that another brought for it; return the number of the job that has them now.

    Args:
        conn: the writer's.
        asker: whose jobs they are.
        found: the row of the job that brought them; it is no more after this.
        at: now, µs.

    Raises:
        JobNotFound, WrongState, BadFrameRange, Malformed: the other job does not take them, or not any more.
    """
    job, numbers = int(found.updates), FrameRange.parse(found.frames)
    row = owned(conn, asker, job)
    needs = Requirement.model_validate_json(found.requires)
    _must_take(row, needs, numbers)
    conn.execute(delete(job_files).where(job_files.c.job == job))
    conn.execute(update(job_files).where(job_files.c.job == found.number).values(job=job))
    conn.execute(update(jobs).where(jobs.c.number == job).values(**_renewed(row, found, needs), changed=at))
    version = row.version + 1
    conn.execute(insert(job_versions).values(job=job, version=version, at=at, frames=str(numbers)))
    eventlog.note(conn, "job", at=at, job=job, data={"version": version})
    jobrow.forget(conn, job)
    if found.approval:
        mark_probes(conn, job, rules.book(conn, job).first_of(numbers) or numbers, in_order=found.in_order)
    bulk.renew(conn, job, numbers, at)
    bulk.delete(conn, found.number, at)
    # Asked once more, since the answer may have been lost, it leads to the job that has the files.
    conn.execute(update(jobs).where(jobs.c.number == found.number).values(updates=job, key=found.key))
    return job


def _renewed(row: Row[Any], found: Row[Any], needs: Requirement) -> dict[str, Any]:
    """Return what the job gets; pictures of two classes of devices never get into one job."""
    device = Requirement.model_validate_json(row.requires).device
    taken = ("settings", "limits", "source", "in_order", "bytes", "approval")
    return {
        **{name: getattr(found, name) for name in taken},
        "requires": needs.model_copy(update={"device": device}).model_dump_json(),
        "approved": not found.approval,
        "version": row.version + 1,
        "revision": row.revision + 1,
    }


def handed_over(conn: Connection, asker: Asker, job: int) -> int | None:
    """Return the job that got the files of one that is no more; None: there is none."""
    gone = (jobs.c.number == job, jobs.c.owner == asker.user, jobs.c.state == JobState.DELETED)
    return conn.execute(select(jobs.c.updates).where(*gone)).scalar()
