"""Fetch the next frames' files while the current ones render."""

from __future__ import annotations

import asyncio

import structlog

from farm.slave.held import Held, Stage
from farm.slave.jobs import Jobs
from farm.words.errors import DistrenError

log = structlog.get_logger(__name__)


class Prefetch:
    """Works through waiting frames in order; a frame that a slot took fetches for itself."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, frames: list[Held]) -> None:
        """Have the files of a lease's frames fetched."""
        task = asyncio.create_task(self._fetch(frames))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fetch(self, frames: list[Held]) -> None:
        for frame in frames:
            if frame.revoked or frame.stage is not Stage.QUEUED:
                continue
            try:
                await self._jobs.prepare(frame)
            except (DistrenError, OSError) as error:
                # The frame will meet the same trouble when its turn comes, and then says so.
                log.debug("Fetching ahead failed", frame=str(frame), error=str(error))
                return
