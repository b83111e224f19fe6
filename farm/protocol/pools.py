"""Pools of slaves, and tags."""

from __future__ import annotations

from pydantic import Field

from farm.protocol.base import Answer, PersonName, Request, Tag


class PoolWish(Request):
    """What a pool is to be: all of it, whatever it was.

    Its slaves render what names the pool, and what its users send without naming any; nothing else.
    """

    slaves: list[PersonName] = Field([], max_length=10_000)
    users: list[PersonName] = Field([], max_length=10_000, description="None: only what names the pool, by anybody.")


class PoolView(Answer):
    """A pool, as people see it."""

    name: str
    slaves: list[str]
    users: list[str]


class SlaveTags(Request):
    """The tags that an admin gives a slave, beside its own from slave.conf."""

    tags: list[Tag] = Field([], max_length=50)
