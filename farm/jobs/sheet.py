"""What a slave may read: the sheet and the files of a job that it has a live lease of."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from farm.database.schema import attempts, job_files, jobs, slaves
from farm.jobs.required import overlaid, size_of, waiting_frames
from farm.methods.sets import JobSets
from farm.protocol.jobs import FileEntry, Limits
from farm.protocol.slaves import JobSheet
from farm.scheduler import crowd, jobrow
from farm.scheduler.fit import Machine, trusted
from farm.words.errors import FileNotHere, JobNotFound
from farm.words.names import Address
from farm.words.states import AttemptState, FrameOrder


def sheet(
    conn: Connection,
    slave: int,
    job: int,
    server: str,
    *,
    scripts: bool,
    strangers: bool = False,
    defaults: Limits | None = None,
) -> JobSheet:
    """Return all that a slave needs to know of a job.

    Args:
        conn: a connection.
        slave: the id of the slave that asks.
        job: the job's number.
        server: the server's name.
        scripts: whether scripts inside of files may run.
        strangers: the users don't know each other: scripts run only where they are contained, or at home.
        defaults: when a frame counts as hung where its job does not say.

    Raises:
        JobNotFound: the slave has no live lease of this job.
    """
    row = _leased(conn, slave, job)
    requires, files = jobrow.requirement(row.requires, row.pinned), _files(conn, job)
    scripts = scripts and trusted(_machine(conn, slave), row.owner, strangers=strangers)
    return JobSheet(
        job=job,
        revision=row.revision,
        address=str(Address(server, job)),
        name=row.name,
        method=requires.method,
        version=requires.version,
        newer=requires.newer,
        engine=requires.engine,
        device=requires.device,
        addons=requires.addons,
        settings={**json.loads(row.settings), "scripts": scripts},
        sets=JobSets.stored(row.frames, row.sets).sets,
        source=row.source,
        defaults=defaults or Limits(),
        order=FrameOrder.IN_ORDER if row.in_order else FrameOrder.ANY,
        limits=Limits.model_validate_json(row.limits),
        circle=f"user-{row.owner}" if strangers else "",
        depends=waiting_frames(conn, job) if row.depends else "",
        files=overlaid(conn, job, files) if row.depends else files,
    )


def _machine(conn: Connection, slave: int) -> Machine:
    row = conn.execute(select(slaves).where(slaves.c.id == slave)).one()
    return Machine(row.id, row.name, row.slots, (), row.owner, crowd.contained(row.hardware))


def readable(conn: Connection, slave: int, job: int, sha256: str) -> int:
    """Return the size of a file of a job that a slave has a live lease of, or of one that a leased frame waited for.

    Raises:
        JobNotFound: the slave has no live lease of this job.
        FileNotHere: the job has no such file.
    """
    _leased(conn, slave, job)
    wanted = select(job_files.c.size).where(job_files.c.hash == bytes.fromhex(sha256), job_files.c.job == job)
    size = conn.execute(wanted.limit(1)).scalar()
    if size is None:
        size = size_of(conn, slave, job, sha256)
    if size is None:
        raise FileNotHere(f"Job {job} has no file {sha256[:12]}….")
    return int(size)


def _leased(conn: Connection, slave: int, job: int) -> Row[Any]:
    lease = select(attempts.c.id).where(
        attempts.c.slave == slave, attempts.c.state == AttemptState.OPEN, attempts.c.job == job
    )
    if conn.execute(lease.limit(1)).first() is None:
        raise JobNotFound(f"This slave has no lease of job {job}.", job=job)
    return conn.execute(select(jobs).where(jobs.c.number == job)).one()


def _files(conn: Connection, job: int) -> list[FileEntry]:
    rows = conn.execute(select(job_files).where(job_files.c.job == job).order_by(job_files.c.place))
    # They were checked when they came in; a manifest of 100,000 lines need not be checked for every slave.
    return [
        FileEntry.model_construct(path=row.path, sha256=row.hash.hex(), size=row.size, frames=row.frames)
        for row in rows
    ]
