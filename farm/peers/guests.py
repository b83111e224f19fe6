"""Users of other servers, as rows of this one: `ada@home`.

Such a name can't be registered, and has no passphrase: only the other server speaks for it. So all that is counted,
limited and written down for users holds for guests, too.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from farm.accounts import users
from farm.accounts.identity import Identity
from farm.database.schema import users as rows
from farm.protocol.accounts import Role
from farm.words.errors import Forbidden

LONGEST = 32
"""Characters of a user's name."""


def name_of(user: str, peer: str) -> str:
    """Return what a peer's user is called here: `ada@home`; a long one is cut, and stays unique by a hash."""
    whole = f"{user}@{peer}"
    if len(whole) <= LONGEST:
        return whole
    return f"{whole[: LONGEST - 7]}~{hashlib.sha256(whole.encode()).hexdigest()[:6]}"


def identity(conn: Connection, user: str, peer: str, *, sees_all: bool) -> Identity | None:
    """Return who asks; None: they never did before.

    Raises:
        Forbidden: an admin keeps them out.
    """
    name = name_of(user, peer)
    row = users.find(conn, name)
    if row is None:
        return None
    if row["disabled"]:
        raise Forbidden(f"An admin of this server keeps {name} out.")
    return Identity(int(row["id"]), name, Role.USER, b"", peer=peer, sees_all=sees_all)


def welcome(conn: Connection, user: str, peer: str, quota: int, at: int) -> None:
    """Make a peer's user one here, if they are none yet."""
    name = name_of(user, peer)
    if users.find(conn, name) is None:
        values = {"name": name, "passphrase": "", "role": Role.USER, "quota": quota, "created": at}
        try:
            with conn.begin_nested():
                conn.execute(insert(rows).values(values))
        except IntegrityError:
            return  # another request of theirs was quicker
