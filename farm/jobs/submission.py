"""A job's way in: checked, made `receiving`, filled, and queued when all bytes are here.

Everything is inserted in pieces, each in a transaction of its own, so that nobody waits
for a huge job. A repeated submission (same user, same key) goes on where the first one
broke off.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, insert, select

from farm.database import eventlog, numbers
from farm.database.handle import Database
from farm.database.schema import frames, job_files, jobs
from farm.jobs import depends, files, updates
from farm.jobs.access import Asker, owned
from farm.jobs.checks import Methods, objections, settled, settled_sets
from farm.jobs.graph import refuse_circles
from farm.jobs.pools import must_let_in
from farm.jobs.rules import Rules
from farm.methods.sets import JobSets, Portion
from farm.protocol.jobs import FileEntry, Receiving, Submission
from farm.scheduler import bulk, jobstate
from farm.scheduler.frames import chunks, insert_frames
from farm.scheduler.rules import Shape, insert_rules
from farm.words.errors import Conflict, FilesMissing, JobNotFound, Malformed, QuotaExceeded
from farm.words.names import Address
from farm.words.ranges import FrameRange, count_of
from farm.words.states import FrameOrder, FrameState, JobState, PauseReason

log = structlog.get_logger(__name__)

FRAMES = 5_000
"""Frames that are inserted at once."""

NAMED = 100
"""Missing files that an error names."""


_NONE = FrameRange(())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission without fault, and what is long to compute, so that the writer need not.

    Args:
        whole: its frames.
        parts: the same in pieces, each for a transaction of its own.
        settings: its settings in their declared types, as JSON.
        sets: its parameter sets as JSON; None: it has none.
        size: bytes of all its files.
        shapes: what its frames wait for.
        blocked: those that wait.
    """

    submission: Submission
    whole: FrameRange
    parts: tuple[Portion, ...]
    settings: str
    sets: str | None
    size: int
    shapes: tuple[Shape, ...] = ()
    blocked: FrameRange = _NONE


def prepare(submission: Submission, methods: Methods, rules: Rules, whole: FrameRange | None = None) -> Prepared:
    """Return a submission that can be inserted. Pure.

    Args:
        submission: the job.
        methods: the render methods by name.
        rules: the server's limits.
        whole: all frames of the job that it updates; None: it is a new job.

    Raises:
        Malformed, UnsafePackage, TooLarge: the first thing that is wrong with it.
    """
    for objection in objections(submission, methods, rules):
        raise objection
    if methods[submission.requires.method].combines and not submission.depends and submission.updates is None:
        text = f"depends: {submission.requires.method} combines the files of other frames, and this job waits for none."
        raise Malformed(text, hint="Name the job or frames whose pictures it needs.")
    sets = JobSets.of(submission.frames, settled_sets(submission, methods))
    parts = tuple(replace(one, pictures=part) for one in sets.portions() for part in chunks(one.pictures, FRAMES))
    return Prepared(
        submission=submission,
        whole=sets.whole(),
        parts=parts,
        settings=json.dumps(settled(submission, methods, whole)),
        sets=sets.model_dump_json() if submission.sets else None,
        size=sum(file.size for file in submission.files),
    )


async def submit(
    database: Database,
    asker: Asker,
    submission: Submission,
    methods: Methods,
    rules: Rules,
    server: str,
    at: int,
    elsewhere: depends.Elsewhere,
) -> Receiving:
    """Make a job that waits for its files; the same key gives the same job again.

    Args:
        database: where the job goes.
        asker: its owner.
        submission: the job.
        methods: the render methods by name.
        rules: the server's limits.
        server: the server's name.
        at: the time, µs.
        elsewhere: asks other servers for the jobs that it depends on.

    Raises:
        Malformed, UnsafePackage, TooLarge: the first thing that is wrong with it.
        QuotaExceeded: its files don't fit any more.
        Conflict: the key was used for another job.
        JobNotFound, Forbidden, WrongState, BadFrameRange: the job that it updates does not take it.
        NotFound, Forbidden: the pool that it names is not there, or for others.
        CircularDependency, FrameNotFound: what its frames depend on is not there, or they themselves.
    """
    await database.read(partial(must_let_in, asker=asker, name=submission.requires.pool))
    known = await database.read(partial(_by_key, asker=asker, key=submission.key))
    whole = None
    if submission.updates is not None and known is None:
        whole = await database.read(partial(updates.frames_of, asker=asker, submission=submission))
    prepared = await asyncio.to_thread(prepare, submission, methods, rules, whole)
    if submission.depends and submission.updates is None:
        prepared = await _resolved(database, asker, prepared, server, await elsewhere(submission.depends))
    if known is None:
        await database.read(partial(_fits_quota, asker=asker, submission=submission))
    job = await database.write(partial(_begin, asker=asker, prepared=prepared, at=at))
    await _fill(database, job, prepared, at)
    # Looked at once more, now that all that the job will send is promised: two at once may both have fitted.
    left = await database.read(partial(files.room_left, user=asker.user))
    if left < 0:
        await database.write(partial(bulk.delete, job=job, at=at))
        raise _over_quota(-left)
    missing = await database.read(partial(files.missing, job=job, user=asker.user))
    log.info("A job was submitted.", job=job, owner=asker.name, files=len(submission.files), missing=len(missing))
    return Receiving(job=job, address=str(Address(server, job)), missing=list(missing))


async def _resolved(
    database: Database, asker: Asker, prepared: Prepared, server: str, there: depends.There
) -> Prepared:
    wanted, portions = prepared.submission.depends, JobSets.of(prepared.submission.frames, prepared.submission.sets)
    ask = partial(
        depends.resolved, asker=asker, wanted=wanted, portions=portions.portions(), server=server, there=there
    )
    shapes = await database.read(ask)
    await asyncio.to_thread(refuse_circles, shapes, prepared.whole)
    return replace(prepared, shapes=tuple(shapes), blocked=await asyncio.to_thread(depends.waiting, shapes))


def queue(conn: Connection, asker: Asker, job: int, at: int) -> int:
    """Let a job render, whose bytes are all here; doing it again changes nothing.

    Returns:
        The number of the job that renders: the one that was updated, if it was.

    Raises:
        FilesMissing: some are not; the first of them are named.
        Conflict: its submission never came to an end.
        JobNotFound, WrongState, BadFrameRange: the job that it updates does not take it any more.
    """
    taken_by = updates.handed_over(conn, asker, job)
    if taken_by is not None:
        return taken_by
    found = owned(conn, asker, job)
    if found.state != JobState.RECEIVING:
        return job
    must_be_whole(conn, found)
    missing = files.missing(conn, job, asker.user)
    if missing:
        raise FilesMissing(
            f"{len(missing)} of the files of job {job} have not arrived yet.",
            hint="Send them, then queue the job.",
            job=job,
            missing=list(missing)[:NAMED],
        )
    files.pin(conn, conn.execute(select(job_files.c.hash).where(job_files.c.job == job)).scalars())
    if found.updates is not None:
        return updates.hand_over(conn, asker, found, at)
    jobstate.queue(conn, job, at)
    if found.starts_paused:
        jobstate.pause(conn, job, PauseReason.USER, at)
    return job


def number_of(conn: Connection, asker: Asker, key: str) -> int:
    """Return the number of the asker's job with a key: for who never heard what became of a submission.

    Raises:
        JobNotFound: they have none.
    """
    found = _by_key(conn, asker, key)
    if found is None:
        raise JobNotFound("No job of yours has this key.")
    return int(found.number)


def must_be_whole(conn: Connection, job: Row[Any]) -> None:
    """Refuse a job whose submission broke off in the middle.

    Raises:
        Conflict: its manifest or its frames are incomplete.
    """
    size = conn.execute(select(func.sum(job_files.c.size)).where(job_files.c.job == job.number)).scalar() or 0
    count = conn.execute(select(func.count()).select_from(frames).where(frames.c.job == job.number)).scalar()
    if int(size) != job.bytes or count != count_of(job.frames):
        raise Conflict(f"The submission of job {job.number} broke off.", hint="Submit it again with the same key.")


def _by_key(conn: Connection, asker: Asker, key: str) -> Row[Any] | None:
    if not key:
        return None
    mine = select(jobs).where(jobs.c.owner == asker.user, jobs.c.key == key)
    return conn.execute(mine).first()


def _fits_quota(conn: Connection, asker: Asker, submission: Submission) -> None:
    over = new_bytes(conn, asker, submission) - files.room_left(conn, asker.user)
    if over > 0:
        raise _over_quota(over)


def new_bytes(conn: Connection, asker: Asker, submission: Submission) -> int:
    """Return how many bytes of a submission its owner has not sent yet."""
    sizes = {bytes.fromhex(file.sha256): file.size for file in submission.files}
    mine = files.possessed(conn, asker.user, sizes)
    return sum(size for digest, size in sizes.items() if digest not in mine)


def _over_quota(over: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"The job's files are {over:,} bytes more than your quota leaves.",
        hint="Delete old jobs, or ask an admin for a larger quota.",
    )


def _begin(conn: Connection, asker: Asker, prepared: Prepared, at: int) -> int:
    found = _by_key(conn, asker, prepared.submission.key)
    if found is not None:
        return _same(found, prepared)
    job = numbers.take(conn, "job")
    conn.execute(insert(jobs).values(_row(job, asker, prepared, at)))
    insert_rules(conn, job, prepared.shapes)
    eventlog.note(conn, "job", at=at, job=job, data={"state": JobState.RECEIVING.value})
    return job


def _same(found: Row[Any], prepared: Prepared) -> int:
    submission = prepared.submission
    told = (submission.source, str(prepared.whole), prepared.sets, prepared.size, _depends(submission))
    if told != (found.source, found.frames, found.sets, found.bytes, found.depends):
        raise Conflict(
            f"The key “{prepared.submission.key}” belongs to job {found.number}, which is another one.",
            hint="Use a new key for a new job.",
            job=found.number,
        )
    return int(found.number)


def _row(job: int, asker: Asker, prepared: Prepared, at: int) -> dict[str, Any]:
    submission = prepared.submission
    return {
        "number": job,
        "owner": asker.user,
        "key": submission.key or None,
        "name": submission.name or PurePosixPath(submission.source).stem or f"job {job}",
        "project": submission.project,
        "comment": submission.comment,
        "state": JobState.RECEIVING,
        "requires": submission.requires.model_dump_json(),
        "settings": prepared.settings,
        "limits": submission.limits.model_dump_json(),
        "source": submission.source,
        "sets": prepared.sets,
        "frames": str(prepared.whole),
        "priority": submission.priority,
        "slaves": json.dumps(sorted(set(submission.slaves))),
        "not_slaves": json.dumps(sorted(set(submission.not_slaves))),
        "max_slaves": submission.max_slaves,
        "in_order": submission.order is FrameOrder.IN_ORDER,
        "approval": submission.approval,
        "starts_paused": submission.paused,
        "updates": submission.updates,
        "depends": _depends(submission),
        "bytes": prepared.size,
        "created": at,
        "changed": at,
    }


def _depends(submission: Submission) -> str | None:
    told = [one.model_dump(exclude_defaults=True) for one in submission.depends]
    return json.dumps(told) if told else None


async def _fill(database: Database, job: int, prepared: Prepared, at: int) -> None:
    """Insert manifest and frames piece by piece; pieces that are there already stay as they are."""
    manifest = prepared.submission.files
    for start in range(0, len(manifest), files.CHUNK):
        some = manifest[start : start + files.CHUNK]
        await database.write(partial(_add_files, job=job, some=some, start=start))
    for part in prepared.parts:
        await database.write(partial(_add_frames, job=job, part=part, blocked=prepared.blocked, at=at))


def _add_files(conn: Connection, job: int, some: list[FileEntry], start: int) -> None:
    if _receiving(conn, job):
        files.add_files(conn, job, some, start)
        files.pin(conn, (bytes.fromhex(file.sha256) for file in some))


def _add_frames(conn: Connection, job: int, part: Portion, blocked: FrameRange, at: int) -> None:
    if not _receiving(conn, job):
        return
    waiting = part.numbers.common(blocked).shifted(-part.shift) if blocked else blocked
    free = part.pictures.minus(waiting) if waiting else part.pictures
    for pictures, state in ((free, FrameState.READY), (waiting, FrameState.BLOCKED)):
        insert_frames(conn, job, pictures, at, shift=part.shift, name=part.name or None, state=state)


def _receiving(conn: Connection, job: int) -> bool:
    """Tell whether a job may still be filled; its row is locked, so that two repeats don't fill it together."""
    query = select(jobs.c.state).where(jobs.c.number == job).with_for_update()
    return bool(conn.execute(query).scalar() == JobState.RECEIVING)
