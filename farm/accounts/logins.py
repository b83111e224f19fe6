"""Logins: tokens that last 180 days from their last use, and can be revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import opaque
from farm.accounts.identity import Identity
from farm.database.schema import slaves, tokens, users
from farm.protocol.accounts import Role
from farm.words.clock import SECOND, moment
from farm.words.states import SlaveState

LIFE = 180 * 86_400 * SECOND
"""µs from its last use after which a token is void."""

NOTED_EVERY = 3600 * SECOND
"""µs between two notes of a token's use: a write per request would be a write per request."""

_FIND = (
    select(
        tokens.c.hash,
        tokens.c.used,
        users.c.id,
        users.c.name,
        users.c.role,
        users.c.disabled,
        slaves.c.id,
        slaves.c.name,
        slaves.c.state,
    )
    .select_from(tokens.outerjoin(users, users.c.id == tokens.c.user).outerjoin(slaves, slaves.c.id == tokens.c.slave))
    .where(tokens.c.hash.in_(bindparam("these", expanding=True)), tokens.c.used > bindparam("since"))
)


@dataclass(frozen=True, slots=True)
class Login:
    """A token that is valid: who holds it, and when it was last noted as used (µs)."""

    identity: Identity
    used: int


@dataclass(frozen=True, slots=True)
class Held:
    """A user's login, as they see it: the token's hash names it, `used` is exact to the hour."""

    hash: bytes
    device: str
    created: datetime | None
    used: datetime | None


def grant_user(conn: Connection, user: int, device: str, at: int) -> str:
    """Return a new token of a user."""
    return _grant(conn, opaque.token("user"), at, user=user, device=device)


def grant_slave(conn: Connection, slave: int, at: int) -> str:
    """Return a slave's new token; all older ones are void."""
    revoke_slave(conn, slave)
    return _grant(conn, opaque.token("slave"), at, slave=slave)


def find(conn: Connection, token: bytes, at: int) -> Login | None:
    """Return the login that a token's hash belongs to, if it is valid."""
    return find_all(conn, [token], at).get(token)


def find_all(conn: Connection, some: Sequence[bytes], at: int) -> dict[bytes, Login]:
    """Return the logins that tokens' hashes belong to, those that are valid."""
    rows = conn.execute(_FIND, {"these": list(some), "since": at - LIFE}).all()
    return {row[0]: login for row in rows if (login := _login(row)) is not None}


def _login(row: Sequence[Any]) -> Login | None:
    token, used, user, name, role, disabled, slave, slave_name, state = row
    if disabled:
        return None
    if user is not None:
        return Login(Identity(user, name, Role(role), token), used)
    if slave is None or state == SlaveState.RETIRED:
        return None
    return Login(Identity(slave, slave_name, None, token), used)


def note_use(conn: Connection, token: bytes, at: int) -> None:
    """Write down that a token was used, so that it lasts on."""
    conn.execute(update(tokens).where(tokens.c.hash == token, tokens.c.used < at).values(used=at))


def revoke(conn: Connection, token: bytes) -> None:
    """Void one token."""
    conn.execute(delete(tokens).where(tokens.c.hash == token))


def revoke_slave(conn: Connection, slave: int) -> None:
    """Void all tokens of a slave."""
    conn.execute(delete(tokens).where(tokens.c.slave == slave))


def revoke_user(conn: Connection, user: int, but: bytes | None = None) -> list[bytes]:
    """Void all tokens of a user, but for one; return their hashes."""
    these = tokens.c.user == user, tokens.c.hash != (but or b"")
    gone = list(conn.execute(select(tokens.c.hash).where(*these)).scalars())
    conn.execute(delete(tokens).where(*these))
    return gone


def forget_expired(conn: Connection, at: int) -> int:
    """Delete tokens that are void by age; return how many."""
    return conn.execute(delete(tokens).where(tokens.c.used <= at - LIFE)).rowcount


def _grant(
    conn: Connection, token: str, at: int, *, user: int | None = None, slave: int | None = None, device: str = ""
) -> str:
    values = {"hash": opaque.digest(token), "user": user, "slave": slave, "device": device, "created": at, "used": at}
    conn.execute(insert(tokens).values(values))
    return token


def of_user(conn: Connection, user: int, at: int) -> list[Held]:
    """Return a user's logins that are valid, the one used last first."""
    c = tokens.c
    query = select(c.hash, c.device, c.created, c.used).where(c.user == user, c.used > at - LIFE)
    rows = conn.execute(query.order_by(c.used.desc(), c.created.desc())).all()
    return [Held(row.hash, row.device, moment(row.created), moment(row.used)) for row in rows]


def revoke_of(conn: Connection, user: int, token: bytes) -> bool:
    """Void one of a user's own logins; tell whether there was one."""
    mine = (tokens.c.hash == token, tokens.c.user == user)
    return conn.execute(delete(tokens).where(*mine)).rowcount > 0
