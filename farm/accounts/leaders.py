"""Who has earned the most by rendering for others, and what a user earned day by day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.ledger import Kind
from farm.database.schema import postings, slaves, users
from farm.words.clock import SECOND

DAY = 86_400 * SECOND
"""µs."""

_GOT = [kind.value for kind in (Kind.EARNED, Kind.HALF, Kind.TIP)]


@dataclass(frozen=True, slots=True)
class Leader:
    """A user with what they ever earned, in thousandths of points, their slaves, and the frames that these rendered."""

    name: str
    milli: int
    slaves: int
    frames: int


def leaders(conn: Connection, most: int) -> list[Leader]:
    """Return those who have earned anything, the most first; so many at most."""
    earned = {user: milli for user, milli in ledger.totals(conn).items() if milli > 0}
    first = sorted(earned, key=lambda user: (-earned[user], user))[:most]
    names = {row.id: row.name for row in conn.execute(select(users.c.id, users.c.name).where(users.c.id.in_(first)))}
    query = select(slaves.c.owner, func.count(), func.sum(slaves.c.done)).where(slaves.c.owner.in_(first))
    machines = {owner: (many, int(done)) for owner, many, done in conn.execute(query.group_by(slaves.c.owner))}
    return [Leader(names[user], earned[user], *machines.get(user, (0, 0))) for user in first if user in names]


def by_day(conn: Connection, user: int, days: int, at: int) -> list[tuple[int, int]]:
    """Return the last days (UTC), the oldest first: when each began (µs), and what the user got, in thousandths.

    Args:
        conn: any connection.
        user: whose.
        days: how many, with today.
        at: now, µs.
    """
    today, c = at // DAY, postings.c
    day = (c.at // DAY).label("day")
    query = select(day, func.sum(c.milli)).where(c.taker == user, c.at >= (today - days + 1) * DAY, c.kind.in_(_GOT))
    got = {int(began): int(milli) for began, milli in conn.execute(query.group_by(day))}
    return [(one * DAY, got.get(one, 0)) for one in range(today - days + 1, today + 1)]
