"""`/me/…`: one's points day by day, and whom one counts as friends."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts.leaders import by_day
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.friends import endpoints as api
from farm.protocol.terms import MakeFriend
from farm.protocol.typed import message
from farm.words.clock import moment, now

router = APIRouter(prefix="/me")

DAYS = 30
"""Days on the page."""


@router.get("/points")
async def points(request: Request, user: User, farm: Farm) -> Response:
    """Show what one earned, day by day."""
    found = await farm.database.read(partial(by_day, user=user.id, days=DAYS, at=now()))
    days = [(moment(began), milli) for began, milli in found]
    return page(request, "mypoints.html", days=days, most=max(milli for _, milli in days))


@router.post("/friends")
async def befriend(
    request: Request, user: User, farm: Farm, name: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Count a user as a friend."""
    await api.add(message(MakeFriend, name=name), user, farm.database)
    return _back(request)


@router.post("/friends/{name}/remove")
async def part(name: str, request: Request, user: User, farm: Farm) -> Response:
    """Count a user as a friend no more."""
    await api.remove(name, user, farm.database)
    return _back(request)


def _back(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/me#friends", 303)
