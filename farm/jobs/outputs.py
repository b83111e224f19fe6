"""Finished files: those of the attempt that is its frame's result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, and_, func, select
from sqlalchemy.sql import ColumnElement

from farm.database.schema import attempts, frames, job_versions, result_files
from farm.jobs.access import Asker, seen
from farm.package.results import OUTPUT
from farm.protocol.jobs import OutputFile, OutputPage
from farm.words.errors import FileNotHere
from farm.words.states import AttemptState

MOST = 1000
"""Frames on one page."""

_RESULT = and_(
    frames.c.job == result_files.c.job,
    frames.c.number == result_files.c.frame,
    frames.c.result_attempt == result_files.c.attempt,
)


def output_page(
    conn: Connection, asker: Asker, job: int, after: int | None, limit: int, version: int | None = None
) -> OutputPage:
    """Return the finished files of a job in ascending order of frames; a page never splits a frame.

    Args:
        conn: a connection.
        asker: who asks.
        job: the job's number.
        after: only frames above this number.
        limit: the most frames.
        version: as the job was with these files; None: as it is.

    Raises:
        JobNotFound: it is none of the asker's business.
        FileNotHere: it has no such version.
    """
    seen(conn, asker, job)
    limit = max(1, min(limit, MOST))
    number, query = _frames(conn, job, version)
    if after is not None:
        query = query.where(number > after)
    numbers = list(conn.execute(query.order_by(number).limit(limit + 1)).scalars())
    found = _of_frames(conn, _outputs(conn, job, version), numbers[:limit])
    files = [file for number in numbers[:limit] for file in found.get(number, [])]
    return OutputPage(files=files, next=numbers[limit - 1] if len(numbers) > limit else None)


def outputs_of(conn: Connection, job: int, numbers: Collection[int]) -> dict[int, list[OutputFile]]:
    """Return the finished files of some of a job's frames, by frame."""
    return _of_frames(conn, _outputs(conn, job), numbers)


def files_of(conn: Connection, job: int, frame: int, version: int | None = None) -> list[OutputFile]:
    """Return the finished files of a frame, of its job as it is, or as it was in a former version.

    Raises:
        FileNotHere: the job has no such version.
    """
    return _of_frames(conn, _outputs(conn, job, version), [frame]).get(frame, [])


def _of_frames(conn: Connection, outputs: Select[Any], numbers: Collection[int]) -> dict[int, list[OutputFile]]:
    found: dict[int, list[OutputFile]] = {}
    for row in conn.execute(outputs.where(result_files.c.frame.in_(numbers))):
        found.setdefault(row.frame, []).append(_file(row))
    return found


def finished(conn: Connection, asker: Asker, job: int) -> Iterator[tuple[int, str, bytes, int]]:
    """Yield all finished files of a job: frame, name, hash, size.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    for row in conn.execute(_outputs(conn, job)):
        yield row.frame, row.name, row.hash, row.size


def output_file(
    conn: Connection, asker: Asker, job: int, frame: int, name: str, version: int | None = None
) -> OutputFile:
    """Return one finished file, of the job as it is, or as it was in a former version.

    Raises:
        JobNotFound: it is none of the asker's business.
        FileNotHere: there is none, or not yet.
    """
    seen(conn, asker, job)
    wanted = _outputs(conn, job, version).where(result_files.c.frame == frame, result_files.c.name == name)
    row = conn.execute(wanted).first()
    if row is None:
        raise FileNotHere(f"Frame {frame} of job {job} has no file “{name[:200]}”, or not yet.", job=job, frame=frame)
    return _file(row)


def _outputs(conn: Connection, job: int, version: int | None = None) -> Select[Any]:
    columns = (result_files.c.frame, result_files.c.name, result_files.c.hash, result_files.c.size)
    query = select(*columns).where(result_files.c.job == job, result_files.c.role == OUTPUT)
    if version is None:
        query = query.join(frames, _RESULT)
    else:
        query = query.where(result_files.c.attempt.in_(select(_as_it_was(conn, job, version).c.attempt)))
    return query.order_by(result_files.c.frame, result_files.c.name)


def _frames(conn: Connection, job: int, version: int | None) -> tuple[ColumnElement[int], Select[Any]]:
    """Return the column of frames' numbers, and the query of those that have a result."""
    if version is None:
        number: ColumnElement[int] = frames.c.number
        return number, select(number).where(frames.c.job == job, frames.c.result_attempt.is_not(None))
    were = _as_it_was(conn, job, version)
    return were.c.frame, select(were.c.frame)


def _as_it_was(conn: Connection, job: int, version: int) -> Subquery:
    """Return the query of whose result was each frame's in a version: the last attempt before the next one.

    Raises:
        FileNotHere: the job has no such version.
    """
    later = dict(conn.execute(select(job_versions.c.version, job_versions.c.at).where(job_versions.c.job == job)).all())
    if version != 1 and version not in later:
        raise FileNotHere(f"Job {job} has no version {version}.", hint=f"It has 1 to {len(later) + 1}.", job=job)
    counted = attempts.c.state.in_([AttemptState.WON, AttemptState.FORMER])
    query = select(attempts.c.frame, func.max(attempts.c.id).label("attempt")).where(attempts.c.job == job, counted)
    if version + 1 in later:
        query = query.where(attempts.c.issued < later[version + 1])
    return query.group_by(attempts.c.frame).subquery()


def _file(row: Row[Any]) -> OutputFile:
    return OutputFile(frame=row.frame, name=row.name, sha256=row.hash.hex(), size=row.size)
