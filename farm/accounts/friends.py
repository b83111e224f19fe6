"""Whom users count as friends: slaves of theirs that accept `friends` render the jobs of these, too."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from farm.accounts import users
from farm.accounts.identity import Identity
from farm.database import eventlog
from farm.database.schema import friends as table
from farm.database.schema import users as people
from farm.protocol.terms import FriendsView
from farm.words.errors import Malformed, NotFound


def add(conn: Connection, user: Identity, name: str, at: int) -> None:
    """Count a user as a friend from now on.

    Raises:
        NotFound: there is no such user.
        Malformed: it is the user themselves.
    """
    friend = _id(conn, name)
    if friend == user.id:
        raise Malformed("You need not count yourself: your slaves render your jobs anyway.")
    pair = {"user": user.id, "friend": friend}
    if conn.execute(select(table).filter_by(**pair)).first() is None:
        conn.execute(insert(table), pair)
        eventlog.note(conn, "terms", at=at)


def remove(conn: Connection, user: Identity, name: str, at: int) -> None:
    """Count a user as a friend no more.

    Raises:
        NotFound: there is no such user.
    """
    conn.execute(delete(table).where(table.c.user == user.id, table.c.friend == _id(conn, name)))
    eventlog.note(conn, "terms", at=at)


def view(conn: Connection, user: Identity) -> FriendsView:
    """Return whom a user counts as friends, and who counts them, by name."""
    c = table.c
    return FriendsView(friends=_names(conn, c.friend, c.user, user.id), of=_names(conn, c.user, c.friend, user.id))


def _names(conn: Connection, who: ColumnElement[int], by: ColumnElement[int], user: int) -> list[str]:
    query = select(people.c.name).join(table, people.c.id == who).where(by == user)
    return list(conn.execute(query.order_by(people.c.name)).scalars())


def _id(conn: Connection, name: str) -> int:
    row = users.find(conn, name)
    if row is None:
        raise NotFound(f"There is no user “{name}”.", hint="Names are as they register: small letters.")
    return int(row["id"])
