"""`/me`: one's own account: what it stores, and where it is logged in."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from farm.accounts import logins, users
from farm.accounts.slaveviews import views
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.words.clock import now
from farm.words.errors import NotFound

router = APIRouter()


@router.get("/me")
async def me(request: Request, user: User, farm: Farm) -> Response:
    """Show who one is to this server."""
    view = await farm.database.read(partial(users.view, user=user.id))
    held = await farm.database.read(partial(logins.of_user, user=user.id, at=now()))
    mine = await farm.database.read(partial(views, server=farm.name, owner=user.id))
    return page(request, "me.html", user=view, logins=held, here=user.token, slaves=mine)


@router.post("/me/logins/{token}/revoke")
async def revoke(token: str, request: Request, user: User, farm: Farm) -> Response:
    """Void one of one's own logins."""
    named = _hash(token)

    def do(conn: Connection) -> bool:
        return logins.revoke_of(conn, user.id, named)

    if not await farm.database.write(do):
        raise NotFound("There is no such login of yours; it may have been revoked before.")
    farm.authenticator.forget(named)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/me", 303)


def _hash(token: str) -> bytes:
    try:
        return bytes.fromhex(token[:100])
    except ValueError as error:
        raise NotFound("This names no login.") from error
