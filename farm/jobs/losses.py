"""What becomes of jobs when stored files are lost for good.

A lost picture is rendered again. A lost file of a job is forgotten as sent: so whoever submits the project once more
sends it, and then the old job has it, too, since files go by their hash. Until then a job that needs it is paused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import and_, delete, select
from sqlalchemy.engine import Connection

from farm.database.schema import blobs, frames, job_files, jobs, possessions, result_files
from farm.package.results import OUTPUT
from farm.scheduler import bulk, jobstate
from farm.words.errors import DistrenError
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ACTIVE, JobState, PauseReason

_AGAIN = frozenset({*JOB_ACTIVE, JobState.PAUSED, JobState.DONE, JobState.FAILED})
"""Jobs whose lost pictures are rendered again; a canceled one stays so."""

_AT_ONCE = 500


def settle(conn: Connection, lost: Sequence[bytes], at: int) -> list[str]:
    """Go on without these files; return what was done, one sentence each.

    Args:
        conn: the writer's.
        lost: their hashes.
        at: now, µs.
    """
    said: list[str] = []
    for start in range(0, len(lost), _AT_ONCE):
        some = lost[start : start + _AT_ONCE]
        said += _pictures(conn, some, at)
        said += _sources(conn, some, at)
        conn.execute(delete(possessions).where(possessions.c.hash.in_(some)))
        conn.execute(delete(blobs).where(blobs.c.hash.in_(some)))
    return said


def _pictures(conn: Connection, some: Sequence[bytes], at: int) -> Iterator[str]:
    gone = defaultdict[int, list[int]](list)
    result = and_(
        frames.c.job == result_files.c.job,
        frames.c.number == result_files.c.frame,
        frames.c.result_attempt == result_files.c.attempt,
    )
    query = select(frames.c.job, frames.c.number).join(result_files, result)
    hit = result_files.c.role == OUTPUT, result_files.c.hash.in_(some)
    for job, number in conn.execute(query.where(*hit).distinct().order_by(frames.c.job, frames.c.number)):
        gone[job].append(number)
    for job, numbers in gone.items():
        yield _again(conn, job, FrameRange.of(numbers), at)
    conn.execute(delete(result_files).where(result_files.c.hash.in_(some)))


def _again(conn: Connection, job: int, numbers: FrameRange, at: int) -> str:
    state = conn.execute(select(jobs.c.state).where(jobs.c.number == job)).scalar_one()
    try:
        if state in _AGAIN:
            bulk.retry(conn, job, numbers, at)
            return f"Pictures of frames {numbers} of job {job} are lost; they are rendered again."
    except DistrenError as error:
        return f"Pictures of frames {numbers} of job {job} are lost, and can't be rendered again: {error.message}"
    return f"Pictures of frames {numbers} of job {job} are lost; it is {state}: retry these frames, or delete it."


def _sources(conn: Connection, some: Sequence[bytes], at: int) -> Iterator[str]:
    c = job_files.c
    query = select(c.job, c.path, jobs.c.state).join(jobs, jobs.c.number == c.job).where(c.hash.in_(some))
    paused: set[int] = set()
    for job, path, state in conn.execute(query.order_by(c.job, c.path)).all():
        told = f"File {path} of job {job} is lost; it is sent anew when the project is submitted again."
        if state in JOB_ACTIVE and job not in paused:
            jobstate.pause(conn, job, PauseReason.FAULT, at, f"{path} is lost. Submit the project again, then resume.")
            paused.add(job)
        yield f"{told} The job is paused until then." if job in paused else told
