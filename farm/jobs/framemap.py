"""What is shown of many frames at once: their states, their pictures, their memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select, tuple_

from farm.database.schema import attempts, frames, result_files
from farm.jobs.access import Asker, seen
from farm.package.results import THUMBNAIL
from farm.words.ranges import FrameRange
from farm.words.states import FrameState

CELLS = 2000
"""The most frames that are shown one by one, each with its link; larger jobs have a picture (`bigmap`)."""


def states(conn: Connection, asker: Asker, job: int) -> list[tuple[int, FrameState]]:
    """Return the numbers of a job's frames and their states, ascending.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    query = select(frames.c.number, frames.c.state).where(frames.c.job == job).order_by(frames.c.number)
    return [(number, FrameState(state)) for number, state in conn.execute(query)]


def pictured(conn: Connection, wanted: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those frames, as pairs of job and number, that have a thumbnail: videos have none."""
    file = result_files.c
    pairs = list(wanted)
    query = select(file.job, file.frame).where(
        tuple_(file.job, file.frame).in_(pairs), file.role == THUMBNAIL, file.accepted.is_(True)
    )
    return {(row[0], row[1]) for row in conn.execute(query)} if pairs else set()


def all_pictured(conn: Connection, asker: Asker, job: int) -> FrameRange:
    """Return all frames of a job that have a thumbnail.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    file = result_files.c
    query = select(file.frame).where(file.job == job, file.role == THUMBNAIL, file.accepted.is_(True))
    return FrameRange.of(conn.execute(query).scalars())


def last_pictures(conn: Connection, jobs: list[int]) -> dict[int, int]:
    """Return the last finished frame of each job, if that has a thumbnail."""
    done = (frames.c.job.in_(jobs), frames.c.state == FrameState.DONE.value)
    query = select(frames.c.job, func.max(frames.c.number)).where(*done).group_by(frames.c.job)
    last = [(row[0], row[1]) for row in conn.execute(query)] if jobs else []
    return dict(pictured(conn, last))


def memories(conn: Connection, job: int, numbers: Collection[int]) -> dict[int, int]:
    """Return the bytes of memory that the results of frames took at most, where that was measured."""
    here = (frames.c.job == job, frames.c.number.in_(numbers), attempts.c.memory > 0)
    query = select(frames.c.number, attempts.c.memory).join(attempts, attempts.c.id == frames.c.result_attempt)
    return {row[0]: row[1] for row in conn.execute(query.where(*here))} if numbers else {}


def neighbours(conn: Connection, job: int, frame: int) -> tuple[int | None, int | None]:
    """Return the numbers of the frames before and after one in its job; None where there is none."""
    number, of_job = frames.c.number, frames.c.job == job
    before = conn.execute(select(func.max(number)).where(of_job, number < frame)).scalar()
    return before, conn.execute(select(func.min(number)).where(of_job, number > frame)).scalar()
