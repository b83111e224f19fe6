"""Invite codes: who has one may register."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import opaque
from farm.database.schema import invites
from farm.protocol.accounts import InviteMade, MakeInvite, Role
from farm.words.clock import SECOND, moment
from farm.words.errors import RegistrationRefused

DAY = 86_400 * SECOND
"""µs of a day."""


def make(conn: Connection, wish: MakeInvite, at: int) -> InviteMade:
    """Make an invite code; it is shown this once."""
    code, expires = opaque.code(), at + round(wish.days * DAY)
    conn.execute(delete(invites).where(invites.c.expires < at))
    keep(conn, code, role=wish.role, uses=wish.uses, expires=expires)
    end = moment(expires)
    assert end is not None
    return InviteMade(code=code, uses=wish.uses, expires=end, role=wish.role)


def keep(conn: Connection, code: str, *, role: Role, uses: int, expires: int) -> None:
    """Keep a code's hash. `expires` in µs."""
    conn.execute(insert(invites).values(code=_digest(code), role=role, uses=uses, expires=expires))


def valid(conn: Connection, code: str, at: int) -> bool:
    """Tell whether a code would admit somebody now."""
    c = invites.c
    found = conn.execute(select(c.uses).where(c.code == _digest(code), c.uses > 0, c.expires > at))
    return found.first() is not None


def redeem(conn: Connection, code: str, at: int) -> Role:
    """Use a code once and return the role that it gives.

    Raises:
        RegistrationRefused: unknown, used up or expired; which of them is nobody's business.
    """
    c = invites.c
    taken = conn.execute(
        update(invites).where(c.code == _digest(code), c.uses > 0, c.expires > at).values(uses=c.uses - 1)
    )
    if not taken.rowcount:
        raise refusal(code)
    return Role(conn.execute(select(c.role).where(c.code == _digest(code))).scalar_one())


def refusal(code: str) -> RegistrationRefused:
    """Return the error of a code that does not admit anybody."""
    if code:
        return RegistrationRefused(
            "The invite code is unknown, used up or expired.", hint="Ask an admin for a new one."
        )
    return RegistrationRefused(
        "This server wants an invite code.", hint="Ask an admin for one, and give it as --invite."
    )


def _digest(code: str) -> bytes:
    """Return the hash of a code as people type it: case and spaces don't count."""
    return opaque.digest("".join(code.split()).lower())
