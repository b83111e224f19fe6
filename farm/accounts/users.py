"""Users: rows, views, registration."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from farm.accounts import deeds, invites
from farm.database.schema import blobs, possessions, users
from farm.protocol.accounts import Role, UserView
from farm.words.clock import moment
from farm.words.errors import NameTaken, NotFound


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a registration brings: `passphrase` is the hash, `quota` in bytes."""

    name: str
    passphrase: str
    quota: int


def register(conn: Connection, new: NewUser, invite: str | None, at: int) -> int:
    """Make a user and return the id.

    Args:
        conn: a connection within a transaction.
        new: who.
        invite: the code that admits them; None where registration is open.
        at: now, µs.

    Raises:
        NameTaken: there is such a user.
        RegistrationRefused: the code is unknown, used up or expired.
    """
    if find(conn, new.name):
        raise _taken(new.name)
    role = Role.USER if invite is None else invites.redeem(conn, invite, at)
    values = {"name": new.name, "passphrase": new.passphrase, "role": role, "quota": new.quota, "created": at}
    try:
        made = conn.execute(insert(users).values(values))
    except IntegrityError as error:
        raise _taken(new.name) from error
    assert made.inserted_primary_key is not None
    user = int(made.inserted_primary_key[0])
    deeds.note(conn, user, "register", at=at, detail=role.value)
    return user


def find(conn: Connection, name: str) -> RowMapping | None:
    """Return the row of the user with this name."""
    return conn.execute(select(users).where(users.c.name == name)).mappings().one_or_none()


def view(conn: Connection, user: int) -> UserView:
    """Return a user, with the bytes of the files that they have sent.

    Raises:
        NotFound: there is no such user.
    """
    row = conn.execute(select(users).where(users.c.id == user)).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    created = moment(row["created"])
    assert created is not None
    return UserView(
        name=row["name"],
        role=Role(row["role"]),
        created=created,
        stored_bytes=stored_bytes(conn, user),
        quota_bytes=row["quota"],
        disabled=row["disabled"],
    )


def stored_bytes(conn: Connection, user: int) -> int:
    """Return the bytes of all blobs that a user has sent."""
    query = select(func.coalesce(func.sum(blobs.c.size), 0)).select_from(
        possessions.join(blobs, blobs.c.hash == possessions.c.hash)
    )
    return int(conn.execute(query.where(possessions.c.user == user)).scalar_one())


def has_admin(conn: Connection) -> bool:
    """Tell whether anybody is an admin."""
    return conn.execute(select(users.c.id).where(users.c.role == Role.ADMIN).limit(1)).first() is not None


def _taken(name: str) -> NameTaken:
    return NameTaken(f"There is a user “{name}” already.", hint="Choose another name, or log in if it is you.")
