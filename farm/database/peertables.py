"""The tables of other servers."""

from __future__ import annotations

from sqlalchemy import PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, HASH, LONG_TEXT, text


class Peer(SQLModel, table=True):
    """Another server, with which both admins agreed.

    `key` is its public key; `knows` that of ours which it knows: what it is told is signed with this one. `sees_all`:
    its users see all jobs here, as in a studio; else their own. `seen`: when it last answered; `away`: since when
    it does not (µs). `latency` in µs. `error`: what went wrong last, at `erred`.
    `place`: its number among all peers that there ever were, from 1. `lends`, `borrows`: on which terms this server's
    slaves render for it, and its slaves here, JSON of the protocol's; empty: they don't. `rate`: what a minute that
    it signs is worth here, in thousandths, by so many `probes`.
    """

    name: str = Field(primary_key=True, sa_type=text(63))
    url: str = Field(sa_type=text(1000))
    key: bytes = Field(sa_type=HASH)
    knows: bytes = Field(sa_type=HASH)
    state: str = Field(sa_type=text(16))
    sees_all: bool = False
    created: int = Field(sa_type=BIG)
    version: str = Field(default="", sa_type=text(200))
    methods: str = Field(default="", sa_type=LONG_TEXT)
    seen: int | None = Field(default=None, sa_type=BIG)
    away: int | None = Field(default=None, sa_type=BIG)
    latency: int | None = Field(default=None, sa_type=BIG)
    error: str = Field(default="", sa_type=LONG_TEXT)
    erred: int | None = Field(default=None, sa_type=BIG)
    place: int = 0
    lends: str | None = Field(default=None, sa_type=LONG_TEXT)
    borrows: str | None = Field(default=None, sa_type=LONG_TEXT)
    rate: int = 1000
    probes: int = 0


class PeerInvite(SQLModel, table=True):
    """A code by which one server becomes a peer; only its hash is kept. `key`: the public key of who used it."""

    code: bytes = Field(primary_key=True, sa_type=HASH)
    name: str = Field(sa_type=text(63))
    sees_all: bool = False
    expires: int = Field(sa_type=BIG)
    key: bytes | None = Field(default=None, sa_type=HASH)


class PeerNonce(SQLModel, table=True):
    """A message of a peer's that changed something: it does not do so twice."""

    __table_args__ = (PrimaryKeyConstraint("peer", "nonce"),)

    peer: str = Field(sa_type=text(63))
    nonce: str = Field(sa_type=text(64))
    at: int = Field(sa_type=BIG, index=True)


class RemoteFile(SQLModel, table=True):
    """A finished file of a frame of another server's, fetched for frames here that wait for it; it pins its blob."""

    __table_args__ = (PrimaryKeyConstraint("server", "job", "frame", "name"),)

    server: str = Field(sa_type=text(63))
    job: int = Field(sa_type=BIG)
    frame: int = Field(sa_type=BIG)
    name: str = Field(sa_type=text(500))
    hash: bytes = Field(sa_type=HASH, index=True)
    size: int = Field(sa_type=BIG)


class LentFrame(SQLModel, table=True):
    """A result of a slave here that a peer took. `attempt` is the peer's number, `cpu` the processors' time in µs.

    `milli`: what the peer owes for it, in thousandths of points, by its `receipt`, a signature of `signer`'s key in
    hex; NULL: it has not said so yet. `worth`: what it is worth by this server's own ratings; NULL: nobody can tell.
    """

    __table_args__ = (PrimaryKeyConstraint("peer", "attempt"),)

    peer: str = Field(sa_type=text(63))
    attempt: int = Field(sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    cpu: int = Field(sa_type=BIG)
    at: int = Field(sa_type=BIG)
    milli: int | None = Field(default=None, sa_type=BIG)
    receipt: str = Field(default="", sa_type=text(128))
    signer: bytes | None = Field(default=None, sa_type=HASH)
    worth: int | None = Field(default=None, sa_type=BIG)


class TakenBack(SQLModel, table=True):
    """A counter-receipt: what a peer owes no more for a result that was false, by a signature of `signer`'s key."""

    __table_args__ = (PrimaryKeyConstraint("peer", "attempt"),)

    peer: str = Field(sa_type=text(63))
    attempt: int = Field(sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    milli: int = Field(sa_type=BIG)
    why: str = Field(sa_type=text(500))
    receipt: str = Field(sa_type=text(128))
    signer: bytes = Field(sa_type=HASH)
    at: int = Field(sa_type=BIG)


class PeerDay(SQLModel, table=True):
    """Bytes that slaves here fetched from a peer and sent to it on one day: those since 1970, UTC."""

    __table_args__ = (PrimaryKeyConstraint("peer", "day"),)

    peer: str = Field(sa_type=text(63))
    day: int = Field(sa_column_kwargs={"autoincrement": False})
    bytes: int = Field(sa_type=BIG)
