"""The table of friends."""

from __future__ import annotations

from sqlalchemy import PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG


class Friend(SQLModel, table=True):
    """A user counts another as a friend, whose jobs slaves that accept `friends` render; not the other way round."""

    __table_args__ = (PrimaryKeyConstraint("user", "friend"),)

    user: int = Field(sa_type=BIG, foreign_key="user.id")
    friend: int = Field(sa_type=BIG, foreign_key="user.id", index=True)
