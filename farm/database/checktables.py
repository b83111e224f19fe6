"""The tables of spot checks: frames of strangers' slaves that are rendered once more elsewhere, in part."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, HASH, LONG_TEXT, text

BUILD = 300
"""Characters of a renderer's method, version and build."""


class SpotCheck(SQLModel, table=True):
    """A check of one result. `state`: of :class:`farm.words.checks.CheckState`; `said`: why, in words.

    `name`: of the picture that is compared, and `picture` its blob, kept for it. `tile`: which part of it, as
    `grid/number`; empty: the whole.
    `work`: the job by which it is rendered again; NULL: none now. `drawn`: JSON, who drew what so far.
    If it is doubted, `other` is what the last of these drew, and `build` the renderer that the slave named.
    """

    attempt: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    slave: int = Field(sa_type=BIG, foreign_key="slave.id", index=True)
    job: int = Field(sa_type=BIG)
    frame: int = Field(sa_type=BIG)
    at: int = Field(sa_type=BIG)
    state: str = Field(sa_type=text(16), index=True)
    picture: bytes | None = Field(default=None, sa_type=HASH, index=True)
    name: str = Field(default="", sa_type=text(500))
    tile: str = Field(default="", sa_type=text(32))
    work: int | None = Field(default=None, sa_type=BIG, index=True)
    drawn: str = Field(default="[]", sa_type=LONG_TEXT)
    said: str = Field(default="", sa_type=LONG_TEXT)
    other: bytes | None = Field(default=None, sa_type=HASH, index=True)
    build: str = Field(default="", sa_type=text(BUILD))


class TrustedBuild(SQLModel, table=True):
    """A build of a renderer that an admin trusts on an owner's slaves, though it draws otherwise than others."""

    owner: int = Field(primary_key=True, sa_type=BIG, foreign_key="user.id")
    build: str = Field(primary_key=True, sa_type=text(BUILD))
    by: int = Field(sa_type=BIG, foreign_key="user.id")
    at: int = Field(sa_type=BIG)
