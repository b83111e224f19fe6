"""The tables of points: the ledger, and what accounts have."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, LONG_TEXT, text


class Posting(SQLModel, table=True):
    """A row of the points' ledger, never changed nor deleted: thousandths of points from one account to another.

    Accounts are users by their ids, jobs' escrows by their negative numbers, and 0, the farm, from which what is
    earned comes, and to which goes what is burnt. `ref`: the attempt that it is for, or a number of its own.
    `inputs`: JSON, all that the amount was computed from.
    """

    __table_args__ = (
        PrimaryKeyConstraint("kind", "ref"),
        Index("posting_taker", "taker", "at"),
        Index("posting_giver", "giver", "at"),
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
