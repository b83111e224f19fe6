"""Why a job or a frame waits; an admin's word on what comes first; what admins did."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.engine import Connection

from farm.accounts import deeds
from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs import rushes, whys
from farm.jobs.jobviews import job_view
from farm.protocol.jobs import JobView
from farm.protocol.why import DeedView, Rush, WhyView
from farm.scheduler.fairness import ALONE, FIRST
from farm.words.clock import now

router = APIRouter(prefix="/api", tags=["jobs"])


@router.get("/jobs/{job}/why", summary="Why a job waits")
async def why_job(job: Number, farm: Farm, user: User) -> WhyView:
    """Say why frames of a job wait, in words."""
    who = asker(user, farm.settings)
    return await farm.database.read(partial(whys.why_job, asker=who, job=job, server=farm.name, at=now()))


@router.get("/jobs/{job}/frames/{frame}/why", summary="Why a frame waits, or was given to a slave")
async def why_frame(job: Number, frame: Number, farm: Farm, user: User) -> WhyView:
    """Say why a frame waits, and of each slave that got it, why it was this frame's turn."""
    ask = partial(whys.why_frame, asker=asker(user, farm.settings), job=job, number=frame)
    return await farm.database.read(partial(ask, server=farm.name, at=now()))


@router.put("/jobs/{job}/first", summary="Do this job first (admins)")
async def put_first(job: Number, wish: Rush, farm: Farm, admin: Admin) -> JobView:
    """Let a job come before all others, or hold all others until it is done; on record."""
    who, rush = asker(admin, farm.settings), ALONE if wish.hold_others else FIRST
    await farm.database.write(partial(rushes.say, admin=who, job=job, rush=rush, at=now()))
    return await farm.database.read(partial(job_view, asker=who, job=job, server=farm.name, at=now()))


@router.delete("/jobs/{job}/first", summary="Take that back (admins)")
async def put_back(job: Number, farm: Farm, admin: Admin) -> JobView:
    """Let a job come in its turn again; on record."""
    who = asker(admin, farm.settings)
    await farm.database.write(partial(rushes.say, admin=who, job=job, rush=0, at=now()))
    return await farm.database.read(partial(job_view, asker=who, job=job, server=farm.name, at=now()))


@router.get("/deeds", summary="Who did what (admins)", tags=["accounts"])
async def list_deeds(admin: Admin, db: Db, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[DeedView]:
    """List what users did to others' jobs, and admins to the farm, newest first."""

    def query(conn: Connection) -> list[DeedView]:
        return deeds.views(conn, limit)

    return await db.read(query)
