"""The book of peers: rows, and what changes them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from farm.accounts import opaque
from farm.database.schema import jobs, peer_invites, peer_nonces, peers, users
from farm.peers.keys import fingerprint
from farm.protocol.lending import Borrow, Lend
from farm.protocol.peers import MakePeerInvite, PeerState, PeerView, ServerCard
from farm.protocol.signed import SKEW
from farm.words.clock import SECOND, moment, seconds
from farm.words.errors import NameTaken, PeerRefused, RegistrationRefused, UnknownPeer
from farm.words.states import JOB_ENDED

PeerRow = Row[Any]
"""A row of the book."""

HOUR = 3600 * SECOND
"""µs."""


def find(conn: Connection, name: str) -> Row[Any] | None:
    """Return a peer's row, also of one that is a peer no more."""
    return conn.execute(select(peers).where(peers.c.name == name)).first()


def known(conn: Connection, name: str) -> Row[Any]:
    """Return the row of a server that is a peer, paused or not.

    Raises:
        UnknownPeer: it is none.
    """
    row = find(conn, name)
    if row is None or row.state == PeerState.ENDED:
        raise UnknownPeer(f"This server exchanges no jobs with “{name}”.", hint="`distren peers` lists those it knows.")
    return row


def everyone(conn: Connection) -> list[Row[Any]]:
    """Return all servers that are peers."""
    return list(conn.execute(select(peers).where(peers.c.state != PeerState.ENDED.value).order_by(peers.c.name)))


def views(conn: Connection, *, errors: bool) -> list[PeerView]:
    """Return all peers, those too with which an exchange has ended; `errors`: with what went wrong last.

    What is between them and this server is :func:`farm.peers.account.between`'s to say.
    """
    return [_view(row, errors=errors) for row in conn.execute(select(peers).order_by(peers.c.name))]


def invite(conn: Connection, wish: MakePeerInvite, secret: str, at: int) -> int:
    """Keep an invite; return when it expires.

    Raises:
        NameTaken: the name is a peer's already.
    """
    conn.execute(delete(peer_invites).where(peer_invites.c.expires < at))
    row = find(conn, wish.name)
    if row is not None and row.state != PeerState.ENDED:
        raise NameTaken(f"“{wish.name}” is a peer already.", hint=f"`distren peers end {wish.name}` ends that.")
    expires = at + round(wish.hours * HOUR)
    values = {"code": opaque.digest(secret), "name": wish.name, "sees_all": wish.sees_all, "expires": expires}
    conn.execute(insert(peer_invites).values(values))
    return expires


def redeem(conn: Connection, secret: str, card: ServerCard, ours: bytes, at: int) -> None:
    """Let the server that an invite is for become a peer; the same one may say so twice, if an answer was lost.

    Raises:
        RegistrationRefused: the code is unknown, expired, another server's, or used by another.
        NameTaken: see :func:`add`.
    """
    c = peer_invites.c
    row = conn.execute(select(peer_invites).where(c.code == opaque.digest(secret), c.expires > at)).first()
    key = bytes.fromhex(card.key)
    if row is None or row.name != card.name or row.key not in (None, key):
        text = "The code is unknown, used, expired, or for a server of another name."
        raise RegistrationRefused(text, hint="Ask the other admin for a new one: `distren peers invite NAME`.")
    conn.execute(update(peer_invites).where(c.code == row.code).values(key=key))
    add(conn, card, ours, at, sees_all=row.sees_all)


def add(conn: Connection, card: ServerCard, ours: bytes, at: int, *, sees_all: bool) -> None:
    """Make a server a peer; again, if it was one.

    Args:
        conn: the writer's.
        card: who it is.
        ours: the public key of ours that it knows.
        at: now, µs.
        sees_all: its users see all jobs here.

    Raises:
        NameTaken: another server of this name, with another key, is a peer.
    """
    row, key = find(conn, card.name), bytes.fromhex(card.key)
    if row is not None and row.state != PeerState.ENDED and row.key != key:
        text = f"Another server, with another key, is known here as “{card.name}”."
        raise NameTaken(text, hint=f"Names are unique. Is it the same server? `distren peers end {card.name}` first.")
    values = {
        "url": card.addresses[0] if card.addresses else "",
        "key": key,
        "knows": ours,
        "state": PeerState.ACTIVE.value,
        "sees_all": sees_all,
        "created": at,
        "version": card.version,
        "methods": json.dumps(card.methods),
        "seen": at,
        "away": None,
        "error": "",
        "erred": None,
    }
    if row is None:
        conn.execute(insert(peers).values(name=card.name, place=_place(conn), **values))
    else:
        conn.execute(update(peers).where(peers.c.name == card.name).values(values))


def _place(conn: Connection) -> int:
    return int(conn.execute(select(func.max(peers.c.place))).scalar() or 0) + 1


def set_state(conn: Connection, name: str, state: PeerState) -> None:
    """Pause, resume or end an exchange.

    Raises:
        UnknownPeer: there is none.
    """
    known(conn, name)
    conn.execute(update(peers).where(peers.c.name == name).values(state=state.value))


def learn_key(conn: Connection, name: str, key: bytes) -> None:
    """Write down a peer's new key."""
    conn.execute(update(peers).where(peers.c.name == name).values(key=key))


def knows(conn: Connection, name: str, ours: bytes) -> None:
    """Write down which of our keys a peer knows."""
    conn.execute(update(peers).where(peers.c.name == name).values(knows=ours))


def answered(conn: Connection, name: str, card: ServerCard, latency: int, at: int) -> None:
    """Write down that a peer lives, and what it said of itself; its address is what admins agreed on."""
    values = {"seen": at, "away": None, "latency": latency, "version": card.version}
    conn.execute(update(peers).where(peers.c.name == name).values(**values, methods=json.dumps(card.methods)))


def erred(conn: Connection, name: str, error: str, at: int, *, away: bool = False) -> None:
    """Write down what went wrong with a peer; `away`: it does not answer."""
    conn.execute(update(peers).where(peers.c.name == name).values(error=error[:2000], erred=at))
    if away:
        conn.execute(update(peers).where(peers.c.name == name, peers.c.away.is_(None)).values(away=at))


def once(conn: Connection, peer: str, nonce: str, at: int) -> None:
    """Write down that a peer's message was heard.

    Raises:
        PeerRefused: it was heard before.
    """
    query = select(peer_nonces.c.at).where(peer_nonces.c.peer == peer, peer_nonces.c.nonce == nonce)
    if conn.execute(query).first() is not None:
        raise said_before(peer)
    try:
        conn.execute(insert(peer_nonces).values(peer=peer, nonce=nonce, at=at))
    except IntegrityError as error:
        raise said_before(peer) from error


def said_before(peer: str) -> PeerRefused:
    """Return the error of a message that came twice."""
    return PeerRefused(f"“{peer}” has said this before: nothing is done twice.")


def forget_nonces(conn: Connection, at: int) -> None:
    """Forget messages that are too old to be taken anyway."""
    conn.execute(delete(peer_nonces).where(peer_nonces.c.at < at - 3 * SKEW))


def unfinished(conn: Connection, name: str) -> list[int]:
    """Return the jobs of a peer's users that have not ended."""
    theirs = select(users.c.id).where(users.c.name.like(f"%@{name}"))
    open_ = jobs.c.state.not_in([state.value for state in JOB_ENDED])
    return sorted(conn.execute(select(jobs.c.number).where(jobs.c.owner.in_(theirs), open_)).scalars())


def _view(row: Row[Any], *, errors: bool) -> PeerView:
    since = moment(row.created)
    assert since is not None
    return PeerView(
        name=row.name,
        address=row.url,
        state=PeerState(row.state),
        sees_all=row.sees_all,
        version=row.version,
        methods=json.loads(row.methods or "[]"),
        since=since,
        seen=moment(row.seen),
        away=moment(row.away),
        latency_seconds=None if row.latency is None else seconds(row.latency),
        fingerprint=fingerprint(row.key),
        error=row.error if errors else "",
        erred=moment(row.erred) if errors else None,
        lends=Lend.model_validate_json(row.lends) if row.lends else None,
        borrows=Borrow.model_validate_json(row.borrows) if row.borrows else None,
        rate=row.rate / 1000,
        probes=row.probes,
    )
