"""A job as a package: the same for every way in, rebuilt byte for byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from farm.database.schema import job_files
from farm.files.store import BlobStore
from farm.jobs.access import Asker, seen
from farm.methods.jobfile import description, submission
from farm.package import canonical
from farm.package.jobxml import LARGEST, NAME
from farm.protocol.jobs import FileEntry, Limits, Requirement, Submission
from farm.words.errors import BadPackage, Conflict, WrongState
from farm.words.states import FrameOrder, JobState


@dataclass(frozen=True, slots=True)
class Package:
    """What a job's package consists of."""

    xml: bytes
    files: list[FileEntry]

    @property
    def size(self) -> int:
        """Bytes of the whole tar."""
        length = canonical.body_length([(NAME, len(self.xml)), *((file.path, file.size) for file in self.files)])
        return length + len(canonical.ending(length))

    async def stream(self, store: BlobStore) -> AsyncIterator[bytes]:
        """Yield the tar, straight from the store."""
        yield canonical.header(NAME, len(self.xml)) + self.xml + canonical.padding(len(self.xml))
        length = canonical.body_length([(NAME, len(self.xml))])
        for file in self.files:
            yield canonical.header(file.path, file.size)
            async for piece in store.open_range(file.sha256):
                yield piece
            yield canonical.padding(file.size)
            length += canonical.body_length([(file.path, file.size)])
        yield canonical.ending(length)


def package(conn: Connection, asker: Asker, job: int) -> Package:
    """Return a job's package.

    Raises:
        JobNotFound: it is none of the asker's business.
        WrongState: its files have not all arrived.
        Conflict: one of its files is called like the description.
    """
    row = seen(conn, asker, job)
    if row.state == JobState.RECEIVING:
        raise WrongState(f"Job {job} is still receiving its files.", hint="Queue it first.", job=job)
    query = select(job_files).where(job_files.c.job == job)
    files = [
        FileEntry.model_construct(path=file.path, sha256=file.hash.hex(), size=file.size, frames=file.frames)
        for file in conn.execute(query)
    ]
    files.sort(key=lambda file: file.path)
    if any(file.path.lower() == NAME for file in files):
        raise Conflict(f"Job {job} has a file of its own called {NAME}.", hint="Rename it, and submit the job anew.")
    return Package(description(_as_submitted(row, files)), files)


def described(files: list[FileEntry], store: BlobStore) -> Submission:
    """Return the job of a package that was unpacked. Blocking.

    Raises:
        BadPackage: it has no description, or a wrong one.
    """
    found = next((file for file in files if file.path == NAME), None)
    if found is None:
        raise BadPackage(f"There is no {NAME} at the top of the package.", hint="`distren pack FOLDER` makes packages.")
    with store.path(found.sha256).open("rb") as stream:
        data = stream.read(LARGEST + 1)
    return submission(data, [file for file in files if file is not found])


def _as_submitted(row: Row[Any], files: list[FileEntry]) -> Submission:
    return Submission.model_construct(
        name=row.name,
        project=row.project,
        comment=row.comment,
        requires=Requirement.model_validate_json(row.requires),
        settings=json.loads(row.settings),
        source=row.source,
        frames=row.frames,
        files=files,
        priority=row.priority,
        max_slaves=row.max_slaves,
        slaves=json.loads(row.slaves),
        not_slaves=json.loads(row.not_slaves),
        approval=bool(row.approval),
        limits=Limits.model_validate_json(row.limits),
        order=FrameOrder.IN_ORDER if row.in_order else FrameOrder.ANY,
    )
