"""The terms on which the farm is shared, as admins see and change them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update

from farm.accounts import deeds, ledger
from farm.database import eventlog
from farm.database.schema import users
from farm.jobs.access import Asker
from farm.protocol.shares import SharesView, ShareTerms, UserShare, UserShareWish
from farm.scheduler import agreed
from farm.scheduler.fairness import weight
from farm.scheduler.terms import ERA, Terms
from farm.words.clock import SECOND, microseconds, moment
from farm.words.errors import NotFound

MINUTE = 60 * SECOND


def view(conn: Connection, asker: Asker, at: int) -> SharesView:
    """Return the terms; to admins with the users whose shares differ."""
    terms, era = agreed.read(conn), at // ERA
    now, then = terms.half_life(era), terms.half_life(era + 1)
    return SharesView(
        half_life_minutes=now / MINUTE,
        points_weight=terms.points,
        unserved_minutes=terms.unserved / MINUTE,
        next_half_life_minutes=then / MINUTE if then != now else None,
        next_from=moment((era + 1) * ERA) if then != now else None,
        users=_users(conn, terms) if asker.admin else [],
    )


def change(conn: Connection, admin: Asker, wish: ShareTerms, at: int) -> None:
    """Change the terms. A half-life is another one from the next era on: work that was noted keeps its meaning."""
    terms, era = agreed.read(conn), at // ERA
    if wish.points_weight is not None:
        terms = replace(terms, points=wish.points_weight)
    if wish.unserved_minutes is not None:
        terms = replace(terms, unserved=microseconds(wish.unserved_minutes * 60))
    if wish.half_life_minutes is not None:
        past = {since: span for since, span in terms.half_lives.items() if since <= era}
        terms = replace(terms, half_lives={**past, era + 1: microseconds(wish.half_life_minutes * 60)})
    agreed.write(conn, terms)
    eventlog.note(conn, "terms", at=at)
    deeds.note(conn, admin.user, "shares", at=at, detail=wish.model_dump_json(exclude_none=True))


def change_user(conn: Connection, admin: Asker, name: str, wish: UserShareWish, at: int) -> None:
    """Change a user's share.

    Raises:
        NotFound: there is no such user.
    """
    values: dict[str, Any] = {} if wish.weight is None else {"weight": wish.weight}
    values |= {} if wish.slots is None else {"slots": wish.slots or None}
    user = conn.execute(select(users.c.id).where(users.c.name == name)).scalar()
    if user is None:
        raise NotFound(f"There is no user {name}.", hint="`distren users` lists them.")
    if values:
        conn.execute(update(users).where(users.c.id == user).values(values))
    agreed.changed(conn)
    eventlog.note(conn, "terms", at=at)
    deeds.note(conn, admin.user, "share", at=at, detail=f"{name}: {wish.model_dump_json(exclude_none=True)}")


def _users(conn: Connection, terms: Terms) -> list[UserShare]:
    earned = ledger.totals(conn)
    own = {*earned, *terms.factors, *terms.slots}
    rows = conn.execute(select(users.c.id, users.c.name).order_by(users.c.name))
    return [
        UserShare(
            name=row.name,
            weight=terms.factors.get(row.id, 1.0),
            points=round(weight(earned.get(row.id, 0), terms.points), 2),
            slots=terms.slots.get(row.id),
        )
        for row in rows
        if row.id in own
    ]
