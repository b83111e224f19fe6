"""The tables of points: the ledger, and what accounts have."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, HASH, LONG_TEXT, text


class Posting(SQLModel, table=True):
    """A row of the points' ledger, never changed: thousandths of points from one account to another.

    It goes when its book is closed, long after its job was deleted: into an archive (:class:`Book`), and its amount
    into what is carried forward (:class:`Carried`).

    Accounts are users by their ids, jobs' escrows by their negative numbers, and 0, the farm, from which what is
    earned comes, and to which goes what is burnt. `ref`: the attempt that it is for, or a number of its own.
    `inputs`: JSON, all that the amount was computed from.
    """

    __table_args__ = (
        PrimaryKeyConstraint("kind", "ref"),
        Index("posting_taker", "taker", "at"),
        Index("posting_giver", "giver", "at"),
        Index("posting_job", "job", "ref"),
    )

    kind: str = Field(sa_type=text(16))
    ref: int = Field(sa_type=BIG)
    at: int = Field(sa_type=BIG)
    giver: int = Field(sa_type=BIG)
    taker: int = Field(sa_type=BIG)
    milli: int = Field(sa_type=BIG)
    job: int | None = Field(default=None, sa_type=BIG)
    frame: int | None = Field(default=None, sa_type=BIG)
    slave: int | None = Field(default=None, sa_type=BIG)
    inputs: str = Field(default="{}", sa_type=LONG_TEXT)


class Balance(SQLModel, table=True):
    """A writer's share of what an account has, in thousandths of points; `earned`: of what it ever earned."""

    __table_args__ = (PrimaryKeyConstraint("account", "writer"),)

    account: int = Field(sa_type=BIG)
    writer: int = Field(sa_type=BIG)
    milli: int = Field(default=0, sa_type=BIG)
    earned: int = Field(default=0, sa_type=BIG)


class Book(SQLModel, table=True):
    """Rows of the ledger that were taken out of it: those of jobs that were deleted long ago (:attr:`Job.book`).

    `begun`: when its jobs were chosen. `archived`: since when the archive has its rows, which may go from then on.
    `hash`, `size` are the archive's; `entries`, `milli`: how many rows it has, and of how much; `first`, `last`: the
    times of the oldest and the newest of them. `cleared`: how many have gone so far; `turns`: in how many pieces.
    `closed`: when all had.
    """

    number: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    begun: int = Field(sa_type=BIG)
    archived: int | None = Field(default=None, sa_type=BIG)
    closed: int | None = Field(default=None, sa_type=BIG)
    hash: bytes | None = Field(default=None, sa_type=HASH)
    size: int = Field(default=0, sa_type=BIG)
    entries: int = Field(default=0, sa_type=BIG)
    milli: int = Field(default=0, sa_type=BIG)
    first: int | None = Field(default=None, sa_type=BIG)
    last: int | None = Field(default=None, sa_type=BIG)
    cleared: int = Field(default=0, sa_type=BIG)
    turns: int = Field(default=0, sa_type=BIG)


class Carried(SQLModel, table=True):
    """What the rows of closed books moved from or to a user's account, by their kind; 0: what was burnt.

    `entries`: how many they were; `paid`: of these, with an amount.
    """

    __table_args__ = (PrimaryKeyConstraint("account", "kind"),)

    account: int = Field(sa_type=BIG)
    kind: str = Field(sa_type=text(16))
    milli: int = Field(default=0, sa_type=BIG)
    entries: int = Field(default=0, sa_type=BIG)
    paid: int = Field(default=0, sa_type=BIG)


class Rating(SQLModel, table=True):
    """A benchmark of a slave, which is a job of its owner's. `power`, `throughput` in thousandths; NULL: not done yet.

    `pixels`: JSON, the pixels' hash by frame. `provisional`: no slave of another owner (among strangers: of an admin's)
    has drawn the same pixels. `cause`: why it was begun, a word of the protocol's. `machine`: what was measured, as
    :func:`farm.accounts.due.fingerprint` has it.
    """

    job: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    slave: int = Field(sa_type=BIG, foreign_key="slave.id", index=True)
    method: str = Field(sa_type=text(32))
    version: str = Field(default="", sa_type=text(32))
    at: int = Field(sa_type=BIG)
    power: int | None = Field(default=None, sa_type=BIG)
    throughput: int | None = Field(default=None, sa_type=BIG)
    pixels: str = Field(default="{}", sa_type=LONG_TEXT)
    provisional: bool = True
    over: bool = Field(default=False, index=True)
    cause: str = Field(default="asked", sa_type=text(16))
    machine: str = Field(default="", sa_type=text(16))
