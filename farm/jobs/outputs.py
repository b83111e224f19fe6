"""Finished files: those of the attempt that is its frame's result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from farm.database.schema import frames, result_files
from farm.jobs.access import Asker, seen
from farm.package.results import OUTPUT
from farm.protocol.jobs import OutputFile, OutputPage
from farm.words.errors import FileNotHere

MOST = 1000
"""Frames on one page."""

_RESULT = and_(
    frames.c.job == result_files.c.job,
    frames.c.number == result_files.c.frame,
    frames.c.result_attempt == result_files.c.attempt,
)


def output_page(conn: Connection, asker: Asker, job: int, after: int | None, limit: int) -> OutputPage:
    """Return the finished files of a job in ascending order of frames; a page never splits a frame.

    Args:
        conn: a connection.
        asker: who asks.
        job: the job's number.
        after: only frames above this number.
        limit: the most frames.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    limit = max(1, min(limit, MOST))
    query = select(frames.c.number).where(frames.c.job == job, frames.c.result_attempt.is_not(None))
    if after is not None:
        query = query.where(frames.c.number > after)
    numbers = list(conn.execute(query.order_by(frames.c.number).limit(limit + 1)).scalars())
    found = outputs_of(conn, job, numbers[:limit])
    files = [file for number in numbers[:limit] for file in found.get(number, [])]
    return OutputPage(files=files, next=numbers[limit - 1] if len(numbers) > limit else None)


def outputs_of(conn: Connection, job: int, numbers: Collection[int]) -> dict[int, list[OutputFile]]:
    """Return the finished files of some of a job's frames, by frame."""
    found: dict[int, list[OutputFile]] = {}
    for row in conn.execute(_outputs(job).where(result_files.c.frame.in_(numbers))):
        found.setdefault(row.frame, []).append(_file(row))
    return found


def finished(conn: Connection, asker: Asker, job: int) -> Iterator[tuple[int, str, bytes, int]]:
    """Yield all finished files of a job: frame, name, hash, size.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    for row in conn.execute(_outputs(job)):
        yield row.frame, row.name, row.hash, row.size


def output_file(conn: Connection, asker: Asker, job: int, frame: int, name: str) -> OutputFile:
    """Return one finished file.

    Raises:
        JobNotFound: it is none of the asker's business.
        FileNotHere: there is none, or not yet.
    """
    seen(conn, asker, job)
    wanted = _outputs(job).where(result_files.c.frame == frame, result_files.c.name == name)
    row = conn.execute(wanted).first()
    if row is None:
        raise FileNotHere(f"Frame {frame} of job {job} has no file “{name[:200]}”, or not yet.", job=job, frame=frame)
    return _file(row)


def _outputs(job: int) -> Select[Any]:
    columns = (result_files.c.frame, result_files.c.name, result_files.c.hash, result_files.c.size)
    query = select(*columns).join(frames, _RESULT).where(result_files.c.job == job, result_files.c.role == OUTPUT)
    return query.order_by(result_files.c.frame, result_files.c.name)


def _file(row: Row[Any]) -> OutputFile:
    return OutputFile(frame=row.frame, name=row.name, sha256=row.hash.hex(), size=row.size)
