"""`/api/friends`: whom a user counts as friends."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, status

from farm.accounts import friends
from farm.api.dependencies import Db, User
from farm.protocol.terms import FriendsView, MakeFriend
from farm.words.clock import now

router = APIRouter(prefix="/api/friends", tags=["accounts"])


@router.get("", summary="Your friends")
async def listed(user: User, db: Db) -> FriendsView:
    """Return whom you count as friends, and who counts you."""
    return await db.read(partial(friends.view, user=user))


@router.post("", status_code=status.HTTP_201_CREATED, summary="Count a user as a friend")
async def add(wish: MakeFriend, user: User, db: Db) -> FriendsView:
    """Count a user as a friend: slaves of yours that accept `friends` render their jobs, too."""
    await db.write(partial(friends.add, user=user, name=wish.name, at=now()))
    return await db.read(partial(friends.view, user=user))


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="Count a user as a friend no more")
async def remove(name: str, user: User, db: Db) -> None:
    """Count a user as a friend no more; what renders for them on your slaves is finished."""
    await db.write(partial(friends.remove, user=user, name=name, at=now()))
