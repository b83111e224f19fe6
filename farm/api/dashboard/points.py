"""`/jobs/12/points`: what a job is worth, and having it rendered sooner."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts import ledger
from farm.api.boosts.endpoints import boost_job
from farm.api.dashboard.jobparts import part
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs import boosts
from farm.protocol.points import MOST_POINTS, Boost
from farm.words.clock import now

router = APIRouter(prefix="/jobs/{job}/points")

MOST_BOOST = 15


@router.get("")
async def show(
    job: Number,
    request: Request,
    user: User,
    farm: Farm,
    points: Annotated[int | None, Query(ge=0, le=MOST_POINTS)] = None,
    boost: Annotated[int, Query(ge=1, le=MOST_BOOST)] = 1,
) -> Response:
    """Show a job's worth; with `points`, what these would change, before anything is spent."""
    who = asker(user, farm.settings)
    forecast = None
    if points is not None:
        wish = Boost(points=points, boost=boost)
        forecast = await farm.database.read(partial(boosts.preview, asker=who, job=job, wish=wish, at=now()))
    held = (await farm.database.read(partial(ledger.stored, number=ledger.escrow(job)))).milli
    mine = (await farm.database.read(partial(ledger.stored, number=user.id))).milli
    given = {"held": held, "balance": mine, "wish": (held // 1000 if points is None else points, boost)}
    return await part(job, "points.html", request, farm, who, forecast=forecast, **given)


@router.post("")
async def put(
    job: Number,
    request: Request,
    user: User,
    farm: Farm,
    points: Annotated[int, Form(ge=0, le=MOST_POINTS)],
    boost: Annotated[int, Form(ge=1, le=MOST_BOOST)] = 1,
) -> Response:
    """Do it."""
    await boost_job(job, Boost(points=points, boost=boost), farm, user)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{job}/points", 303)
