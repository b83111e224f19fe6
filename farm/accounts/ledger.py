"""The points' ledger: rows that move points from one account to another, and are never changed.

A row is both entries of a double-entry book: what one account gives, another takes. So the sum of all accounts
is always zero; the farm's own (0) is as far below as all others together are above. What accounts have
is kept in shards per writer, so that no row is shared between processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.engine import Connection

from farm.database import shards
from farm.database.many import Rows
from farm.database.memory import Memory, memory
from farm.database.schema import balances, postings

FARM = 0
"""The account that earned points come from, and burnt ones go to."""


class Kind(StrEnum):
    """What a row of the ledger is about. `ref` is the attempt, or a number of the sequence `posting`."""

    EARNED = "earned"
    """A frame was rendered for another user, and accepted."""
    HALF = "half"
    """A frame was lost by its job's own fault: who tried it gets half."""
    ESCROW = "escrow"
    """A user put points into a job's escrow, to have it rendered sooner."""
    TIP = "tip"
    """A frame of a boosted job: the renderer's part."""
    GONE = "gone"
    """The same: what nobody gets."""
    RETURNED = "returned"
    """What was left in a job's escrow went back to its owner."""
    FORFEIT = "forfeit"
    """What a frame had earned that no check vouches for went back, for its slave drew others falsely."""


EARNING = frozenset({Kind.EARNED, Kind.HALF, Kind.FORFEIT})
"""Rows that count for what a user has ever earned; tips don't, or two could earn by giving to each other."""

_FIELDS = ("milli", "earned")
_PENDING = "balances"
_ADD = shards.adding(balances, ("account", "writer"), _FIELDS)
_INSERT = Rows(
    lambda _: insert(postings),
    ("kind", "ref", "at", "giver", "taker", "milli", "job", "frame", "slave", "inputs"),
)
_SUM = select(func.coalesce(func.sum(balances.c.milli), 0), func.coalesce(func.sum(balances.c.earned), 0)).where(
    balances.c.account == bindparam("of")
)


@dataclass(frozen=True, slots=True)
class Account:
    """What an account has, and what it has ever earned, in thousandths of points."""

    milli: int
    earned: int


@dataclass(frozen=True, slots=True)
class About:
    """What a row is about: the frame and the slave if there are, and the inputs of its formula as JSON."""

    job: int | None = None
    frame: int | None = None
    slave: int | None = None
    inputs: str = "{}"


def escrow(job: int) -> int:
    """Return the account of a job's escrow."""
    return -job


def post(conn: Connection, kind: Kind, ref: int, giver: int, taker: int, milli: int, about: About, at: int) -> None:
    """Write a row; a second one of the same kind and `ref` breaks the transaction.

    Args:
        conn: the writer's.
        kind: what it is about.
        ref: the attempt, or a number of its own.
        giver: the account that has less afterwards.
        taker: the account that has more.
        milli: thousandths of points, not negative.
        about: what is told of it.
        at: now, µs.
    """
    row: dict[str, Any] = {"kind": kind.value, "ref": ref, "at": at, "giver": giver, "taker": taker, "milli": milli}
    row |= {"job": about.job, "frame": about.frame, "slave": about.slave, "inputs": about.inputs}
    memory(conn).later(_INSERT, row)
    earned = milli if kind in EARNING else 0
    _add(conn, giver, -milli, -earned)
    _add(conn, taker, milli, earned)


def correct(conn: Connection, number: int, milli: int, earned: int) -> None:
    """Add to what an account has, without a row: only to make it what its rows give."""
    _add(conn, number, milli, earned)


def account(conn: Connection, number: int) -> Account:
    """Return what an account has, with what this transaction did to it; for the writer."""
    stored_, changes = stored(conn, number), _changes(conn).get(number, (0, 0))
    return Account(stored_.milli + changes[0], stored_.earned + changes[1])


def stored(conn: Connection, number: int) -> Account:
    """Return what an account has, as it is in the database; for readers."""
    milli, earned = conn.execute(_SUM, {"of": number}).one()
    return Account(int(milli), int(earned))


def totals(conn: Connection) -> dict[int, int]:
    """Return what users have ever earned, in thousandths of points; for all who have earned any."""
    c = balances.c
    query = select(c.account, func.sum(c.earned)).where(c.account > FARM).group_by(c.account)
    return {number: int(earned) for number, earned in conn.execute(query)}


def fold(conn: Connection, most: int = shards.FOLDED) -> bool:
    """Put an account's shards together where there are more than `most`; tell whether there may be more such."""
    return shards.fold(conn, balances, "account", _FIELDS, most) == shards.AT_ONCE


def _add(conn: Connection, number: int, milli: int, earned: int) -> None:
    changes = _changes(conn)
    had = changes.get(number, (0, 0))
    changes[number] = (had[0] + milli, had[1] + earned)


def _changes(conn: Connection) -> dict[int, tuple[int, int]]:
    mind = memory(conn)
    changes: dict[int, tuple[int, int]] | None = mind.page.get(_PENDING)
    if changes is None:
        changes = mind.page[_PENDING] = {}
        mind.at_last(_PENDING, lambda _: _write(mind, changes))
    return changes


def _write(mind: Memory, changes: dict[int, tuple[int, int]]) -> None:
    rows: list[dict[str, Any]] = [
        {"account": number, "writer": mind.writer, "milli": milli, "earned": earned}
        for number, (milli, earned) in sorted(changes.items())
        if milli or earned
    ]
    mind.later_all(_ADD, rows)
