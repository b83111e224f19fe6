"""Close the books of jobs that were deleted long ago.

What the ledger says of them goes into an archive, which is kept like other files but never collected; its sums are
carried forward; then the rows go, and with them what was left of the jobs, their numbers' rows. All of a job's other
rows went when it was deleted, its attempts, too: so nothing can be returned, earned or taken back for it any more.

First a book is begun, by a mark on its jobs, whose rows nobody adds to from then on. Then all rows are in an archive
that is durable and written down. Only then they go, a piece at a time, each with its sums in the same transaction. What
is killed in between goes on where it was; the archive that is written twice is the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import and_, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from farm.accounts import books as archive
from farm.accounts import ledger
from farm.accounts.books import Amount, Amounts, Writer
from farm.database import numbers
from farm.database.handle import Database
from farm.database.schema import (
    balances,
    books,
    dependencies,
    jobs,
    postings,
    ratings,
    shares,
    slaves,
    spot_checks,
    tallies,
)
from farm.files.store import BlobStore, Stored
from farm.jobs.files import keep_blob
from farm.words.checks import CheckState
from farm.words.clock import SECOND
from farm.words.states import JobState

log = structlog.get_logger(__name__)

DAY = 24 * 3600 * SECOND
"""µs."""

ROWS = 100_000
"""Rows after which a book is full: an archive of some megabytes."""

PIECE = 1000
"""Rows that one command takes out of the ledger."""

PAGE = 5000
"""Rows that are read at once for the archive."""

_JOBS = 100
"""Jobs that one command takes away."""

_SELDOM = 7 * DAY
"""The longest time between two books; where rows are kept for days, a tenth of that."""

_PENDING = [state.value for state in (CheckState.DUE, CheckState.RENDERING, CheckState.DOUBTED, CheckState.FALSE)]
_ROWS = (
    select(postings, jobs.c.owner, slaves.c.owner.label("renderer"))
    .join(jobs, jobs.c.number == postings.c.job)
    .outerjoin(slaves, slaves.c.id == postings.c.slave)
)


async def close(database: Database, store: BlobStore, days: float, at: int) -> int:
    """Close the books of all jobs that were deleted so long ago; return how many rows went.

    Args:
        database: the server's.
        store: where archives go.
        days: how long the rows of deleted jobs are kept, and their numbers; 0: for ever, but what was begun is ended.
        at: now, µs.
    """
    gone = 0
    while (book := await database.read(_unfinished)) or (book := await _begin(database, round(days * DAY), at)):
        if book.archived is None:
            await _archive(database, store, book.number, at)
        while await database.write(partial(_clear, book=book.number, at=at)):
            pass
        gone += await database.read(partial(_told, number=book.number))
    return gone


def _unfinished(conn: Connection) -> Any:
    return conn.execute(select(books).where(books.c.closed.is_(None)).order_by(books.c.number).limit(1)).first()


def _told(conn: Connection, number: int) -> int:
    row = conn.execute(select(books).where(books.c.number == number)).first()
    if row is None:
        return 0
    log.info("A book of the ledger is closed.", book=number, rows=row.cleared, archive=row.hash.hex())
    return int(row.cleared)


async def _begin(database: Database, kept: int, at: int) -> Any:
    """Begin a book, if it is time for one; return it."""
    if not kept:
        return None
    due = await database.read(partial(_due, kept=kept, at=at))
    return await database.write(partial(_open, due=due, before=at - kept, at=at)) if due else None


def _may(before: int) -> ColumnElement[bool]:
    """Tell which jobs nothing needs any more: deleted before, no row of theirs left but the ledger's."""
    waiting = exists().where(dependencies.c.on_job == jobs.c.number, dependencies.c.server == "")
    held = select(func.coalesce(func.sum(balances.c.milli), 0)).where(balances.c.account == -jobs.c.number)
    measured = exists().where(ratings.c.job == jobs.c.number, ~ratings.c.over)
    pending = spot_checks.c.state.in_(_PENDING), spot_checks.c.work.is_not(None)
    checked = jobs.c.number.in_(select(spot_checks.c.job).where(pending[0]))
    checks = jobs.c.number.in_(select(spot_checks.c.work).where(*pending))
    left = or_(exists().where(tallies.c.job == jobs.c.number), exists().where(shares.c.job == jobs.c.number))
    over = and_(jobs.c.state == JobState.DELETED.value, jobs.c.changed <= before, jobs.c.book.is_(None))
    idle = and_(jobs.c.unfinished.is_(None), held.scalar_subquery() == 0, ~left, ~waiting)
    return and_(over, idle, ~measured, ~checked, ~checks)


def _due(conn: Connection, kept: int, at: int) -> list[int]:
    """Return the jobs of the next book; none as long as they are few and young."""
    rows = select(func.count()).where(postings.c.job == jobs.c.number).scalar_subquery()
    query = select(jobs.c.number, jobs.c.changed, rows).where(_may(at - kept)).order_by(jobs.c.number)
    chosen: list[int] = []
    count, oldest = 0, at
    for number, changed, some in conn.execute(query):
        chosen.append(number)
        count, oldest = count + some, min(oldest, changed)
        if count >= ROWS:
            return chosen
    return chosen if oldest <= at - kept - min(kept // 10, _SELDOM) else []


def _open(conn: Connection, due: Sequence[int], before: int, at: int) -> Any:
    number, marked = numbers.take(conn, "book"), 0
    for start in range(0, len(due), PIECE):
        these = and_(jobs.c.number.in_(due[start : start + PIECE]), _may(before))
        marked += conn.execute(update(jobs).where(these).values(book=number)).rowcount
    if not marked:  # another process was first
        return None
    conn.execute(insert(books).values(number=number, begun=at))
    return conn.execute(select(books).where(books.c.number == number)).one()


async def _archive(database: Database, store: BlobStore, book: int, at: int) -> None:
    """Put a book's rows into the store, and write down where they are."""
    incoming = await asyncio.to_thread(store.incoming)
    writer = Writer()
    try:
        async for rows in _rows(database, book):
            await asyncio.to_thread(lambda some: incoming.write(writer.add(some)), rows)
        await asyncio.to_thread(incoming.write, writer.end())
        stored = await asyncio.to_thread(incoming.keep) if writer.entries else None
    finally:
        incoming.leave()
    await database.write(partial(_note, book=book, writer=writer, stored=stored, at=at))


async def _rows(database: Database, book: int) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Yield the rows of a book, job by job, by their `ref`."""
    job: int | None = 0
    while (job := await database.read(partial(_next, book=book, after=job or 0))) is not None:
        after: int | None = None
        while True:
            upto = await database.read(partial(_window, job=job, after=after, size=PAGE))
            yield await database.read(partial(_page, job=job, after=after, upto=upto))
            if upto is None:
                break
            after = upto


def _next(conn: Connection, book: int, after: int) -> int | None:
    query = select(jobs.c.number).where(jobs.c.book == book, jobs.c.number > after)
    found: int | None = conn.execute(query.order_by(jobs.c.number).limit(1)).scalar()
    return found


def _window(conn: Connection, job: int, after: int | None, size: int) -> int | None:
    """Return the last `ref` of the next rows of a job, about `size` of them; None: there are no more than these."""
    query = select(postings.c.ref).where(_between(job, after, None)).order_by(postings.c.ref)
    found: int | None = conn.execute(query.limit(1).offset(size - 1)).scalar()
    return found


def _between(job: int, after: int | None, upto: int | None) -> ColumnElement[bool]:
    """Tell which rows are of a job, behind one `ref`, and up to another."""
    c = postings.c
    return and_(c.job == job, *([] if after is None else [c.ref > after]), *([] if upto is None else [c.ref <= upto]))


def _page(conn: Connection, job: int, after: int | None, upto: int | None) -> list[Mapping[str, Any]]:
    query = _ROWS.where(_between(job, after, upto)).order_by(postings.c.ref, postings.c.kind)
    return [dict(row) for row in conn.execute(query).mappings()]


def _note(conn: Connection, book: int, writer: Writer, stored: Stored | None, at: int) -> None:
    values: dict[str, Any] = {"archived": at, "entries": writer.entries, "milli": writer.milli}
    if stored is not None:
        digest = bytes.fromhex(stored.sha256)
        values |= {"hash": digest, "size": stored.size, "first": writer.first, "last": writer.last}
        keep_blob(conn, digest, stored.size, at)
    conn.execute(update(books).where(books.c.number == book, books.c.archived.is_(None)).values(values))


def _clear(conn: Connection, book: int, at: int) -> bool:
    """Take a piece of a book out of the ledger; tell whether there is more of it.

    `turns` is raised first: of two processes that take one for themselves, one waits for the other, or is refused.
    """
    this = books.c.number == book
    open_ = update(books).where(this, books.c.archived.is_not(None), books.c.closed.is_(None))
    if not conn.execute(open_.values(turns=books.c.turns + 1)).rowcount:
        return False
    here = select(jobs.c.number).where(jobs.c.book == book).order_by(jobs.c.number).limit(_JOBS)
    amounts, found = Amounts(Amount), list(conn.execute(here).scalars())
    for job in found:
        if sum(one.entries for one in amounts.values()) >= PIECE or not _clear_job(conn, job, amounts):
            break
    archive.carry(conn, amounts)
    cleared = sum(one.entries for one in amounts.values())
    if found:
        conn.execute(update(books).where(this).values(cleared=books.c.cleared + cleared))
    else:
        conn.execute(update(books).where(this).values(closed=at))
        conn.execute(delete(books).where(this, books.c.entries == 0))
    return bool(found)


def _clear_job(conn: Connection, job: int, amounts: Amounts) -> bool:
    """Take some rows of a job away, and the job with the last of them; tell whether that is so."""
    c = postings.c
    upto = _window(conn, job, None, PIECE)
    these = _between(job, None, upto)
    paid = func.sum(case((c.milli > 0, 1), else_=0))
    query = select(c.kind, c.giver, c.taker, func.sum(c.milli), func.count(), paid).where(these)
    for kind, giver, taker, milli, entries, with_amount in conn.execute(query.group_by(c.kind, c.giver, c.taker)):
        amounts[archive.whose(kind, giver, taker), kind].add(int(milli), entries, int(with_amount))
    conn.execute(delete(postings).where(these))
    if upto is not None:
        return False
    conn.execute(delete(balances).where(balances.c.account == ledger.escrow(job)))
    conn.execute(delete(jobs).where(jobs.c.number == job))
    return True
