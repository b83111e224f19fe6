"""Frames and attempts, as people see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from farm.database.schema import attempts, frames, result_files, slaves
from farm.jobs.access import Asker, seen
from farm.jobs.outputs import outputs_of
from farm.package.results import LOG, THUMBNAIL
from farm.protocol.jobs import AttemptView, FramePage, FrameView, OutputFile
from farm.scheduler import waiting, waitsfor
from farm.words.clock import moment, seconds
from farm.words.errors import FileNotHere, FrameNotFound, Malformed
from farm.words.names import Address
from farm.words.states import JOB_ACTIVE, AttemptState, FailureClass, FrameState, JobState

MOST = 1000
"""Frames on one page."""

PROMILLE = 1000
"""The attempt's progress is kept in thousandths."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which frames are wanted; empty: all. `states` are words with commas between; `after` continues a list.

    name: only those of this parameter set.
    uniform: only finished ones whose pictures are of one colour, or only those that are not.
    """

    states: str = ""
    name: str = ""
    uniform: bool | None = None
    after: int | None = None
    limit: int = 200


def frame_view(
    conn: Connection, asker: Asker, job: int, number: int, server: str, at: int, look: waiting.Look | None = None
) -> FrameView:
    """Return a frame with its attempts; `look`: at the farm, if somebody has had one on this connection.

    Raises:
        JobNotFound, FrameNotFound: there is none, or it is none of the asker's business.
    """
    job_row, row = seen(conn, asker, job), frame_row(conn, job, number)
    return _views(conn, job_row, [row], look or waiting.Look(conn, at, server), _attempts(conn, job, number))[0]


def frame_page(
    conn: Connection, asker: Asker, job: int, wanted: Filter, server: str, at: int, look: waiting.Look | None = None
) -> FramePage:
    """Return a job's frames in ascending order; `look`: at the farm, if somebody has had one on this connection.

    Raises:
        JobNotFound: it is none of the asker's business.
        Malformed: a state that does not exist.
    """
    job_row = seen(conn, asker, job)
    limit = max(1, min(wanted.limit, MOST))
    rows = conn.execute(_filtered(job, wanted).order_by(frames.c.number).limit(limit + 1)).all()
    more = len(rows) > limit
    views = _views(conn, job_row, rows[:limit], look or waiting.Look(conn, at, server))
    return FramePage(frames=views, next=rows[limit - 1].number if more else None)


def _filtered(job: int, wanted: Filter) -> Select[Any]:
    query = select(frames).where(frames.c.job == job)
    if wanted.states:
        query = query.where(frames.c.state.in_(_states(wanted.states)))
    if wanted.name:
        query = query.where(frames.c.set == wanted.name)
    if wanted.uniform is not None:
        result = and_(attempts.c.id == frames.c.result_attempt, attempts.c.uniform == wanted.uniform)
        query = query.join(attempts, result)
    return query if wanted.after is None else query.where(frames.c.number > wanted.after)


def frame_row(conn: Connection, job: int, number: int) -> Row[Any]:
    """Return a frame's row.

    Raises:
        FrameNotFound: the job has no such frame.
    """
    row = conn.execute(select(frames).where(frames.c.job == job, frames.c.number == number)).first()
    if row is None:
        raise FrameNotFound(f"Job {job} has no frame {number}.", job=job, frame=number)
    return row


def rendering(conn: Connection, asker: Asker, job: int, number: int) -> list[int]:
    """Return the attempts at a frame that are not over.

    Raises:
        JobNotFound, FrameNotFound: it is not there, or none of the asker's business.
    """
    seen(conn, asker, job)
    frame_row(conn, job, number)
    mine = attempts.c.job == job, attempts.c.frame == number, attempts.c.state == AttemptState.OPEN.value
    return list(conn.execute(select(attempts.c.id).where(*mine)).scalars())


def log_of(conn: Connection, asker: Asker, job: int, number: int, attempt: int | None) -> str | bytes:
    """Return the renderer's log of an attempt: its text, or the hash under which it is stored.

    Args:
        conn: a connection.
        asker: who asks.
        job: the job's number.
        number: the frame's number.
        attempt: which one; None: the frame's result, else the last one that has a log.

    Raises:
        JobNotFound, FrameNotFound, FileNotHere: there is none.
    """
    seen(conn, asker, job)
    frame = frame_row(conn, job, number)
    query = select(attempts.c.id, attempts.c.log, result_files.c.hash).select_from(
        attempts.outerjoin(result_files, and_(result_files.c.attempt == attempts.c.id, result_files.c.role == LOG))
    )
    rows = conn.execute(
        query.where(attempts.c.job == job, attempts.c.frame == number).order_by(attempts.c.id.desc())
    ).all()
    wanted = attempt if attempt is not None else frame.result_attempt
    logged = [row for row in rows if row.hash or row.log]
    row = next((row for row in logged if row.id == wanted), None)
    if row is None and attempt is None and logged:
        row = logged[0]
    if row is None:
        which = f"attempt {attempt}" if attempt is not None else "any attempt"
        raise FileNotHere(f"There is no log of {which} at frame {number} of job {job}.", job=job, frame=number)
    return row.hash or str(row.log)


def thumbnail_of(conn: Connection, asker: Asker, job: int, number: int) -> tuple[str, int]:
    """Return hash and size of a frame's thumbnail.

    Raises:
        JobNotFound, FrameNotFound, FileNotHere: there is none.
    """
    seen(conn, asker, job)
    frame = frame_row(conn, job, number)
    query = select(result_files.c.hash, result_files.c.size).where(
        result_files.c.attempt == frame.result_attempt, result_files.c.role == THUMBNAIL
    )
    found = conn.execute(query).first()
    if found is None:
        raise FileNotHere(f"Frame {number} of job {job} has no thumbnail yet.", job=job, frame=number)
    return found.hash.hex(), found.size


def _states(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = set(names) - set(FrameState)
    if unknown:
        raise Malformed(f"state: there is no state “{min(unknown)[:40]}”.", hint=f"There are: {', '.join(FrameState)}.")
    return names


def _views(
    conn: Connection,
    job: Row[Any],
    rows: Sequence[Row[Any]],
    look: waiting.Look,
    tries: list[AttemptView] | None = None,
) -> list[FrameView]:
    numbers = [row.number for row in rows]
    running = _running(conn, job.number, numbers)
    files = outputs_of(conn, job.number, numbers)
    ready = JobState(job.state) in JOB_ACTIVE and any(row.state == FrameState.READY for row in rows)
    reasons = "; ".join(look.why(job.number)) if ready else ""
    blocked = [row.number for row in rows if row.state == FrameState.BLOCKED]
    others = waitsfor.of_frames(conn, job.number, blocked, look.server)
    flat = _uniform(conn, [row.result_attempt for row in rows if row.result_attempt is not None])
    waits = {row.number: reasons if row.state == FrameState.READY else others.get(row.number, "") for row in rows}
    known = (_Known(running.get(r.number), files.get(r.number, []), r.result_attempt in flat) for r in rows)
    return [_view(row, one, waits[row.number], look.server, tries) for row, one in zip(rows, known, strict=True)]


@dataclass(frozen=True, slots=True)
class _Known:
    """What other tables know of a frame: the slave that renders it now and how far it is, its files, their colours."""

    running: tuple[str, float | None] | None
    files: list[OutputFile]
    uniform: bool


def _uniform(conn: Connection, results: list[int]) -> set[int]:
    """Return those attempts whose pictures are of one colour."""
    query = select(attempts.c.id).where(attempts.c.id.in_(results), attempts.c.uniform.is_(True))
    return set(conn.execute(query).scalars()) if results else set()


def _view(row: Row[Any], known: _Known, reasons: str, server: str, tries: list[AttemptView] | None) -> FrameView:
    slave, progress = known.running or (None, None)
    return FrameView(
        frame=row.number,
        address=str(Address(server, row.job, row.number)),
        picture=row.picture,
        set=row.set or "",
        state=FrameState(row.state),
        message=row.message,
        waiting=reasons,
        slave=slave,
        progress=progress,
        seconds=None if row.seconds is None else seconds(row.seconds),
        uniform=known.uniform,
        files=known.files,
        attempts=tries or [],
    )


def _progress(promille: int | None) -> float | None:
    return None if promille is None else promille / PROMILLE


def _running(conn: Connection, job: int, numbers: list[int]) -> dict[int, tuple[str, float | None]]:
    """Return the slave and the progress of frames that render now."""
    query = (
        select(attempts.c.frame, attempts.c.progress, slaves.c.name)
        .join(slaves, slaves.c.id == attempts.c.slave)
        .where(attempts.c.job == job, attempts.c.frame.in_(numbers), attempts.c.state == AttemptState.OPEN)
        .order_by(attempts.c.id)
    )
    return {row.frame: (row.name, _progress(row.progress)) for row in conn.execute(query)}


def _attempts(conn: Connection, job: int, number: int) -> list[AttemptView]:
    logged = and_(result_files.c.attempt == attempts.c.id, result_files.c.role == LOG)
    query = (
        select(attempts, slaves.c.name, result_files.c.hash.label("log_file"))
        .select_from(attempts.join(slaves, slaves.c.id == attempts.c.slave).outerjoin(result_files, logged))
        .where(attempts.c.job == job, attempts.c.frame == number)
        .order_by(attempts.c.id)
    )
    return [_attempt(row) for row in conn.execute(query)]


def _attempt(row: Row[Any]) -> AttemptView:
    return AttemptView(
        attempt=row.id,
        slave=row.name,
        state=AttemptState(row.state),
        issued=moment(row.issued),
        started=moment(row.started),
        ended=moment(row.ended),
        seconds=None if row.seconds is None else seconds(row.seconds),
        cpu_seconds=None if row.cpu is None else seconds(row.cpu),
        peak_memory_bytes=row.memory,
        failure_class=FailureClass(row.failure_class) if row.failure_class else None,
        message=row.message,
        progress=_progress(row.progress),
        has_log=bool(row.log or row.log_file),
    )
