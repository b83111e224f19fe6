"""Whether the clock may be believed when it says that something is old: what is deleted by its age does not come back.

A clock that is set forward by mistake makes everything as much older at once. So after a leap nothing is
deleted by its age for a day: time to notice it. A server that was off for as long is not told from such a leap.
"""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from farm.database.schema import meta
from farm.words.clock import SECOND

KEY = "clock"
"""The row of `meta`: what the clock said last, and when it leapt before (0: not lately), µs."""

LEAP = 20 * 3600 * SECOND
"""µs by which it may have gone on unseen: a night for which a studio is off."""

BELIEVED = 24 * 3600 * SECOND
"""µs after a leap from when on the clock is believed again."""


def look(conn: Connection, at: int) -> bool:
    """Note what the clock says; tell whether it has leapt since the last look.

    Args:
        conn: the writer's.
        at: now, µs.
    """
    found = _noted(conn)
    leapt = found is not None and at - found[0] > LEAP
    since = at if leapt else found[1] if found and _lately(found[1], at) else 0
    if found is None:
        conn.execute(insert(meta).values(key=KEY, value=f"{at} {since}"))
    else:
        conn.execute(update(meta).where(meta.c.key == KEY).values(value=f"{at} {since}"))
    return leapt


def doubted(conn: Connection, at: int) -> bool:
    """Tell whether nothing may be deleted by its age now.

    Args:
        conn: any connection.
        at: now, µs.
    """
    found = _noted(conn)
    return found is not None and (at - found[0] > LEAP or _lately(found[1], at))


def _noted(conn: Connection) -> tuple[int, int] | None:
    text = conn.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar()
    if text is None:
        return None
    seen, since = map(int, text.split())
    return seen, since


def _lately(since: int, at: int) -> bool:
    """Tell whether a leap is to be doubted yet; one that is yet to come was taken back."""
    return since > 0 and since <= at < since + BELIEVED
