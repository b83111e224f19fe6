"""`/`: the farm at a glance."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.jobs.glance import glance
from farm.words.clock import now

router = APIRouter()


@router.get("/")
async def farm(request: Request, user: User, farm: Farm) -> Response:
    """Show what runs, what needs somebody, whose frames wait, and what was finished last."""
    who = asker(user, farm.settings)
    seen = await farm.database.read(partial(glance, asker=who, server=farm.name, at=now()))
    return page(request, "farm.html", seen=seen)
