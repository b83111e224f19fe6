"""`/jobs/12` and `/jobs/12/3`: a job, a frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from farm.api.dashboard.charts import bars
from farm.api.dashboard.compare import SHOWN
from farm.api.dashboard.logs import tail
from farm.api.dashboard.rendering import page
from farm.api.dashboard.verbs import verbs
from farm.api.dashboard.views import SUFFIX, layers
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs import bigmap, frameviews, timing
from farm.jobs.access import Asker
from farm.jobs.framemap import CELLS, memories, neighbours, pictured, states
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
    mapped = await farm.database.read(partial(_mapped, asker=who, view=view))
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
        **mapped,
        pictured={number for _, number in seen},
        **chosen,
        **shown,
    )


@router.get("/jobs/{job}/map.png")
async def picture_of_all(job: Number, user: User, farm: Farm) -> Response:
    """Return the picture of a large job's frames."""
    drawn = await farm.database.read(partial(bigmap.picture, asker=asker(user, farm.settings), job=job))
    return Response(drawn, media_type="image/png", headers={"cache-control": "private, max-age=5"})


@router.get("/jobs/{job}/map")
async def frame_at(job: Number, request: Request, user: User, farm: Farm) -> Response:
    """Lead from a pixel of that picture, as browsers name it (`?x,y`), to its frame."""
    x, _, y = request.url.query.partition(",")
    at = [int(part) if part.isdecimal() and len(part) < 9 else 0 for part in (x, y)]
    find = partial(bigmap.nearest, asker=asker(user, farm.settings), job=job, x=at[0], y=at[1])
    number = await farm.database.read(find)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{job}/{number}", 303)


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


def _mapped(conn: Connection, asker: Asker, view: JobView) -> dict[str, Any]:
    """Return what a job's map is drawn by; no frames are read one by one where there are too many for that."""
    counts = view.counts
    total = sum(number for _, number in counts)
    if total > CELLS:
        stamp = "-".join(str(number) for _, number in counts)
        return {"large": bigmap.shape(conn, asker, view.job), "stamp": stamp, "cells": []}
    return {"large": None, "stamp": "", "cells": states(conn, asker, view.job)}


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
