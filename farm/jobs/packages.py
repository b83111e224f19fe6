"""A job as a package, the same for every way in; and its finished files as a bundle."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from farm.database.schema import job_files
from farm.files.store import BlobStore, Stored
from farm.jobs.access import Asker, seen
from farm.jobs.homecoming import Home
from farm.jobs.outputs import finished
from farm.jobs.tarstream import Member
from farm.methods.jobfile import description, submission
from farm.methods.sets import JobSets
from farm.package.bundle import member_names
from farm.package.jobxml import LARGEST, NAME
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, Limits, Requirement, Submission
from farm.scheduler.letgo import must_be_here
from farm.words.errors import BadPackage, Conflict, FileNotHere, WrongState
from farm.words.ranges import FrameRange
from farm.words.states import FrameOrder, JobState


def package(conn: Connection, asker: Asker, job: int) -> list[Member]:
    """Return what a job's package consists of.

    Raises:
        JobNotFound: it is none of the asker's business.
        WrongState: its files have not all arrived, or were let go.
        Conflict: one of its files is called like the description.
    """
    whole = as_submitted(conn, asker, job)
    if any(file.path.lower() == NAME for file in whole.files):
        raise Conflict(f"Job {job} has a file of its own called {NAME}.", hint="Rename it, and submit the job anew.")
    xml = Member(NAME, description(whole))
    return [xml, *(Member(file.path, Stored(file.sha256, file.size)) for file in whole.files)]


def as_submitted(conn: Connection, asker: Asker, job: int) -> Submission:
    """Return the submission that makes a job anew.

    Raises:
        JobNotFound: it is none of the asker's business.
        WrongState: its files have not all arrived, or were let go.
    """
    row = seen(conn, asker, job)
    if row.state == JobState.RECEIVING:
        raise WrongState(f"Job {job} is still receiving its files.", hint="Queue it first.", job=job)
    must_be_here(job, row.let_go)
    query = select(job_files).where(job_files.c.job == job)
    files = [
        FileEntry.model_construct(path=file.path, sha256=file.hash.hex(), size=file.size, frames=file.frames)
        for file in conn.execute(query)
    ]
    files.sort(key=lambda file: file.path)
    return _submission(row, files)


def bundle(conn: Connection, asker: Asker, job: int, wanted: FrameRange | None) -> tuple[list[Member], list[Home]]:
    """Return the finished files of a job, or of some of its frames; and which these are.

    Frames whose files have the same names get a folder each, but for the first.

    Raises:
        JobNotFound: it is none of the asker's business.
        FileNotHere: nothing is finished yet.
    """
    files = [one for one in finished(conn, asker, job) if wanted is None or one[0] in wanted]
    if not files:
        raise FileNotHere(f"Nothing of what you want of job {job} is finished yet.", job=job)
    paths = member_names((frame, name) for frame, name, _, _ in files)
    members = [
        Member(path, Stored(digest.hex(), size)) for path, (_, _, digest, size) in zip(paths, files, strict=True)
    ]
    return members, [Home(job, frame, name, digest.hex()) for frame, name, digest, _ in files]


def described(files: list[FileEntry], store: BlobStore) -> Submission:
    """Return the job of a package that was unpacked. Blocking.

    Raises:
        BadPackage: it has no description, or a wrong one.
    """
    found = next((file for file in files if file.path == NAME), None)
    if found is None:
        raise BadPackage(f"There is no {NAME} at the top of the package.", hint="`distren pack FOLDER` makes packages.")
    hashes = {file.path: file.sha256 for file in files}

    def read(path: str, most: int) -> bytes:
        with store.local(hashes[path]).open("rb") as stream:
            return stream.read(most)

    return submission(read(NAME, LARGEST + 1), [file for file in files if file is not found], read)


def _submission(row: Row[Any], files: list[FileEntry]) -> Submission:
    sets = JobSets.stored(row.frames, row.sets)
    return Submission.model_construct(
        name=row.name,
        project=row.project,
        comment=row.comment,
        requires=Requirement.model_validate_json(row.requires),
        settings=json.loads(row.settings),
        sets=sets.sets,
        source=row.source,
        frames=sets.frames,
        files=files,
        priority=row.priority,
        max_slaves=row.max_slaves,
        slaves=json.loads(row.slaves),
        not_slaves=json.loads(row.not_slaves),
        approval=bool(row.approval),
        paused=bool(row.starts_paused),
        limits=Limits.model_validate_json(row.limits),
        order=FrameOrder.IN_ORDER if row.in_order else FrameOrder.ANY,
        depends=[Dependency.model_validate(one) for one in json.loads(row.depends or "[]")],
    )
