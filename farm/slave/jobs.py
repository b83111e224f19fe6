"""The jobs that this slave has frames of: their sheets, their files, and what was found out about them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from farm.methods.parameters import merged
from farm.methods.registry import method
from farm.protocol.slaves import JobSheet
from farm.slave.cache import BlobCache
from farm.slave.coldcheck import ColdCheck
from farm.slave.held import Held
from farm.slave.limits import Allowance
from farm.slave.link import Link
from farm.slave.retry import patiently
from farm.slave.tree import JobTree
from farm.words.ranges import Places, places
from farm.words.steps import Step

log = structlog.get_logger(__name__)

KEPT = 600.0
"""Seconds that a job's tree stays after its last frame here."""


@dataclass(eq=False, slots=True)
class JobHere:
    """A job on this slave. `seconds`: those of its last frames here; `depends`: frames that need files of others."""

    sheet: JobSheet
    tree: JobTree
    cold: ColdCheck = field(default_factory=ColdCheck)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    used: float = field(default_factory=time.monotonic)
    depends: Places = field(init=False)

    def __post_init__(self) -> None:
        self.depends = places(self.sheet.depends)

    @property
    def allowance(self) -> Allowance:
        """When its frames count as hung."""
        return Allowance.of(self.sheet.limits, self.sheet.defaults, self.seconds)

    def sheet_for(self, frame: Held) -> JobSheet:
        """Return the sheet with the settings that a frame is rendered with."""
        sheet = self.sheet
        if not sheet.sets:
            return sheet
        description = method(sheet.method).describe()
        settings = merged(description, sheet.settings, sheet.sets, frame.set, frame.picture)
        return sheet.model_copy(update={"settings": settings})


class Jobs:
    """The jobs by number."""

    def __init__(self, link: Link, cache: BlobCache, folder: Path) -> None:
        self._link = link
        self._cache = cache
        self._folder = folder
        self._here: dict[int, JobHere] = {}
        self._left: list[JobHere] = []
        self._locks: dict[int, asyncio.Lock] = {}

    async def get(self, frame: Held) -> JobHere:
        """Return a frame's job; asks the server for it when it is new or was changed."""
        async with self._locks.setdefault(frame.job, asyncio.Lock()):
            here = self._here.get(frame.job)
            if here is None or here.sheet.revision < frame.revision:
                here = await self._fetch(frame.job)
            here.used = time.monotonic()
            frame.called = here.sheet.called
            return here

    async def prepare(self, frame: Held) -> JobHere:
        """Return a frame's job with all files in place that the frame needs."""
        began = time.monotonic()
        here = await self.get(frame)
        try:
            await here.tree.ensure(frame.picture)
            if frame.number in here.depends:
                await self._lay(here, frame)
        except BaseExceptionGroup as group:
            # One error stands for all: a frame fails once.
            raise first_of(group) from group
        # Whoever asks later finds all in place: the first to ask is the one who waited.
        frame.trace.note(Step.FETCH, began, time.monotonic())
        return here

    async def _lay(self, here: JobHere, frame: Held) -> None:
        """Lay the files of the frames that a frame waited for; asked anew each time: they may have been done again."""
        what = f"files that {frame.title} needs of other frames"
        found = await patiently(partial(self._link.required, frame.job, frame.number), what)
        await here.tree.lay(found.frames, found.files)
        frame.required = tuple(found.frames)

    async def _fetch(self, job: int) -> JobHere:
        sheet = await patiently(partial(self._link.sheet, job), f"sheet of job {job}")
        root = self._folder / f"{job}-{sheet.revision}"
        here = JobHere(sheet, JobTree(root, sheet.files, partial(self._blob, job)))
        if job in self._here:
            # A renderer may still have the older files open.
            self._left.append(self._here[job])
        self._here[job] = here
        log.info("Job begins here", job=sheet.called, name=sheet.name, method=sheet.method, files=len(sheet.files))
        return here

    async def _blob(self, job: int, sha256: str, size: int) -> Path:
        async def fetch(target: Path) -> None:
            await patiently(partial(self._link.fetch_blob, sha256, job, target), f"file of job {job}")

        return await self._cache.get(sha256, size, fetch)

    async def tidy(self, needed: set[int], kept: float = KEPT) -> list[int]:
        """Remove the trees of jobs that are no longer needed; return those jobs.

        Args:
            needed: jobs with frames or sessions here.
            kept: seconds that trees stay after their last frame.
        """
        old = time.monotonic() - kept
        gone = [job for job, here in self._here.items() if job not in needed and here.used < old]
        for job in gone:
            await self._here.pop(job).tree.remove()
            self._locks.pop(job, None)
        for here in [h for h in self._left if h.used < old]:
            self._left.remove(here)
            await here.tree.remove()
        return gone


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one error of a group, however deep."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
