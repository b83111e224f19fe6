"""Notifications: ask for them, try them, remove them."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, status

from farm.accounts import notices
from farm.api.dependencies import Db, Farm, User
from farm.protocol.notifications import MakeNotification, NotificationView
from farm.words import clock
from farm.words.errors import Conflict
from farm.words.notices import Way

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

Which = Annotated[int, Path(ge=1, le=2**62)]


@router.get("", summary="List your notifications")
async def list_notifications(user: User, db: Db) -> list[NotificationView]:
    """Return what the user wants to hear of, and how the last try went."""
    return await db.read(partial(notices.of_user, user=user.id))


@router.post("", status_code=status.HTTP_201_CREATED, summary="Hear of something")
async def make(wish: MakeNotification, user: User, farm: Farm) -> NotificationView:
    """Let the user hear of something; the secret signs what a webhook gets."""
    if wish.way is Way.MAIL and not farm.settings.smtp_host:
        raise Conflict("This server sends no mail.", hint="An admin can set smtp_host.")
    given = partial(notices.subscribe, user=user.id, way=wish.way, address=wish.address, about=list(wish.about))
    made = await farm.database.write(partial(given, secret=secrets.token_urlsafe(24), at=clock.now()))
    mine = await farm.database.read(partial(notices.of_user, user=user.id))
    return next(one for one in mine if one.id == made)


@router.post("/{number}/test", status_code=status.HTTP_202_ACCEPTED, summary="Try a notification")
async def test(number: Which, user: User, farm: Farm) -> None:
    """Say something that means nothing; the list tells soon whether it arrived."""
    await farm.database.write(partial(notices.test, user=user.id, number=number, server=farm.name, at=clock.now()))


@router.delete("/{number}", status_code=status.HTTP_204_NO_CONTENT, summary="Remove a notification")
async def remove(number: Which, user: User, db: Db) -> None:
    """Hear of it no more, nor of what was still to be said."""
    await db.write(partial(notices.unsubscribe, user=user.id, number=number))
