"""The tables of notifications: who wants to hear of what and where, and what is still to be said."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, LONG_TEXT, text


class Subscription(SQLModel, table=True):
    """Where a user wants to hear of something.

    `about`: words of :class:`farm.words.notices.About`, with commas between. `secret` signs what goes to a webhook.
    `said`: how the last try went, at `tried` (µs).
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    user: int = Field(sa_type=BIG, foreign_key="user.id", index=True)
    kind: str = Field(sa_type=text(16))
    address: str = Field(sa_type=text(1000))
    about: str = Field(sa_type=text(100))
    secret: str = Field(sa_type=text(64))
    created: int = Field(sa_type=BIG)
    said: str = Field(default="", sa_type=LONG_TEXT)
    tried: int | None = Field(default=None, sa_type=BIG)


class Notice(SQLModel, table=True):
    """Something to be said, until it was said or given up. `due`: not before; who says it moves it ahead first (µs)."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    subscription: int = Field(sa_type=BIG, foreign_key="subscription.id", index=True)
    at: int = Field(sa_type=BIG)
    due: int = Field(sa_type=BIG, index=True)
    tries: int = 0
    about: str = Field(sa_type=text(16))
    title: str = Field(sa_type=text(400))
    body: str = Field(default="", sa_type=LONG_TEXT)
    path: str = Field(default="", sa_type=text(200))
