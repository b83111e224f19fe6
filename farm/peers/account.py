"""The account of this server with a peer: what is between them, what its minutes are worth, and whether books agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from farm.accounts import notices
from farm.accounts.books import forward_of
from farm.accounts.ledger import Kind
from farm.database.schema import attempts, lent_frames, peers, postings, slaves, taken_back, users
from farm.peers import book, exchange, receipts
from farm.peers.exchange import Probe, Rate
from farm.peers.keys import verify
from farm.protocol.accounts import Role
from farm.protocol.lending import CounterReceipt, PeerAudit, Receipt, Statement, TradeDay
from farm.protocol.peers import PeerView
from farm.words.clock import SECOND, seconds
from farm.words.errors import DistrenError, Unauthenticated
from farm.words.notices import About
from farm.words.states import AttemptState

if TYPE_CHECKING:
    from farm.peers.peering import Peering

log = structlog.get_logger(__name__)

PROBES = 500
"""The newest frames by which a rate is measured."""

DAY = 24 * 3600 * SECOND
"""µs."""


async def settle(peering: Peering, row: book.PeerRow, at: int) -> None:
    """Fetch what a peer has signed, or write down why that can't be."""
    try:
        await collect(peering, row, at)
    except DistrenError as error:
        said = f"What it owes is not signed: {error.message}"
        await peering.database.write(partial(book.erred, name=row.name, error=said, at=at))


async def collect(peering: Peering, row: book.PeerRow, at: int) -> None:
    """Fetch what a peer has signed, measure what its minutes are worth, and tell admins what they should know.

    Raises:
        DistrenError: the peer does not answer, or what it says is not signed by it.
    """
    while await receipts.fetch(peering, row) == receipts.AT_ONCE:
        pass
    back = await receipts.fetch_counters(peering, row, at)
    if back:
        await peering.database.write(partial(_tell_back, peer=row.name, back=back, at=at))
    measured = await peering.database.read(partial(measure, peer=row.name, at=at))
    if measured != rate(row):
        await peering.database.write(partial(_note, row=row, measured=measured, at=at))


def rate(row: book.PeerRow) -> Rate:
    """Return what a peer's minute was last found to be worth."""
    return Rate(row.rate, row.probes)


def measure(conn: Connection, peer: str, at: int) -> Rate:
    """Measure what a peer's minute is worth, by the newest frames that slaves here rendered for it."""
    c = lent_frames.c
    query = select(c.at, c.milli, c.worth).where(c.peer == peer, c.milli.is_not(None), c.worth > 0)
    rows = conn.execute(query.order_by(c.at.desc()).limit(PROBES))
    return exchange.rate([Probe(row.at, row.milli, row.worth) for row in rows], at)


def statement(conn: Connection, peer: str) -> Statement:
    """Return this server's book of what is between it and a peer, each in the minutes of who owes."""
    c, p, t = lent_frames.c, postings.c, taken_back.c
    lent = conn.execute(select(func.count(), func.sum(c.milli)).where(c.peer == peer, c.milli > 0)).one()
    owner = receipts.owner_of(conn, peer)
    before, back_before = (forward_of(conn, owner, kind) for kind in (Kind.EARNED, Kind.FORFEIT))
    mine = (p.taker == owner, p.kind == Kind.EARNED.value, p.milli > 0)
    owed = conn.execute(select(func.count(p.ref.distinct()), func.sum(p.milli)).where(*mine)).one()
    lent_back = conn.execute(select(func.sum(t.milli)).where(t.peer == peer)).scalar()
    owed_back = conn.execute(select(func.sum(p.milli)).where(*receipts.forfeited(conn, peer))).scalar()
    return Statement(
        lent_frames=lent[0],
        lent_milli=int(lent[1] or 0),
        owed_frames=owed[0] + before.paid,
        owed_milli=int(owed[1] or 0) + before.milli,
        lent_back=int(lent_back or 0),
        owed_back=int(owed_back or 0) + back_before.milli,
    )


def balance(conn: Connection, peer: str, worth: Rate) -> int:
    """Return what a peer owes this server beyond what this one owes it, in thousandths of this server's minutes.

    Args:
        conn: any connection.
        peer: its name.
        worth: what its minutes are worth.
    """
    found = statement(conn, peer)
    return worth.here(found.lent_milli - found.lent_back) - (found.owed_milli - found.owed_back)


def between(conn: Connection, *, errors: bool) -> list[PeerView]:
    """Return all peers with what is between them and this server; `errors`: with what went wrong last."""
    c = lent_frames.c
    sums = select(c.peer, func.count().label("frames"), func.sum(c.cpu).label("cpu")).group_by(c.peer)
    lent = {row.peer: row for row in conn.execute(sums)}
    return [
        view.model_copy(update={**_lent(lent.get(view.name)), **_borrowed(conn, view)})
        for view in book.views(conn, errors=errors)
    ]


def _lent(row: Any) -> dict[str, Any]:
    return {"lent_frames": row.frames, "lent_seconds": seconds(int(row.cpu or 0))} if row else {}


def _borrowed(conn: Connection, view: PeerView) -> dict[str, Any]:
    theirs = select(slaves.c.id).where(slaves.c.owner == receipts.owner_of(conn, view.name))
    done = conn.execute(select(func.sum(slaves.c.done)).where(slaves.c.id.in_(theirs))).scalar()
    owed = balance(conn, view.name, Rate(round(view.rate * 1000), view.probes)) / 1000
    return {"borrowed_frames": int(done or 0), "borrowed_now": rendering(conn, view.name), "balance": owed}


def rendering(conn: Connection, peer: str) -> int:
    """Return how many frames a peer's slaves render here now."""
    theirs = select(slaves.c.id).where(slaves.c.owner == receipts.owner_of(conn, peer))
    open_ = attempts.c.slave.in_(theirs), attempts.c.state == AttemptState.OPEN.value
    return conn.execute(select(func.count()).where(*open_)).scalar_one()


def history(conn: Connection, peer: str, at: int, days: int) -> list[TradeDay]:
    """Return what was between this server and a peer, day by day, the oldest first."""
    c, p = lent_frames.c, postings.c
    last = at // DAY
    first = (last - days + 1) * DAY
    lent = select(c.at, c.milli).where(c.peer == peer, c.at >= first)
    owed = select(p.at, p.milli).where(
        p.taker == receipts.owner_of(conn, peer), p.kind == Kind.EARNED.value, p.at >= first
    )
    there, here = _by_day(conn, lent), _by_day(conn, owed)
    return [
        TradeDay(
            day=datetime.fromtimestamp(day * DAY / SECOND, UTC).date(),
            lent_frames=there[day][0],
            lent_minutes=there[day][1] / 1000,
            borrowed_frames=here[day][0],
            borrowed_minutes=here[day][1] / 1000,
        )
        for day in range(last - days + 1, last + 1)
    ]


async def audit(peering: Peering, name: str, at: int) -> PeerAudit:
    """Compare this server's book with a peer's, after all receipts have been fetched.

    Raises:
        DistrenError: the peer does not answer.
    """
    row = await peering.database.read(partial(book.known, name=name))
    await collect(peering, row, at)
    forged = await peering.database.read(partial(_forged, peer=name, us=peering.name))
    ours = await peering.database.read(partial(statement, peer=name))
    theirs = await peering.told(Statement, row, "GET", "/api/peering/statement")
    missing = await peering.database.read(partial(receipts.missing, peer=name))
    return PeerAudit(peer=name, ours=ours, theirs=theirs, without_receipt=missing, forged=forged)


def _by_day(conn: Connection, query: Any) -> dict[int, tuple[int, int]]:
    """Return frames and thousandths of minutes by the day since 1970."""
    found: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    part = query.subquery()
    at, milli = part.c
    day = (at - at % DAY).label("day")
    for begin, count, total in conn.execute(select(day, func.count(), func.sum(milli)).group_by(day)):
        found[int(begin) // DAY] = int(count), int(total or 0)
    return found


def _forged(conn: Connection, peer: str, us: str) -> list[int]:
    """Return attempts whose kept receipts, or counter-receipts, are not what the peer signed."""
    c, t = lent_frames.c, taken_back.c
    kept = conn.execute(select(lent_frames).where(c.peer == peer, c.milli.is_not(None)))
    said = [(row, Receipt.text(peer, us, row.attempt, row.milli)) for row in kept]
    back = conn.execute(select(taken_back).where(t.peer == peer))
    said += [(row, CounterReceipt.text(peer, us, row.attempt, row.milli, row.why)) for row in back]
    return sorted({row.attempt for row, text in said if not _signed(row, text)})


def _signed(row: Any, text: bytes) -> bool:
    try:
        verify(row.signer, text, bytes.fromhex(row.receipt))
    except Unauthenticated:
        return False
    return True


def _note(conn: Connection, row: book.PeerRow, measured: Rate, at: int) -> None:
    """Write a rate down, and tell admins once that a peer begins to count otherwise."""
    values = {"rate": measured.milli, "probes": measured.probes}
    conn.execute(update(peers).where(peers.c.name == row.name).values(values))
    if measured.drifts and not rate(row).drifts:
        said = exchange.told(row.name, measured)
        log.warning("A peer counts otherwise than this server.", peer=row.name, rate=measured.milli)
        book.erred(conn, row.name, said, at)
        _tell(conn, f"{row.name} counts minutes otherwise", said, at)


def _tell_back(conn: Connection, peer: str, back: Sequence[CounterReceipt], at: int) -> None:
    said = f"{peer} says: {back[0].why} It owes nothing for {_frames(len(back))} any more."
    book.erred(conn, peer, said, at)
    _tell(conn, f"{peer} found frames of a slave here false", said, at)


def _tell(conn: Connection, title: str, said: str, at: int) -> None:
    for admin in conn.execute(select(users.c.id).where(users.c.role == Role.ADMIN)).scalars().all():
        notices.tell(conn, admin, About.SLAVE, title, said, "/servers", at)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count:,} frames"
