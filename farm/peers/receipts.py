"""Points between servers: a receipt per frame, signed by who owes it, and counter-receipts for what was false.

What is owed is in the minutes of who owes it, as its ledger has them: so it can be compared to the thousandth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import users
from farm.accounts.books import forward_of
from farm.accounts.ledger import Kind
from farm.database.schema import attempts, lent_frames, postings, slaves, taken_back
from farm.peers import book, guests
from farm.peers.keys import verify
from farm.protocol.lending import AskReceipts, CounterReceipt, CounterReceipts, Receipt, Receipts
from farm.words.clock import now
from farm.words.errors import PeerRefused, Unauthenticated
from farm.words.states import AttemptState

if TYPE_CHECKING:
    from farm.peers.peering import Peering

AT_ONCE = 500
"""Receipts that are asked for in one request."""

PAGES = 20
"""The most requests for counter-receipts in a row: nobody is listened to without an end."""

_TAKEN = (AttemptState.WON.value, AttemptState.LATE.value, AttemptState.FORMER.value)


async def fetch(peering: Peering, row: book.PeerRow) -> int:
    """Fetch receipts for frames that slaves here rendered for a peer, and keep those that are the peer's.

    Returns:
        How many were kept.

    Raises:
        PeerRefused: one is forged; admins are told, and none of its answer is kept.
    """
    wanted = await peering.database.read(partial(missing, peer=row.name))
    if not wanted:
        return 0
    said = AskReceipts(attempts=wanted)
    answer = await peering.told(Receipts, row, "POST", "/api/peering/receipts", said)
    found = [one for one in answer.receipts if one.attempt in wanted]
    for one in found:
        await _must_be_its_own(peering, row, one)
    await peering.database.write(partial(_keep, peer=row.name, key=row.key, found=found))
    return len(found)


async def fetch_counters(peering: Peering, row: book.PeerRow, at: int) -> list[CounterReceipt]:
    """Fetch what a peer owes no more, for frames were false; keep what it signed, and return what is new.

    Raises:
        PeerRefused: one is forged; admins are told, and none of its answer is kept.
    """
    new: list[CounterReceipt] = []
    known, after = await peering.database.read(partial(_known, peer=row.name)), -1
    for _ in range(PAGES):
        target = f"/api/peering/counters?known={known}&after={after}"
        answer = await peering.told(CounterReceipts, row, "GET", target)
        found = [one for one in answer.counters if one.attempt > after][:AT_ONCE]
        for one in found:
            await _must_be_its_own(peering, row, one)
        keep = partial(_keep_counters, peer=row.name, key=row.key, found=found, at=at)
        new += await peering.database.write(keep) if found else []
        if len(found) < AT_ONCE:
            break
        after = max(one.attempt for one in found)
    return new


async def _must_be_its_own(peering: Peering, row: book.PeerRow, one: Receipt | CounterReceipt) -> None:
    try:
        verify(row.key, one.signed(row.name, peering.name), bytes.fromhex(one.signature))
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
    owner = owner_of(conn, peer)
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


def counter(
    conn: Connection, us: str, peer: str, known: int, after: int, sign: Callable[[bytes], bytes]
) -> list[CounterReceipt]:
    """Return signed counter-receipts for frames of a peer's slaves that others found false.

    Args:
        conn: any connection.
        us: this server.
        peer: who rendered.
        known: how many it has; if these are all, it is told none.
        after: only for attempts after this one.
        sign: makes this server's signature.
    """
    closed = forward_of(conn, owner_of(conn, peer), Kind.FORFEIT).paid
    if conn.execute(select(func.count()).where(*forfeited(conn, peer))).scalar_one() + closed == known:
        return []
    p = postings.c
    query = select(p.ref, p.milli, p.inputs).where(*forfeited(conn, peer), p.ref > after)
    return [_counter(us, peer, row, sign) for row in conn.execute(query.order_by(p.ref).limit(AT_ONCE))]


def _counter(us: str, peer: str, row: Any, sign: Callable[[bytes], bytes]) -> CounterReceipt:
    why = " ".join(f"A slave of {peer} drew {json.loads(row.inputs).get('why', 'falsely')}.".split())[:500]
    signature = sign(CounterReceipt.text(us, peer, row.ref, row.milli, why)).hex()
    return CounterReceipt(attempt=row.ref, milli=row.milli, why=why, signature=signature)


def forfeited(conn: Connection, peer: str) -> tuple[Any, ...]:
    """Return the conditions for rows of the ledger by which a peer's slaves lost what they had earned here."""
    p = postings.c
    return p.giver == owner_of(conn, peer), p.kind == Kind.FORFEIT.value, p.milli > 0


def owner_of(conn: Connection, peer: str) -> int:
    """Return the user whose slaves a peer's are; -1 if there were never any."""
    row = users.find(conn, guests.name_of("", peer))
    return -1 if row is None else int(row["id"])


def missing(conn: Connection, peer: str) -> list[int]:
    """Return attempts that a peer took, and has signed nothing for; some."""
    c = lent_frames.c
    query = select(c.attempt).where(c.peer == peer, c.milli.is_(None)).order_by(c.attempt).limit(AT_ONCE)
    return list(conn.execute(query).scalars())


def _keep(conn: Connection, peer: str, key: bytes, found: Sequence[Receipt]) -> None:
    c = lent_frames.c
    for one in found:
        # Once: what was agreed stays.
        where = (c.peer == peer, c.attempt == one.attempt, c.milli.is_(None))
        conn.execute(update(lent_frames).where(*where).values(milli=one.milli, receipt=one.signature, signer=key))


def _known(conn: Connection, peer: str) -> int:
    return conn.execute(select(func.count()).where(taken_back.c.peer == peer)).scalar_one()


def _keep_counters(
    conn: Connection, peer: str, key: bytes, found: Sequence[CounterReceipt], at: int
) -> list[CounterReceipt]:
    """Keep counter-receipts once, for frames whose receipts are here and say no less; return those that are new."""
    c, t = lent_frames.c, taken_back.c
    these = [one.attempt for one in found]
    owed = {
        row.attempt: row.milli
        for row in conn.execute(select(c.attempt, c.milli).where(c.peer == peer, c.attempt.in_(these)))
    }
    before = set(conn.execute(select(t.attempt).where(t.peer == peer, t.attempt.in_(these))).scalars())
    new = [one for one in found if one.attempt not in before and one.milli <= (owed.get(one.attempt) or 0)]
    rows = [
        {"peer": peer, "attempt": one.attempt, "milli": one.milli, "why": one.why, "receipt": one.signature}
        for one in new
    ]
    if rows:
        conn.execute(insert(taken_back), [{**row, "signer": key, "at": at} for row in rows])
    return new
