"""The files of the frames that a leased frame waited for: where they are laid, and what a slave may read of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select

from farm.database.schema import attempts, frames, remote_files, result_files
from farm.package.results import OUTPUT
from farm.protocol.jobs import FileEntry
from farm.protocol.slaves import RequiredFiles
from farm.scheduler import rules
from farm.scheduler.frames import within
from farm.words.errors import JobNotFound
from farm.words.ranges import FrameRange
from farm.words.states import AttemptState

FOLDER = "depends"
"""Where in the job's folder they are laid."""

_ACCEPTED = and_(
    result_files.c.job == frames.c.job,
    result_files.c.frame == frames.c.number,
    result_files.c.attempt == frames.c.result_attempt,
    result_files.c.role == OUTPUT,
)


def waiting_frames(conn: Connection, job: int) -> str:
    """Return the frames of a job that find files of others in folders of these, as a range."""
    return str(rules.together([rule for rule in rules.read(conn, job) if not rule.overlay]))


def overlaid(conn: Connection, job: int, own: Sequence[FileEntry]) -> list[FileEntry]:
    """Return a job's files with those of other frames laid over them; of two with one name the later rule's counts.

    Args:
        conn: a connection.
        job: the job's number; what its frames wait for is done.
        own: its own files.
    """
    found = {entry.path: entry for entry in own}
    for rule in rules.read(conn, job):
        if rule.overlay:
            for row in _of_frames(conn, rule.server, rule.on_job, rule.needs.whole):
                found[row.name] = _entry(row.name, row)
    return list(found.values())


def required(conn: Connection, slave: int, job: int, number: int, server: str) -> RequiredFiles:
    """Return the files that a frame needs of those that it waited for.

    Args:
        conn: a connection.
        slave: the id of the slave that asks.
        job: the job's number.
        number: the frame's.
        server: this server's name.

    Raises:
        JobNotFound: the slave has no live lease of this frame.
    """
    if number not in _leased(conn, slave, job):
        raise JobNotFound(f"This slave has no lease of frame {number} of job {job}.", job=job, frame=number)
    found: dict[str, FileEntry] = {}
    folders: dict[str, None] = {}
    for there, on_job, needs in _needs(conn, job, number, folders=True):
        place = f"{FOLDER}/{there or server}/{on_job}"
        folders.update(dict.fromkeys(f"{place}/{need}" for need in needs))
        for row in _of_frames(conn, there, on_job, needs):
            path = f"{place}/{row.frame}/{row.name}"
            found[path] = _entry(path, row)
    return RequiredFiles.model_construct(frames=list(folders), files=list(found.values()))


def size_of(conn: Connection, slave: int, job: int, sha256: str) -> int | None:
    """Return the size of a file that a frame of a job needs of another, if this slave has a live lease of it."""
    for number in _leased(conn, slave, job):
        for there, on_job, needs in _needs(conn, job, number):
            query, frame, digest = _files(there, on_job)
            for part in within(frame, needs):
                row = conn.execute(query.where(part, digest == bytes.fromhex(sha256)).limit(1)).first()
                if row is not None:
                    return int(row.size)
    return None


def _leased(conn: Connection, slave: int, job: int) -> list[int]:
    open_ = (attempts.c.slave == slave, attempts.c.state == AttemptState.OPEN, attempts.c.job == job)
    return list(conn.execute(select(attempts.c.frame).where(*open_)).scalars())


def _needs(conn: Connection, job: int, number: int, *, folders: bool = False) -> Iterator[tuple[str, int, FrameRange]]:
    """Yield what a frame waited for, job by job, each with its server if it is another.

    With `folders`, only what is laid into folders of these frames.
    """
    found: defaultdict[tuple[str, int], list[FrameRange]] = defaultdict(list)
    for rule in rules.read(conn, job, (number, number)):
        if number in rule.frames and not (folders and rule.overlay):
            found[rule.server, rule.on_job].append(rule.needed(number))
    for (there, on_job), needs in found.items():
        # Frames that came later go where their numbers say, not behind all others.
        yield there, on_job, needs[0] if len(needs) == 1 else FrameRange.of(n for some in needs for n in some)


def _of_frames(conn: Connection, server: str, job: int, numbers: FrameRange) -> Iterator[Row[Any]]:
    query, frame, _ = _files(server, job)
    for part in within(frame, numbers):
        yield from conn.execute(query.where(part))


def _entry(path: str, row: Row[Any]) -> FileEntry:
    return FileEntry.model_construct(path=path, sha256=row.hash.hex(), size=row.size, frames=None)


def _files(server: str, job: int) -> tuple[Select[Any], ColumnElement[int], ColumnElement[bytes]]:
    """Return the query for a job's finished files, and its columns of the frame and the hash."""
    if server:
        there = remote_files.c
        mine = select(there.frame, there.name, there.hash, there.size).where(there.server == server, there.job == job)
        return mine.order_by(there.frame, there.name), there.frame, there.hash
    columns = (result_files.c.frame, result_files.c.name, result_files.c.hash, result_files.c.size)
    query = select(*columns).select_from(frames).join(result_files, _ACCEPTED).where(frames.c.job == job)
    return query.order_by(frames.c.number, result_files.c.name), frames.c.number, result_files.c.hash
