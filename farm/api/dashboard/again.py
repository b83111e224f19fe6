"""`/jobs/12/again`: a job once more, with other frames, settings or name."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker, methods, rules
from farm.jobs.again import former, settings_of, submit_again
from farm.peers.dependencies import asking
from farm.words.clock import now

router = APIRouter(prefix="/jobs/{job}/again")

Told = Annotated[list[str], Form(max_length=200)]


@router.get("")
async def ask(job: Number, request: Request, user: User, farm: Farm) -> Response:
    """Show what was asked for, to be changed."""
    was = await farm.database.read(partial(former, asker=asker(user, farm.settings), job=job))
    settings = {name: value if isinstance(value, str) else json.dumps(value) for name, value in was.settings.items()}
    known = {one.name for one in methods()[was.requires.method].settings} - set(settings)
    return page(request, "again.html", job=job, was=was, settings=settings, known=sorted(known))


@router.post("")
async def submit(
    job: Number,
    request: Request,
    user: User,
    farm: Farm,
    name: Annotated[str, Form(max_length=1000)],
    frames: Annotated[str, Form(max_length=100_000)],
    priority: Annotated[int, Form()] = 50,
    setting: Told = [],  # noqa: B006 - FastAPI copies it
    value: Told = [],  # noqa: B006 - the same
    paused: Annotated[bool, Form()] = False,
) -> Response:
    """Make the new job, and show it."""
    changes: dict[str, Any] = {"name": name, "frames": frames, "priority": priority, "paused": paused}
    changes["settings"] = settings_of(setting, value)
    who, settings = asker(user, farm.settings), farm.settings
    limits, elsewhere = rules(settings), asking(farm.peering, user)
    made = await submit_again(farm.database, who, job, changes, methods(), limits, farm.name, now(), elsewhere)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{made}", 303)
