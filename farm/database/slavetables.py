"""Tables about slaves that the hot path does not read: their errands, and what their machines were busy with."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, LONG_TEXT, text


class Errand(SQLModel, table=True):
    """What a person had a slave do: a word of :class:`farm.words.errands.Errand`, and what the slave said of it."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    slave: int = Field(sa_type=BIG, foreign_key="slave.id", index=True)
    errand: str = Field(sa_type=text(16))
    seconds: int = Field(default=0, sa_type=BIG)
    by: int = Field(sa_type=BIG, foreign_key="user.id")
    at: int = Field(sa_type=BIG)
    stage: str = Field(sa_type=text(16))
    said: int | None = Field(default=None, sa_type=BIG)
    message: str = Field(default="", sa_type=LONG_TEXT)
    shown: str = Field(default="", sa_type=LONG_TEXT)


class Sample(SQLModel, table=True):
    """What a slave's machine was busy with.

    A slave's samples are a ring: `place` is the time of day in steps, so that tomorrow's take the place of today's.
    `cpu`: thousandths of its processors; bytes otherwise.
    """

    slave: int = Field(sa_type=BIG, primary_key=True, foreign_key="slave.id")
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BIG)
    cpu: int = 0
    memory: int = Field(default=0, sa_type=BIG)
    disk: int = Field(default=0, sa_type=BIG)
    free: int = Field(default=0, sa_type=BIG)
    cache: int = Field(default=0, sa_type=BIG)
