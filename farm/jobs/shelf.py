"""Keeps the admin's view of jobs (`stor/job12/…`), and what is delivered, in step with the database.

It follows the event log, so it never stands in the way of a result. What a crash
prevented is made when the server starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, and_, select

from farm.database.handle import Database
from farm.database.reader import Told
from farm.database.schema import frames, job_files, jobs, result_files
from farm.files.delivery import Deliveries
from farm.files.store import BlobStore
from farm.files.view import JobFolders
from farm.package.results import OUTPUT
from farm.words.ranges import FrameRange
from farm.words.states import FrameState, JobState

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Frames that are looked up at once."""

AGAIN = 10.0
"""Seconds after which a view that failed, as on a full disk, is tried again."""

BLINK = 0.25
"""Seconds that a result may take to be seen in its job's folder."""

_WITHOUT = {JobState.RECEIVING, JobState.DELETED}

_Output = tuple[str, bytes]


class Shelf:
    """Shows jobs as folders; one per process, inside its event loop.

    Args:
        database: the truth.
        store: where the bytes are.
        folders: what is kept in step.
    """

    def __init__(self, database: Database, store: BlobStore, folders: JobFolders | Deliveries) -> None:
        self._database = database
        self._store = store
        self._folders = folders
        self._frames: dict[int, set[int]] = {}
        self._jobs: set[int] = set()
        self._whole_jobs: set[int] = set()
        self._news = asyncio.Event()

    def hear(self, told: Iterable[Told]) -> None:
        """Note what to do; for :meth:`farm.database.reader.EventReader.listen`."""
        for event in told:
            # Each process shows what it committed itself; else all would do the same work.
            if event.job is None or event.writer != self._database.writer_number:
                continue
            done = event.data.get("ranges", {}).get(FrameState.DONE)
            if done:
                self._frames.setdefault(event.job, set()).update(FrameRange.parse(done))
            elif event.kind == "job" and _changes_source(event.data):
                self._jobs.add(event.job)
        if self._frames or self._jobs:
            self._news.set()

    async def run(self) -> None:
        """Make what a crash prevented, then show what is heard of, for ever."""
        await self._tried(self.remake)
        while True:
            await self._news.wait()
            # People look at folders: what ends within a blink is shown together.
            await asyncio.sleep(BLINK)
            self._news.clear()
            await self._tried(self.settle)

    async def _tried(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Exception:  # whatever the database has, later results must be shown
            log.warning("Jobs' folders can't be kept; the next start makes them again.", exc_info=True)

    async def settle(self) -> None:
        """Show what was heard of until now."""
        whole_now, self._whole_jobs = self._whole_jobs, set()
        for job in whole_now:
            if not await self._kept(self._whole, job):
                self._whole_jobs.add(job)
        jobs_now, self._jobs = self._jobs, set()
        frames_now, self._frames = self._frames, {}
        for job in jobs_now:
            if not await self._kept(self._job, job):
                self._jobs.add(job)
        for job, numbers in frames_now.items():
            if not await self._kept(self._results, job, numbers):
                self._frames.setdefault(job, set()).update(numbers)
        self._try_again()

    def _try_again(self) -> None:
        if self._jobs or self._frames or self._whole_jobs:
            asyncio.get_running_loop().call_later(AGAIN, self._news.set)

    async def remake(self) -> None:
        """Make all that is missing, and remove what was deleted: once, when the server starts."""
        states = await self._database.read(_states)
        for job, state in states.items():
            if state not in _WITHOUT and not await self._kept(self._whole, job):
                self._whole_jobs.add(job)
        self._try_again()
        for job in await asyncio.to_thread(lambda: list(self._folders.jobs())):
            if states.get(job) == JobState.DELETED:
                await asyncio.to_thread(self._folders.remove, job)

    async def _kept(self, show: Any, job: int, *more: Any) -> bool:
        """Do it; tell whether it worked. A fault is logged, since nothing but people's eyes depends on a view."""
        try:
            await show(job, *more)
        except OSError as error:
            log.warning("A job's folder can't be kept; it is tried again.", job=job, reason=str(error))
            return False
        return True

    async def _whole(self, job: int) -> None:
        await self._job(job)
        outputs = await self._database.read(partial(_outputs, job=job, numbers=None))
        await self._show(job, await asyncio.to_thread(self._folders.unshown, job, outputs))

    async def _job(self, job: int) -> None:
        state, source, digest = await self._database.read(partial(_source, job=job))
        if state == JobState.DELETED:
            await asyncio.to_thread(self._folders.remove, job)
        elif digest is not None:
            await asyncio.to_thread(self._folders.show_source, job, source, self._store.local(digest.hex()))
        else:
            await asyncio.to_thread(self._folders.hide_source, job, source)

    async def _results(self, job: int, numbers: set[int]) -> None:
        ordered = sorted(numbers)
        for at in range(0, len(ordered), AT_ONCE):
            some = ordered[at : at + AT_ONCE]
            await self._show(job, await self._database.read(partial(_outputs, job=job, numbers=some)))

    async def _show(self, job: int, outputs: list[_Output]) -> None:
        def links() -> None:
            for name, digest in outputs:
                self._folders.show_output(job, name, self._store.local(digest.hex()))

        await asyncio.to_thread(links)


def _changes_source(data: Mapping[str, Any]) -> bool:
    return data.get("state") in {JobState.QUEUED, JobState.DELETED} or "let_go" in data.get("changed", ())


def _states(conn: Connection) -> dict[int, str]:
    return {row.number: row.state for row in conn.execute(select(jobs.c.number, jobs.c.state))}


def _source(conn: Connection, job: int) -> tuple[str, str, bytes | None]:
    row = conn.execute(select(jobs.c.state, jobs.c.source, jobs.c.let_go).where(jobs.c.number == job)).one()
    wanted = select(job_files.c.hash).where(job_files.c.job == job, job_files.c.path == row.source)
    digest = conn.execute(wanted.limit(1)).scalar() if row.let_go is None else None
    return row.state, row.source, digest


def _outputs(conn: Connection, job: int, numbers: Collection[int] | None) -> list[_Output]:
    result = and_(
        frames.c.job == result_files.c.job,
        frames.c.number == result_files.c.frame,
        frames.c.result_attempt == result_files.c.attempt,
    )
    query = select(result_files.c.name, result_files.c.hash).join(frames, result)
    query = query.where(result_files.c.job == job, result_files.c.role == OUTPUT)
    if numbers is not None:
        query = query.where(result_files.c.frame.in_(numbers))
    return [(row.name, row.hash) for row in conn.execute(query.order_by(result_files.c.frame))]
