"""What people see of points: an account, and pages of the ledger."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, and_, or_, select, tuple_
from sqlalchemy.engine import Connection

from farm.accounts import books, ledger, provisional, reasons
from farm.accounts.formula import points
from farm.accounts.ledger import Kind
from farm.database.schema import jobs, postings, slaves
from farm.protocol.points import BookView, LedgerPage, LedgerRow, PointsView
from farm.words.clock import moment
from farm.words.errors import Malformed
from farm.words.names import Address

_COLUMNS = (
    *(postings.c[name] for name in ("kind", "ref", "at", "giver", "taker", "milli", "job", "frame", "inputs")),
    slaves.c.name.label("slave"),
)
_TITLES = ("time", "kind", "points", "address", "slave", "reason", "row")


def view(conn: Connection, user: int, name: str) -> PointsView:
    """Return a user's account."""
    has = ledger.stored(conn, user)
    mine = jobs.c.owner == user, jobs.c.boost > 0
    boosted = sorted(conn.execute(select(jobs.c.number).where(*mine)).scalars())
    held = sum(ledger.stored(conn, ledger.escrow(job)).milli for job in boosted)
    closed = books.of_user(conn, user)
    bound = min(provisional.milli(conn, user), max(has.milli, 0))
    return PointsView(
        user=name,
        milli=has.milli,
        earned_milli=has.earned,
        escrow_milli=held,
        provisional_milli=bound,
        closed_milli=sum(milli for _, milli, _ in closed),
        closed_rows=sum(rows for _, _, rows in closed),
    )


def page(conn: Connection, user: int, server: str, after: str | None, limit: int) -> LedgerPage:
    """Return a user's rows, the newest first.

    Args:
        conn: any connection.
        user: whose.
        server: this server's name.
        after: where the page before ended; None: the first page.
        limit: the most rows.

    Raises:
        Malformed: `after` is not from a page.
    """
    c = postings.c
    query = select(*_COLUMNS).outerjoin(slaves, slaves.c.id == c.slave).where(or_(c.taker == user, c.giver == user))
    query = query.order_by(c.at.desc(), c.ref.desc(), c.kind.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(and_(tuple_(c.at, c.ref, c.kind) < _place(after)))
    found = [_row(row, user, server) for row in conn.execute(query)]
    rest = found[limit - 1].row if len(found) > limit else None
    return LedgerPage(rows=found[:limit], next=rest)


def as_csv(rows: Iterable[LedgerRow], *, titles: bool) -> str:
    """Return rows as CSV, for spreadsheets."""
    text = io.StringIO()
    out = csv.writer(text)
    if titles:
        out.writerow(_TITLES)
    for row in rows:
        out.writerow(
            (row.at.isoformat(), row.kind, points(row.milli), row.address, row.slave or "", row.reason, row.row)
        )
    return text.getvalue()


def closed_csv(conn: Connection, user: int) -> str:
    """Return what a user's rows in closed books moved, by kind, as the last lines of their CSV."""
    text = io.StringIO()
    out = csv.writer(text)
    for kind, milli, rows in books.of_user(conn, user):
        out.writerow(("", kind, points(milli), "", "", f"carried forward from {rows} rows of closed books", ""))
    return text.getvalue()


def closed_books(conn: Connection) -> list[BookView]:
    """Return all closed books, the oldest first."""
    return [
        BookView(
            book=row.number,
            rows=row.entries,
            first=moment(row.first),
            last=moment(row.last),
            closed=moment(row.closed),
            sha256=row.hash.hex(),
            bytes=row.size,
        )
        for row in books.archives(conn)
    ]


def _place(text: str) -> tuple[int, int, str]:
    at, _, rest = text.partition("-")
    ref, _, kind = rest.partition("-")
    if not (at.isdigit() and ref.isdigit() and kind in set(Kind)) or max(len(at), len(ref)) > 18:
        raise Malformed("This is no place in the ledger.", hint="Use `next` of the page before.")
    return int(at), int(ref), kind


def _row(row: Row[Any], user: int, server: str) -> LedgerRow:
    at = moment(row.at)
    assert at is not None
    kind, inputs = Kind(row.kind), json.loads(row.inputs)
    return LedgerRow(
        row=f"{row.at}-{row.ref}-{row.kind}",
        at=at,
        kind=row.kind,
        milli=row.milli * ((row.taker == user) - (row.giver == user)),
        address=str(Address(server, row.job, row.frame)),
        slave=row.slave,
        reason=reasons.words(kind, inputs),
        inputs=inputs,
    )
