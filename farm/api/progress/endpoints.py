"""`/api/jobs/12/progress`: a line of plain text whenever something happened, until the job has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from farm.api.dependencies import Farm, User
from farm.api.events.endpoints import until_stopped
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.jobs.access import Asker
from farm.jobs.jobviews import job_view
from farm.protocol.jobs import JobView
from farm.words.clock import now
from farm.words.errors import JobNotFound
from farm.words.states import JobState

router = APIRouter(prefix="/api/jobs/{job}", tags=["jobs"])

PAUSE = 0.5
"""Seconds between two lines: frames may end by the hundred."""

ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


@router.get(
    "/progress",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {"example": "job 12 “film” is rendering: 3 of 120 frames are done\n"}}}},
)
async def follow_progress(job: Number, farm: Farm, user: User) -> StreamingResponse:
    """Follow a job to its end as lines of text: `curl -N`. The first line comes at once."""
    who = asker(user, farm.settings)
    since = farm.reader.place
    view = await farm.database.read(partial(job_view, asker=who, job=job, server=farm.name, at=now()))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
    lines = _lines(farm, who, view, since)
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


async def _lines(farm: Services, who: Asker, view: JobView, since: object) -> AsyncIterator[str]:
    said = line(view)
    yield said
    if view.state in ENDED:
        return
    async with contextlib.aclosing(until_stopped(farm, since)) as told:  # type: ignore[arg-type]
        async for event in told:
            if event is not None and event.job != view.job and event.kind != "reset":
                continue
            await asyncio.sleep(PAUSE)
            try:
                view = await farm.database.read(partial(job_view, asker=who, job=view.job, server=farm.name, at=now()))
            except JobNotFound:
                yield f"job {view.job} was deleted\n"
                return
            if line(view) != said:
                said = line(view)
                yield said
            if view.state in ENDED:
                return


def line(view: JobView) -> str:
    """Return how a job is, for people."""
    counts = view.counts
    parts = [f"{counts.done} of {counts.total} frames are done"]
    parts += [f"{counts.leased} are being rendered"] if counts.leased else []
    parts += [f"{counts.failed} failed"] if counts.failed else []
    parts += [f"{counts.canceled} are canceled"] if counts.canceled else []
    parts += [f"about {view.eta_seconds:.0f} s are left"] if view.eta_seconds and view.state not in ENDED else []
    reasons = [*view.waiting[:1], *([view.message] if view.message else [])]
    return " — ".join([f"job {view.job} “{view.name}” is {view.state}: {', '.join(parts)}", *reasons]) + "\n"
