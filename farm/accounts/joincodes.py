"""Join codes: who has one may make that many slaves, which belong to the code's maker."""

from __future__ import annotations

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import opaque, slavekeys
from farm.accounts.identity import Identity
from farm.database.schema import join_codes, users
from farm.protocol.accounts import Role
from farm.protocol.joining import JoinCodeView, MakeJoinCode, SlaveKeyMade
from farm.words.clock import SECOND, moment
from farm.words.errors import NotFound, RegistrationRefused

HOUR = 3600 * SECOND
"""µs."""


def make(conn: Connection, wish: MakeJoinCode, owner: Identity, at: int) -> tuple[str, JoinCodeView]:
    """Make a code; return its secret, which is shown this once, and what stays to be seen of it."""
    c = join_codes.c
    conn.execute(delete(join_codes).where(c.expires < at))
    secret = opaque.code()
    # People revoke it by its first letters; three of the four groups stay secret.
    name, expires = secret.partition("-")[0], at + round(wish.hours * HOUR)
    values = {"code": opaque.digest(secret), "name": name, "owner": owner.id, "machines": wish.machines}
    conn.execute(insert(join_codes).values(**values, expires=expires))
    return secret, _view(name, owner.name, wish.machines, expires)


def views(conn: Connection, at: int) -> list[JoinCodeView]:
    """Return the codes that still admit machines, the next to expire first."""
    c = join_codes.c
    query = select(c.name, users.c.name.label("owner"), c.machines, c.expires).join(users, users.c.id == c.owner)
    rows = conn.execute(query.where(c.machines > 0, c.expires > at).order_by(c.expires, c.name))
    return [_view(row.name, row.owner, row.machines, row.expires) for row in rows]


def revoke(conn: Connection, name: str) -> None:
    """Void a code.

    Raises:
        NotFound: there is none of this name.
    """
    if not conn.execute(delete(join_codes).where(join_codes.c.name == name)).rowcount:
        raise NotFound(f"There is no join code {name}.", hint="`distren join-code --list` lists them.")


def redeem(conn: Connection, secret: str, wanted: str, at: int) -> tuple[SlaveKeyMade, str]:
    """Use a code once: make a slave, by the wanted name or one like it; return it, and whose it is.

    Raises:
        RegistrationRefused: unknown, used up, revoked or expired; which of them is nobody's business.
    """
    c = join_codes.c
    good = c.code == opaque.digest(secret), c.machines > 0, c.expires > at
    if not conn.execute(update(join_codes).where(*good).values(machines=c.machines - 1)).rowcount:
        raise refusal()
    query = select(users.c.id, users.c.name, users.c.role).join(join_codes, join_codes.c.owner == users.c.id)
    row = conn.execute(query.where(c.code == opaque.digest(secret))).one()
    owner = Identity(row.id, row.name, Role(row.role), b"")
    return slavekeys.make(conn, _free(conn, wanted, owner), owner, at), owner.name


def valid(conn: Connection, secret: str, at: int) -> bool:
    """Tell whether a code would admit a machine now."""
    c = join_codes.c
    found: Row[tuple[int]] | None = conn.execute(
        select(c.machines).where(c.code == opaque.digest(secret), c.machines > 0, c.expires > at)
    ).first()
    return found is not None


def refusal() -> RegistrationRefused:
    """Return the error of a code that admits no machine."""
    text = "The join code is unknown, used up, revoked or expired."
    return RegistrationRefused(text, hint="Ask an admin for a new one: `distren join-code`.")


def _free(conn: Connection, wanted: str, owner: Identity) -> str:
    """Return the wanted name, or the first like it that is free: `ws01`, `ws01-2` …

    A machine whose earlier try to join broke off gets the slave that it made then: it never logged in.
    """
    name, count = wanted, 1
    while not slavekeys.unused(conn, name, owner):
        count += 1
        name = f"{wanted[: 31 - len(str(count))]}-{count}"
    return name


def _view(name: str, owner: str, machines: int, expires: int) -> JoinCodeView:
    end = moment(expires)
    assert end is not None
    return JoinCodeView(name=name, owner=owner, machines=machines, expires=end)
