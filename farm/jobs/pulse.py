"""How many frames the farm finishes a minute: a row a minute of how many it ever has, for a chart of the last hour.

The sum is of counts that are kept anyway, so no frame costs more for it; the rows outlive a restart, and all
processes of a farm share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import Connection, delete, func, insert, select

from farm.database.schema import pulses, tallies
from farm.words.clock import SECOND

MINUTE = 60 * SECOND
"""µs."""

SHOWN = 60
"""Minutes of a chart."""

KEPT = 48 * 60
"""Minutes that are kept."""

HOLE = 5
"""Minutes without a row after which nobody knows what happened in them: the server was down."""

_NOTE = insert(pulses).prefix_with("OR IGNORE", dialect="sqlite").prefix_with("IGNORE", dialect="mysql")


def note(conn: Connection, at: int) -> None:
    """Note how many frames were ever finished; once a minute, whichever process comes first.

    Args:
        conn: the writer's.
        at: now, µs.
    """
    total = int(conn.execute(select(func.coalesce(func.sum(tallies.c.rendered), 0))).scalar_one())
    conn.execute(_NOTE, {"minute": at // MINUTE, "rendered": total})
    conn.execute(delete(pulses).where(pulses.c.minute < at // MINUTE - KEPT))


def last_hour(conn: Connection, at: int) -> list[float | None]:
    """Return the frames of each of the last :data:`SHOWN` whole minutes, the oldest first; None: nobody knows.

    Args:
        conn: any connection.
        at: now, µs.
    """
    now = at // MINUTE
    query = select(pulses.c.minute, pulses.c.rendered).where(pulses.c.minute > now - SHOWN - HOLE)
    rows = [(int(minute), int(total)) for minute, total in conn.execute(query.order_by(pulses.c.minute))]
    return rates(rows, now)


def rates(rows: Sequence[tuple[int, int]], now: int) -> list[float | None]:
    """Return frames by minute: pure.

    Args:
        rows: minutes, and how many frames were ever finished at each; ascending. Deleting a job may lower that.
        now: the minute that is not over.
    """
    found: dict[int, float] = {}
    for (before, was), (after, total) in pairwise(rows):
        if after - before <= HOLE:
            found |= dict.fromkeys(range(before, after), max(0, total - was) / (after - before))
    return [found.get(minute) for minute in range(now - SHOWN, now)]
