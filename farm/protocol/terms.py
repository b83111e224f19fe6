"""On which terms an owner lends a machine to the farm: how much of it, and to whom."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from farm.protocol.base import Answer, Label, PersonName, Request


class Accept(StrEnum):
    """Whose jobs a slave renders; each admits fewer than the one before."""

    ALL = "all"
    """Everybody's."""
    FRIENDS = "friends"
    """Its owner's, and those of users whom the owner counts as friends."""
    MINE = "mine"
    """Its owner's."""


class Terms(Request):
    """What an owner lends of a machine; what is not said is not limited.

    They come on top of what the machine's slave.conf says: of two limits, the stricter one counts.

    Args:
        cores: processors that renderers may use; 0: all.
        memory_bytes: the most memory of one renderer; 0: as slave.conf says.
        disk_bytes: that jobs' files may use; 0: as slave.conf says.
        cards: graphics cards may be used.
        accept: whose jobs it renders.
        methods: render methods; empty: all that it has.
    """

    cores: int = Field(0, ge=0, le=100_000)
    memory_bytes: int = Field(0, ge=0, le=2**62)
    disk_bytes: int = Field(0, ge=0, le=2**62)
    cards: bool = True
    accept: Accept = Accept.ALL
    methods: Annotated[list[Label], Field(max_length=20)] = []


class MakeFriend(Request):
    """Count a user as a friend: slaves that accept `friends` render their jobs, too."""

    name: PersonName


class FriendsView(Answer):
    """Whom a user counts as friends, and who counts them."""

    friends: list[str]
    of: list[str]
