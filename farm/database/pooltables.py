"""The table of pools."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from farm.database.columns import LONG_TEXT, text


class Pool(SQLModel, table=True):
    """Slaves (those that name it) that are for some users alone. `users`: their ids, a JSON list."""

    name: str = Field(primary_key=True, sa_type=text(32))
    users: str = Field(default="[]", sa_type=LONG_TEXT)
