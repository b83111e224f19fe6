"""The terms on which the farm is shared, as the database knows them: the same for all processes."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import meta, users
from farm.scheduler.policy import Policy
from farm.scheduler.terms import Terms
from farm.words.clock import SECOND

FRESH = SECOND
"""µs for which the writer's are good."""

_KEY = "terms"
_LIMITS = "limits"
_ROWS = select(meta.c.key, meta.c.value).where(meta.c.key.in_([_KEY, _LIMITS]))
_USERS = select(users.c.id, users.c.weight, users.c.slots).where(or_(users.c.weight != 1, users.c.slots.is_not(None)))


def read(conn: Connection) -> Terms:
    """Return the terms."""
    rows = {row.key: json.loads(row.value) for row in conn.execute(_ROWS)}
    told = {**rows.get(_LIMITS, {}), **rows.get(_KEY, {})}
    own = conn.execute(_USERS).all()
    half_lives = {int(era): span for era, span in told.pop("half_lives", {}).items()}
    factors, slots = {row.id: row.weight for row in own}, {row.id: row.slots for row in own if row.slots is not None}
    return Terms(**told, limited=_LIMITS in rows, half_lives=half_lives, factors=factors, slots=slots)


def write(conn: Connection, terms: Terms) -> None:
    """Keep terms, but for those of single users, which are with these."""
    _keep(conn, _KEY, {"points": terms.points, "unserved": terms.unserved, "half_lives": dict(terms.half_lives)})


def limit(conn: Connection, policy: Policy) -> None:
    """Keep what settings say of all users and jobs: of several processes, those of the last one to start count for all.

    So no two of them lease by other limits, and whoever explains a wait knows these, too.
    """
    share = policy.job_share if policy.strangers else 1.0
    _keep(conn, _LIMITS, {"user_slots": policy.user_slots, "job_share": share})


def _keep(conn: Connection, key: str, told: dict[str, Any]) -> None:
    if not conn.execute(update(meta).where(meta.c.key == key).values(value=json.dumps(told))).rowcount:
        conn.execute(insert(meta).values(key=key, value=json.dumps(told)))
    changed(conn)


def changed(conn: Connection) -> None:
    """Forget what the writer knows."""
    memory(conn).shelf.pop(_KEY, None)


def terms(conn: Connection, at: int) -> Terms:
    """Return the terms as of at most a second ago; for the writer."""
    shelf = memory(conn).shelf
    since, known = shelf.get(_KEY, (0, None))
    if known is None or not since <= at < since + FRESH:
        known = read(conn)
        shelf[_KEY] = at, known
    found: Terms = known
    return found
