"""Notifications: written down in the transaction in which something happens, said later.

So none is lost by a crash and none is of what never happened, and nobody waits for a mail server.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from farm.database.schema import notices, subscriptions, users
from farm.protocol.notifications import NotificationView
from farm.words.clock import SECOND, moment
from farm.words.errors import NotFound, TooLarge
from farm.words.notices import About, Way

MOST = 20
"""Subscriptions of one user."""

TRIES = 8
"""Tries of one notification."""

WAIT = 30 * SECOND
"""µs until the second try; each further one waits twice as long: the last is after about an hour."""

HELD = 120 * SECOND
"""µs that who says a notification has for it, before another process may try."""

LONGEST = WAIT * 2 ** (TRIES - 2)
"""µs until the next try of one, at most."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A notification to be said now; `path` is its page on the dashboard."""

    id: int
    subscription: int
    way: Way
    address: str
    secret: str
    user: str
    at: int
    tries: int
    about: About
    title: str
    body: str
    path: str


def subscribe(conn: Connection, user: int, way: Way, address: str, about: list[About], secret: str, at: int) -> int:
    """Let a user hear of something; return the subscription's number.

    Raises:
        TooLarge: they have many already.
    """
    mine = select(func.count()).select_from(subscriptions).where(subscriptions.c.user == user)
    if conn.execute(mine).scalar_one() >= MOST:
        raise TooLarge(f"You have {MOST} notifications already.", hint="Remove one that you need no more.")
    values = {"user": user, "kind": way.value, "address": address, "about": ",".join(about), "secret": secret}
    made = conn.execute(insert(subscriptions).values({**values, "created": at, "said": ""}))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def of_user(conn: Connection, user: int) -> list[NotificationView]:
    """Return a user's subscriptions."""
    c, waiting = subscriptions.c, func.count(notices.c.id)
    whole = subscriptions.outerjoin(notices, notices.c.subscription == c.id)
    query = select(*c, waiting.label("pending")).select_from(whole).where(c.user == user).group_by(*c).order_by(c.id)
    return [
        NotificationView(
            id=row.id,
            way=Way(row.kind),
            address=row.address,
            about=[About(word) for word in row.about.split(",") if word],
            secret=row.secret,
            said=row.said,
            tried=moment(row.tried),
            pending=row.pending,
        )
        for row in conn.execute(query)
    ]


def unsubscribe(conn: Connection, user: int, number: int) -> None:
    """Remove one of a user's subscriptions, with what was still to be said.

    Raises:
        NotFound: they have none such.
    """
    _own(conn, user, number)
    conn.execute(delete(notices).where(notices.c.subscription == number))
    conn.execute(delete(subscriptions).where(subscriptions.c.id == number))


def test(conn: Connection, user: int, number: int, server: str, at: int) -> None:
    """Have one of a user's subscriptions tried.

    Raises:
        NotFound: they have none such.
    """
    _own(conn, user, number)
    title = f"{server}: this is how it will look"
    _write(conn, [number], About.TEST, title, "You asked for a test. All is well.", "/me", at)


def tell(conn: Connection, user: int, about: About, title: str, body: str, path: str, at: int) -> None:
    """Write down what a user is to be told, for all of their subscriptions that want it.

    Args:
        conn: that of the transaction in which it happened.
        user: whom it concerns.
        about: what it is about.
        title: it in one line.
        body: more, if there is more.
        path: its page on the dashboard.
        at: now, µs.
    """
    rows = conn.execute(select(subscriptions.c.id, subscriptions.c.about).where(subscriptions.c.user == user))
    _write(conn, [row.id for row in rows if about in row.about.split(",")], about, title, body, path, at)


def due(conn: Connection, at: int, most: int = 20) -> list[Pending]:
    """Take notifications that are due; nobody else takes them until :data:`HELD` is over."""
    n, s = notices.c, subscriptions.c
    query = select(
        *(n[name] for name in ("id", "at", "due", "tries", "about", "title", "body", "path")),
        *(s[name] for name in ("kind", "address", "secret")),
        s.id.label("subscription"),
        users.c.name,
    ).select_from(notices.join(subscriptions, s.id == n.subscription).join(users, users.c.id == s.user))
    found = []
    for row in conn.execute(query.where(n.due <= at).order_by(n.due, n.id).limit(most)).all():
        mine = (n.id == row.id, n.due == row.due)
        if conn.execute(update(notices).where(*mine).values(due=at + HELD, tries=row.tries + 1)).rowcount:
            way, about = Way(row.kind), About(row.about)
            said = (row.title, row.body, row.path)
            known = (row.subscription, way, row.address, row.secret, row.name)
            found.append(Pending(row.id, *known, row.at, row.tries + 1, about, *said))
    return found


def said(conn: Connection, one: Pending, at: int) -> None:
    """Note that a notification arrived."""
    conn.execute(delete(notices).where(notices.c.id == one.id))
    _note(conn, one, f"“{one.title}” arrived.", at)


def failed(conn: Connection, one: Pending, reason: str, at: int) -> None:
    """Note that a notification did not arrive; it is tried again, each time later, until it is given up."""
    if one.tries >= TRIES:
        conn.execute(delete(notices).where(notices.c.id == one.id))
        _note(conn, one, f"“{one.title}” was given up after {one.tries} tries: {reason}", at)
        return
    later = at + WAIT * 2 ** (one.tries - 1)
    conn.execute(update(notices).where(notices.c.id == one.id).values(due=later))
    _note(conn, one, f"“{one.title}” did not arrive: {reason} It is tried again.", at)


def _write(conn: Connection, numbers: list[int], about: About, title: str, body: str, path: str, at: int) -> None:
    one = {"at": at, "due": at, "tries": 0, "about": about.value, "title": title[:400], "body": body, "path": path}
    if numbers:
        conn.execute(insert(notices), [{**one, "subscription": number} for number in numbers])


def _note(conn: Connection, one: Pending, text: str, at: int) -> None:
    these = subscriptions.c.id == one.subscription
    conn.execute(update(subscriptions).where(these).values(said=text, tried=at))


def _own(conn: Connection, user: int, number: int) -> None:
    c = subscriptions.c
    if conn.execute(select(c.id).where(c.id == number, c.user == user)).first() is None:
        raise NotFound("You have no such notification; it may have been removed before.")
