"""New passphrases: by the old one, or by an admin's code that is good once. Keeping users out."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from farm.accounts import deeds, logins, opaque, users
from farm.accounts.identity import Identity
from farm.database.schema import slaves
from farm.database.schema import users as table
from farm.protocol.accounts import RecoveryMade
from farm.words.clock import SECOND, moment
from farm.words.errors import Conflict, NotFound, WrongPassphrase

DAY = 86_400 * SECOND
"""µs for which a code is good."""


def change(
    conn: Connection, user: int, passphrase: str, but: bytes | None, at: int, verb: str = "new passphrase"
) -> list[bytes]:
    """Set a user's passphrase, and end all logins but one; return the hashes of the tokens that are void.

    Args:
        conn: the writer's.
        user: whose.
        passphrase: its argon2 hash.
        but: the token of the login that stays.
        at: now, µs.
        verb: what the book of deeds says of it.
    """
    deeds.note(conn, user, verb, at=at)
    conn.execute(update(table).where(table.c.id == user).values(passphrase=passphrase, recovery=None))
    return logins.revoke_user(conn, user, but)


def make_code(conn: Connection, admin: Identity, name: str, at: int) -> RecoveryMade:
    """Make a code by which a user may choose a new passphrase once; an older one is void.

    Raises:
        NotFound: there is no such user.
    """
    user = _id(conn, name)
    code = opaque.code()
    values = {"recovery": opaque.digest(code), "recovery_until": at + DAY}
    conn.execute(update(table).where(table.c.id == user).values(values))
    deeds.note(conn, admin.id, "recovery code", at=at, detail=name)
    expires = moment(at + DAY)
    assert expires is not None
    return RecoveryMade(user=name, code=code, expires=expires)


def redeem(conn: Connection, name: str, code: str, passphrase: str, at: int) -> tuple[int, list[bytes]]:
    """Use a code: set the passphrase, end all logins; return the user's id and the hashes of the void tokens.

    Raises:
        WrongPassphrase: the code is not this user's, used or expired; which of them is nobody's business.
    """
    good = (table.c.name == name, table.c.recovery == _digest(code), table.c.recovery_until > at)
    user = conn.execute(select(table.c.id).where(*good, table.c.disabled.is_(False))).scalar()
    if user is None:
        raise WrongPassphrase("The recovery code is wrong, used up or expired.", hint="Ask an admin for a new one.")
    return user, change(conn, user, passphrase, None, at, "recovered")


def set_disabled(conn: Connection, admin: Identity, name: str, at: int, *, disabled: bool) -> tuple[list[bytes], int]:
    """Keep a user and their slaves out, or let them in again.

    Returns:
        The hashes of the user's void tokens, and their id.

    Raises:
        NotFound: there is no such user.
        Conflict: it is the admin themselves, who could not undo it.
    """
    user = _id(conn, name)
    if user == admin.id:
        raise Conflict("Nobody can keep themselves out.", hint="Another admin may.")
    conn.execute(update(table).where(table.c.id == user).values(disabled=disabled))
    deeds.note(conn, admin.id, "disable user" if disabled else "enable user", at=at, detail=name)
    if not disabled:
        return [], user
    for slave in slaves_of(conn, user):
        logins.revoke_slave(conn, slave)
    return logins.revoke_user(conn, user), user


def set_quota(conn: Connection, admin: Identity, name: str, size: int, at: int) -> None:
    """Say how many bytes a user may keep stored.

    Raises:
        NotFound: there is no such user.
    """
    user = _id(conn, name)
    conn.execute(update(table).where(table.c.id == user).values(quota=size))
    deeds.note(conn, admin.id, "set quota", at=at, detail=f"{name}: {size:,} bytes")


def slaves_of(conn: Connection, user: int) -> list[int]:
    """Return the ids of a user's slaves."""
    return list(conn.execute(select(slaves.c.id).where(slaves.c.owner == user)).scalars())


def _id(conn: Connection, name: str) -> int:
    row = users.find(conn, name)
    if row is None:
        raise NotFound(f"There is no user “{name}”.")
    return int(row["id"])


def _digest(code: str) -> bytes:
    """Return the hash of a code as people type it: case and spaces don't count."""
    return opaque.digest("".join(code.split()).lower())
