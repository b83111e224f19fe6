"""Points that were earned by slaves in doubt: they count, but can't be spent before it is known what is true.

A slave is in doubt while a spot check of its is: others drew another picture, and no machine of its kind is there to
say who is right.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.engine import Connection

from farm.accounts.ledger import Kind
from farm.database.schema import postings, slaves, spot_checks
from farm.words.checks import CheckState


def doubtful() -> ColumnElement[bool]:
    """Tell which checks are in doubt, those among them that are just looked at again."""
    c = spot_checks.c
    again = c.state.in_([CheckState.DUE.value, CheckState.RENDERING.value])
    return or_(c.state == CheckState.DOUBTED.value, and_(again, c.build != ""))


def in_doubt(conn: Connection) -> set[int]:
    """Return the slaves that are in doubt."""
    return set(conn.execute(select(spot_checks.c.slave).where(doubtful()).distinct()).scalars())


def vouched(slave: int) -> Any:
    """Return the query for a slave's results that have passed a check."""
    passed = spot_checks.c.state == CheckState.PASSED.value
    return select(spot_checks.c.attempt).where(spot_checks.c.slave == slave, passed)


def milli(conn: Connection, user: int) -> int:
    """Return what a user's slaves that are in doubt have earned and no check vouches for, in thousandths of points."""
    mine = select(slaves.c.id).where(slaves.c.owner == user, slaves.c.id.in_(sorted(in_doubt(conn)) or [0]))
    p, total = postings.c, 0
    for slave in conn.execute(mine).scalars().all():
        earned = p.taker == user, p.slave == slave, p.kind == Kind.EARNED.value
        query = select(func.coalesce(func.sum(p.milli), 0)).where(*earned, p.ref.not_in(vouched(slave)))
        total += int(conn.execute(query).scalar_one())
    return total
