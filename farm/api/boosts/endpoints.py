"""`/api/jobs/{job}/boost`: points for having a job rendered sooner."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs import boosts
from farm.jobs.jobviews import job_view
from farm.protocol.jobs import JobView
from farm.protocol.points import Boost, BoostView
from farm.words.clock import now

router = APIRouter(prefix="/api/jobs", tags=["points"])


@router.post("/{job}/boost/preview", summary="What a boost would cost and give")
async def preview_boost(job: Number, wish: Boost, farm: Farm, user: User) -> BoostView:
    """Say what a boost would cost, and how much sooner the job would be done; nothing is changed."""
    who = asker(user, farm.settings)
    return await farm.database.read(partial(boosts.preview, asker=who, job=job, wish=wish, at=now()))


@router.put("/{job}/boost", summary="Have a job rendered sooner, for points")
async def boost_job(job: Number, wish: Boost, farm: Farm, user: User) -> JobView:
    """Let the job's escrow hold these points; a repeated request changes nothing, 0 points end the boost.

    They are burnt as frames finish, 70 % of them to who renders; what is left when the job ends returns.
    """
    who = asker(user, farm.settings)
    await farm.database.write(partial(boosts.put, asker=who, job=job, wish=wish, at=now()))
    return await farm.database.read(partial(job_view, asker=who, job=job, server=farm.name, at=now()))
