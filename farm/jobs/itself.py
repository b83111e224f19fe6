"""The farm as a user: whose jobs render checks of results, and measure slaves of other servers."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from farm.database.schema import users
from farm.protocol.accounts import Role

NAME = "(farm)"
"""No person can be called so."""

_QUOTA = 2**62
"""Bytes: the files of its jobs are the server's own, or others', who pay for them."""


def user(conn: Connection, at: int) -> int:
    """Return the user whose jobs these are; nobody can log in as them."""
    found = conn.execute(select(users.c.id).where(users.c.name == NAME)).scalar()
    if found is not None:
        return int(found)
    nobody = {"name": NAME, "passphrase": "", "role": Role.USER, "quota": _QUOTA, "created": at, "disabled": True}
    made = conn.execute(insert(users).values(nobody)).inserted_primary_key
    assert made is not None
    return int(made[0])
