"""`/jobs/12` and `/jobs/12/3`: a job, a frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.engine import Connection

from farm.api.dashboard.charts import bars
from farm.api.dashboard.compare import SHOWN
from farm.api.dashboard.framerows import frame_rows
from farm.api.dashboard.logs import tail
from farm.api.dashboard.rendering import page
from farm.api.dashboard.verbs import verbs
from farm.api.dashboard.views import SUFFIX, layers
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs import frameviews, timing
from farm.jobs.access import Asker
from farm.jobs.framemap import frame_map, memories, neighbours, pictured
from farm.jobs.frameviews import frame_page, frame_view
from farm.jobs.jobviews import job_view
from farm.protocol.jobs import FrameView, JobView
from farm.scheduler.waiting import Look
from farm.words.clock import now

router = APIRouter()

T = TypeVar("T")

PICTURES = 48
"""Thumbnails on a job's page at once."""

TAIL = 20_000
"""Bytes of a log's end on a frame's page; the whole is a link away."""


@router.get("/jobs/{job}")
async def show(
    job: Number,
    request: Request,
    user: User,
    farm: Farm,
    first: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    state: Annotated[str, Query(max_length=100)] = "",
    named: Annotated[str, Query(max_length=100, alias="set")] = "",
) -> Response:
    """Show a job: how far it is, why it waits, its frames as a map, the pictures so far."""
    who = asker(user, farm.settings)
    wanted = frameviews.Filter(state, named, after=None if first is None else first - 1, limit=PICTURES)
    part = partial(frame_page, wanted=wanted)
    view, frames = await farm.database.read(partial(_with_job, asker=who, job=job, server=farm.name, part=part))
    pairs = [(job, frame.frame) for frame in frames.frames]
    seen = await farm.database.read(partial(pictured, wanted=pairs))
    cells = await farm.database.read(partial(frame_map, asker=who, job=job))
    shown: dict[str, Any] = {"frames": frames.frames, "next": frames.next}
    shown["times"] = bars({frame.frame: frame.seconds for frame in frames.frames if frame.seconds is not None})
    measured = partial(memories, job=job, numbers=[frame.frame for frame in frames.frames])
    shown["memory"] = bars(await farm.database.read(measured))
    chosen: dict[str, Any] = {"chosen": state, "named": named, "first": first, "address": str(request.url.query)}
    return page(
        request,
        "job.html",
        job=view,
        verbs=verbs(view.state),
        map=frame_rows(cells),
        pictured={number for _, number in seen},
        **chosen,
        **shown,
    )


@router.get("/jobs/{job}/{frame}")
async def show_frame(job: Number, frame: Number, request: Request, user: User, farm: Farm) -> Response:
    """Show a frame: its picture, its files, who tried it, where its time went."""
    who = asker(user, farm.settings)
    part = partial(frame_view, number=frame)
    owner, view = await farm.database.read(partial(_with_job, asker=who, job=job, server=farm.name, part=part))
    times = await farm.database.read(partial(timing.frame_timing, asker=who, job=job, number=frame, server=farm.name))
    seen = await farm.database.read(partial(pictured, wanted=[(job, frame)]))
    before, after = await farm.database.read(partial(neighbours, job=job, frame=frame))
    light = next((file for file in view.files if file.name.lower().endswith(SUFFIX)), None)
    beside: dict[str, Any] = {"before": before, "after": after, "light": light, "layers": await layers(farm, light)}
    log = await tail(farm, who, job, frame, None, TAIL) if any(one.has_log for one in view.attempts) else ""
    return page(
        request,
        "frame.html",
        job=owner,
        frame=view,
        picture=_picture(view, thumbnail=bool(seen)),
        timing=times,
        log=log,
        **beside,
    )


def _with_job(conn: Connection, asker: Asker, job: int, server: str, part: Callable[..., T]) -> tuple[JobView, T]:
    """Return a job and a part of it, by one look at the farm."""
    at = now()
    look = Look(conn, at, server)
    view = job_view(conn, asker, job, server, at, look)
    return view, part(conn, asker, job, server=server, at=at, look=look)


def _picture(frame: FrameView, *, thumbnail: bool) -> str:
    """Return the address of what shows a frame best, below the job's in the API; '' if nothing does yet."""
    for file in frame.files:
        if file.name.lower().endswith(SHOWN):
            return f"output/{frame.frame}/{file.name}"
    return f"frames/{frame.frame}/thumbnail" if thumbnail else ""
