"""`/me`: one's own account: what it stores, and where it is logged in."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection

from farm.accounts import friends, ledgerviews, logins, notices, users
from farm.accounts.slaveviews import views
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number
from farm.api.notifications import endpoints as api
from farm.api.users import endpoints as accounts
from farm.protocol.accounts import ChangePassphrase
from farm.protocol.notifications import MakeNotification
from farm.words import faults
from farm.words.clock import now
from farm.words.errors import Malformed, NotFound
from farm.words.notices import CHOICES, Way

router = APIRouter()

ROWS = 30
"""Rows of the ledger on a page."""


@router.get("/me")
async def me(
    request: Request, user: User, farm: Farm, after: Annotated[str | None, Query(max_length=60)] = None
) -> Response:
    """Show who one is to this server."""
    view = await farm.database.read(partial(users.view, user=user.id))
    held = await farm.database.read(partial(logins.of_user, user=user.id, at=now()))
    mine = await farm.database.read(partial(views, server=farm.name, owner=user.id))
    wanted = await farm.database.read(partial(notices.of_user, user=user.id))
    ways = [way for way in Way if way is not Way.MAIL or farm.settings.smtp_host]
    told: dict[str, Any] = {"wanted": wanted, "ways": ways, "choices": CHOICES}
    told["points"] = await farm.database.read(partial(ledgerviews.view, user=user.id, name=user.name))
    rows = partial(ledgerviews.page, user=user.id, server=farm.name, after=after, limit=ROWS)
    told["ledger"] = await farm.database.read(rows)
    told["friends"] = await farm.database.read(partial(friends.view, user=user))
    return page(request, "me.html", user=view, logins=held, here=user.token, slaves=mine, **told)


@router.post("/me/notifications")
async def hear(
    request: Request,
    user: User,
    farm: Farm,
    way: Annotated[str, Form(max_length=20)] = "",
    address: Annotated[str, Form(max_length=1000)] = "",
    about: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Hear of something from now on."""
    try:
        wish = MakeNotification.model_validate({"way": way, "address": address.strip(), "about": about})
    except ValidationError as error:
        said = faults.first(error)
        raise Malformed(f"This can't be a notification: {said}.", hint="Tick what you want to hear of.") from error
    await api.make(wish, user, farm)
    return _back(request)


@router.post("/me/notifications/{number}/{verb}")
async def change(number: Number, verb: str, request: Request, user: User, farm: Farm) -> Response:
    """Try a notification, or remove it."""
    if verb == "test":
        await api.test(number, user, farm)
    elif verb == "remove":
        await api.remove(number, user, farm.database)
    else:
        raise NotFound(f"Nobody can {verb[:30]} a notification.")
    return _back(request)


@router.post("/me/passphrase")
async def passphrase(
    request: Request,
    user: User,
    farm: Farm,
    old: Annotated[str, Form(max_length=2000)] = "",
    new: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Choose a new passphrase; all other logins end."""
    try:
        wish = ChangePassphrase.model_validate({"old": old, "new": new})
    except ValidationError as error:
        raise Malformed(f"This can't be a passphrase: {faults.in_words(error.errors()[0])}.") from error
    await accounts.change_passphrase(wish, request, user, farm)
    return _back(request)


@router.post("/me/logins/{token}/revoke")
async def revoke(token: str, request: Request, user: User, farm: Farm) -> Response:
    """Void one of one's own logins."""
    named = _hash(token)

    def do(conn: Connection) -> bool:
        return logins.revoke_of(conn, user.id, named)

    if not await farm.database.write(do):
        raise NotFound("There is no such login of yours; it may have been revoked before.")
    farm.authenticator.forget(named)
    return _back(request)


def _back(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/me", 303)


def _hash(token: str) -> bytes:
    try:
        return bytes.fromhex(token[:100])
    except ValueError as error:
        raise NotFound("This names no login.") from error
