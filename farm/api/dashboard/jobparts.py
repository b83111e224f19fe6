"""`/jobs/12/play`, `/jobs/12/timeline`, `/jobs/12/settings`: a job, looked at from other sides."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from farm.api.dashboard.lanes import drawn
from farm.api.dashboard.rendering import page
from farm.api.dashboard.verbs import verbs
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs.access import Asker
from farm.jobs.chain import chain
from farm.jobs.framemap import all_pictured
from farm.jobs.jobviews import job_view
from farm.jobs.timeline import timeline
from farm.words.clock import now

router = APIRouter(prefix="/jobs/{job}")


@router.get("/play")
async def play(job: Number, request: Request, user: User, farm: Farm) -> Response:
    """Play the pictures that are there, as the film that they will be."""
    who = asker(user, farm.settings)
    shown = await farm.database.read(partial(all_pictured, asker=who, job=job))
    return await part(job, "play.html", request, farm, who, pictures=shown)


@router.get("/timeline")
async def times(job: Number, request: Request, user: User, farm: Farm) -> Response:
    """Show which slave rendered what when, and where slots had nothing to do."""
    who = asker(user, farm.settings)
    found = await farm.database.read(partial(timeline, asker=who, job=job, at=now()))
    return await part(job, "timeline.html", request, farm, who, timeline=found and drawn(found))


@router.get("/settings")
async def settings(job: Number, request: Request, user: User, farm: Farm) -> Response:
    """Show what was asked for, the parameter sets, and which jobs wait for which."""
    who = asker(user, farm.settings)
    levels = await farm.database.read(partial(chain, asker=who, job=job))
    return await part(job, "settings_of_job.html", request, farm, who, levels=levels)


async def part(number: int, template: str, request: Request, farm: Farm, who: Asker, **given: Any) -> Response:
    """Return a page that shows a job from one side."""
    job = await farm.database.read(partial(job_view, asker=who, job=number, server=farm.name, at=now()))
    return page(request, template, job=job, verbs=verbs(job.state), address=str(request.url.query), **given)
