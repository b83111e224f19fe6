"""Points between servers: a receipt per frame, signed by who owes it, and whether both servers' books agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from farm.accounts import users
from farm.accounts.ledger import Kind
from farm.database.schema import attempts, lent_frames, postings, slaves
from farm.peers import book, guests
from farm.peers.keys import verify
from farm.protocol.lending import AskReceipts, PeerAudit, Receipt, Receipts, Statement
from farm.words.clock import now
from farm.words.errors import PeerRefused, Unauthenticated
from farm.words.states import AttemptState

if TYPE_CHECKING:
    from farm.peers.peering import Peering

AT_ONCE = 500
"""Receipts that are asked for in one request."""

_TAKEN = (AttemptState.WON.value, AttemptState.LATE.value, AttemptState.FORMER.value)


async def fetch(peering: Peering, row: book.PeerRow) -> int:
    """Fetch receipts for frames that slaves here rendered for a peer, and keep those that are the peer's.

    Returns:
        How many were kept.

    Raises:
        PeerRefused: one is forged; admins are told, and none of its answer is kept.
    """
    wanted = await peering.database.read(partial(_missing, peer=row.name))
    if not wanted:
        return 0
    said = AskReceipts(attempts=wanted)
    answer = await peering.told(Receipts, row, "POST", "/api/peering/receipts", said)
    found = [one for one in answer.receipts if one.attempt in wanted]
    for one in found:
        await _must_be_its_own(peering, row, one)
    await peering.database.write(partial(_keep, peer=row.name, key=row.key, found=found))
    return len(found)


async def _must_be_its_own(peering: Peering, row: book.PeerRow, one: Receipt) -> None:
    try:
        verify(row.key, Receipt.text(row.name, peering.name, one.attempt, one.milli), bytes.fromhex(one.signature))
    except Unauthenticated as error:
        text = f"A receipt is forged: that for attempt {one.attempt} is not signed by {row.name}."
        await peering.database.write(partial(book.erred, name=row.name, error=text, at=now()))
        raise PeerRefused(text, hint="None of this answer is kept. Its admin may know more.") from error


def issue(conn: Connection, us: str, peer: str, wanted: Sequence[int], sign: Callable[[bytes], bytes]) -> list[Receipt]:
    """Return signed receipts for frames that slaves of a peer's rendered here.

    Args:
        conn: any connection.
        us: this server.
        peer: who rendered.
        wanted: attempts; of others' nothing is said.
        sign: makes this server's signature.
    """
    owner = _owner(conn, peer)
    mine = select(attempts.c.id).join(slaves, slaves.c.id == attempts.c.slave)
    taken = mine.where(attempts.c.id.in_(wanted), slaves.c.owner == owner, attempts.c.state.in_(_TAKEN))
    paid = select(postings.c.ref, func.sum(postings.c.milli)).where(
        postings.c.ref.in_(wanted), postings.c.taker == owner, postings.c.kind == Kind.EARNED.value
    )
    milli = {ref: int(total) for ref, total in conn.execute(paid.group_by(postings.c.ref))}
    return [
        Receipt(attempt=one, milli=due, signature=sign(Receipt.text(us, peer, one, due)).hex())
        for one in conn.execute(taken.order_by(attempts.c.id)).scalars()
        for due in (milli.get(one, 0),)
    ]


def statement(conn: Connection, peer: str) -> Statement:
    """Return this server's book of what is between it and a peer."""
    c, p = lent_frames.c, postings.c
    lent = conn.execute(select(func.count(), func.sum(c.milli)).where(c.peer == peer, c.milli > 0)).one()
    mine = (p.taker == _owner(conn, peer), p.kind == Kind.EARNED.value, p.milli > 0)
    owed = conn.execute(select(func.count(p.ref.distinct()), func.sum(p.milli)).where(*mine)).one()
    return Statement(
        lent_frames=lent[0], lent_milli=int(lent[1] or 0), owed_frames=owed[0], owed_milli=int(owed[1] or 0)
    )


async def audit(peering: Peering, name: str) -> PeerAudit:
    """Compare this server's book with a peer's, after all receipts have been fetched.

    Raises:
        DistrenError: the peer does not answer.
    """
    row = await peering.database.read(partial(book.known, name=name))
    while await fetch(peering, row) == AT_ONCE:
        pass
    forged = await peering.database.read(partial(_forged, peer=name, us=peering.name))
    ours = await peering.database.read(partial(statement, peer=name))
    theirs = await peering.told(Statement, row, "GET", "/api/peering/statement")
    missing = await peering.database.read(partial(_missing, peer=name))
    return PeerAudit(peer=name, ours=ours, theirs=theirs, without_receipt=missing, forged=forged)


def balance(conn: Connection, peer: str) -> int:
    """Return what a peer owes this server beyond what this one owes it, in thousandths of points."""
    found = statement(conn, peer)
    return found.lent_milli - found.owed_milli


def _owner(conn: Connection, peer: str) -> int:
    row = users.find(conn, guests.name_of("", peer))
    return -1 if row is None else int(row["id"])


def _missing(conn: Connection, peer: str) -> list[int]:
    c = lent_frames.c
    query = select(c.attempt).where(c.peer == peer, c.milli.is_(None)).order_by(c.attempt).limit(AT_ONCE)
    return list(conn.execute(query).scalars())


def _keep(conn: Connection, peer: str, key: bytes, found: Sequence[Receipt]) -> None:
    c = lent_frames.c
    for one in found:
        # Once: what was agreed stays.
        where = (c.peer == peer, c.attempt == one.attempt, c.milli.is_(None))
        conn.execute(update(lent_frames).where(*where).values(milli=one.milli, receipt=one.signature, signer=key))


def _forged(conn: Connection, peer: str, us: str) -> list[int]:
    """Return attempts whose kept receipts are not what the peer signed."""
    c, wrong = lent_frames.c, []
    for row in conn.execute(select(lent_frames).where(c.peer == peer, c.milli.is_not(None))):
        try:
            verify(row.signer, Receipt.text(peer, us, row.attempt, row.milli), bytes.fromhex(row.receipt))
        except Unauthenticated:
            wrong.append(row.attempt)
    return wrong
