"""`/users`: people, invites, and the record of who did what. For admins."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts import deeds
from farm.api.accounts.endpoints import invite
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Admin, Farm
from farm.api.users import endpoints as api
from farm.protocol.accounts import MakeInvite, Standing
from farm.words.errors import NotFound

router = APIRouter()

DEEDS = 100
"""Deeds on the page, the newest ones."""


@router.get("/users")
async def users(request: Request, admin: Admin, farm: Farm) -> Response:
    """List users, and what was done last."""
    everyone = await api.list_users(admin, farm.database)
    done = await farm.database.read(partial(deeds.views, limit=DEEDS))
    return page(request, "users.html", users=everyone, deeds=done)


@router.post("/users")
async def admit(request: Request, admin: Admin, farm: Farm) -> Response:
    """Make an invite code, and show it this once."""
    made = await invite(MakeInvite(), admin, farm.database)
    return page(request, "code.html", title="An invite", code=made.code, expires=made.expires, use="register")


@router.post("/users/{name}/{verb}")
async def change(
    name: str, verb: str, request: Request, admin: Admin, farm: Farm, sure: Annotated[bool, Form()] = False
) -> Response:
    """Make a recovery code for a user; keep them out, or let them in."""
    if verb == "recover":
        made = await api.make_recovery(name, admin, farm.database)
        return page(request, "code.html", title=f"For {made.user}", code=made.code, expires=made.expires, use="recover")
    if verb == "disable" and not sure:
        return page(request, "sure.html", question=_disabling(name))
    if verb not in {"disable", "enable"}:
        raise NotFound(f"Nobody can {verb[:30]} a user here.")
    await api.set_standing(name, Standing(disabled=verb == "disable"), admin, farm)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/users", 303)


def _disabling(name: str) -> Question:
    becomes = "They and their slaves are kept out at once, and their jobs are paused. You can let them in again."
    return Question("disable", f"Keep {name[:40]} out?", becomes, f"/users/{name}/disable", "/users")
