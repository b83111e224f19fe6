"""On what terms the farm is shared: seen by all, changed by admins."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, status

from farm.api.dependencies import Admin, Farm, User
from farm.api.jobs.parts import asker
from farm.jobs import shares
from farm.protocol.shares import SharesView, ShareTerms, UserShareWish
from farm.words.clock import now

router = APIRouter(prefix="/api/shares", tags=["accounts"])


@router.get("", summary="How the farm is shared")
async def see(user: User, farm: Farm) -> SharesView:
    """Return the terms on which the farm is shared."""
    return await farm.database.read(partial(shares.view, asker=asker(user, farm.settings), at=now()))


@router.put("", status_code=status.HTTP_204_NO_CONTENT, summary="Share it otherwise (admins)")
async def change(wish: ShareTerms, admin: Admin, farm: Farm) -> None:
    """Change the terms; on record."""
    await farm.database.write(partial(shares.change, admin=asker(admin, farm.settings), wish=wish, at=now()))


@router.put("/{user}", status_code=status.HTTP_204_NO_CONTENT, summary="A user's weight and slots (admins)")
async def change_user(user: str, wish: UserShareWish, admin: Admin, farm: Farm) -> None:
    """Change how much of the farm a user gets beside others, or may hold; on record."""
    who = asker(admin, farm.settings)
    await farm.database.write(partial(shares.change_user, admin=who, name=user, wish=wish, at=now()))
