"""How often slaves report: less often where thousands do, for what they say together must stay what a server takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from farm.database.schema import slaves
from farm.scheduler.policy import Policy
from farm.words.clock import SECOND

EASY = 2000
"""Slaves that may report as often as the settings say."""

LONGEST = 60.0
"""Seconds between two reports at the most; slaves take no more."""

_NOW = 2 * 60 * SECOND
"""µs since a slave's last word for which it counts: twice the longest heartbeat."""

_LATELY = 2 * _NOW
"""µs for which it counts when silence is judged: all have heard of a shorter heartbeat by then."""


def stretched(seconds: float, count: int) -> float:
    """Return the heartbeat of so many slaves, in seconds; `seconds`: what the settings say."""
    return max(seconds, min(LONGEST, round(seconds * count / EASY, 1)))


def counted(conn: Connection, at: int) -> tuple[int, int]:
    """Return how many slaves there are now, and how many there were lately, by when they were last heard of.

    That stands in the database, so all processes of a server say the same, whichever began a moment ago.
    """
    lately = slaves.c.seen >= at - _LATELY
    now: Any = func.coalesce(func.sum(case((slaves.c.seen >= at - _NOW, 1), else_=0)), 0)
    row = conn.execute(select(now.label("now"), func.count().label("lately")).where(lately)).one()
    return int(row.now), int(row.lately)


def adapted(policy: Policy, now: int, lately: int) -> Policy:
    """Return a policy for so many slaves.

    A heartbeat that becomes shorter is heard of only with the next report, so silence is judged by the longest
    that was told lately.
    """
    beat, heard = (stretched(policy.heartbeat_seconds, count) for count in (now, lately))
    return replace(policy, heartbeat_seconds=beat, heard_seconds=max(beat, heard))
