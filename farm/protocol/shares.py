"""On what terms the farm is shared."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from farm.protocol.base import Answer, Request


class ShareTerms(Request):
    """New terms; None leaves as it is."""

    half_life_minutes: float | None = Field(None, ge=10, le=7 * 1440, description="After which work counts half.")
    points_weight: float | None = Field(
        None,
        ge=0,
        le=10,
        description="How much ten times as many points add to a user's weight; 0: points don't count.",
    )
    unserved_minutes: float | None = Field(
        None, ge=1, le=1440, description="Without a slot, after which a waiting user is next."
    )


class UserShareWish(Request):
    """What an admin says of a user's share; None leaves as it is."""

    weight: float | None = Field(None, gt=0, le=1000, description="How much more of the farm is theirs; usually 1.")
    slots: int | None = Field(
        None, ge=0, le=1_000_000, description="That their jobs may hold at a time; 0: as many as others."
    )


class UserShare(Answer):
    """A user's share. `weight`: an admin's word; `points`: what their points make of it; `slots` None: as others."""

    name: str
    weight: float
    points: float
    slots: int | None


class SharesView(Answer):
    """The terms in force, and the half-life to come, if that is to be another one from a time on.

    `users`: those with a share of their own, for points or by an admin's word; for admins.
    """

    half_life_minutes: float
    points_weight: float
    unserved_minutes: float
    next_half_life_minutes: float | None = None
    next_from: datetime | None = None
    users: list[UserShare] = []
