"""Closed books: rows of the ledger that went into an archive, and what they are carried forward as.

An archive is gzipped CSV. Its bytes depend on its rows alone, so whoever writes it once more after a crash makes the
same. What its rows moved is kept for each user's account by kind, so that accounts, what was ever earned, and what is
between servers stay what they are.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts.ledger import FARM, Kind
from farm.database import shards
from farm.database.memory import memory
from farm.database.schema import books, carried, jobs

GIVEN = frozenset({Kind.ESCROW, Kind.FORFEIT})
"""Rows in which the user gives; in all others they take, but of what was burnt, which is nobody's."""

_NUMBERS = ("ref", "at", "giver", "taker", "milli", "job", "frame", "slave", "owner", "renderer")
FIELDS = ("kind", *_NUMBERS, "inputs")
"""Columns of an archive: those of the ledger, then whose the job was, and the slave; `inputs` is JSON."""

_FIELDS = ("milli", "entries", "paid")
_CARRY = shards.adding(carried, ("account", "kind"), _FIELDS)
_GZIP = 31
"""zlib's `wbits` for gzip; its header has no name and no time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of an archive, with all that an audit asks of a row of the ledger."""

    kind: str
    ref: int
    at: int
    giver: int
    taker: int
    milli: int
    job: int | None
    frame: int | None
    slave: int | None
    owner: int | None
    renderer: int | None
    inputs: str
    job_state: ClassVar[str] = "deleted"
    attempt: ClassVar[None] = None


@dataclass(slots=True)
class Amount:
    """What rows of one account and kind moved, how many they are, and how many with an amount."""

    milli: int = 0
    entries: int = 0
    paid: int = 0

    def add(self, milli: int, entries: int = 1, paid: int | None = None) -> None:
        """Count more."""
        self.milli += milli
        self.entries += entries
        self.paid += (milli > 0) if paid is None else paid


Amounts = defaultdict[tuple[int, str], Amount]
"""By account and kind."""


def whose(kind: str, giver: int, taker: int) -> int:
    """Return the account by which a row is carried forward: the user's, whatever the other side is."""
    return giver if kind in GIVEN else taker


def sides(account: int, kind: str) -> tuple[int, int]:
    """Return who gave and who took what is carried forward.

    The escrow of a job that is no more gave what it had got. So it stands on neither side: the farm does.
    """
    return (account, FARM) if kind in GIVEN else (FARM, account)


class Writer:
    """Makes the bytes of an archive, and counts what goes into it."""

    def __init__(self) -> None:
        self._zip = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
        self._titles = True
        self.entries = 0
        self.milli = 0
        self.first: int | None = None
        self.last: int | None = None

    def add(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        """Take more rows; return what is ready of the bytes."""
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        if self._titles:
            out.writerow(FIELDS)
            self._titles = False
        for row in rows:
            out.writerow([row[name] for name in FIELDS])
            self._count(row)
        return self._zip.compress(text.getvalue().encode())

    def end(self) -> bytes:
        """Return the rest of the bytes."""
        return self._zip.flush()

    def _count(self, row: Mapping[str, Any]) -> None:
        self.entries += 1
        self.milli += row["milli"]
        self.first = row["at"] if self.first is None else min(self.first, row["at"])
        self.last = row["at"] if self.last is None else max(self.last, row["at"])


def read(file: Path) -> Iterator[Entry]:
    """Yield the rows of an archive.

    Raises:
        OSError, EOFError, zlib.error: it is not there, or no gzip.
        ValueError, KeyError: it is no archive.
    """
    import gzip  # a server that only starts needs none

    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            numbers = {name: int(row[name]) if row[name] else None for name in _NUMBERS}
            json.loads(row["inputs"])
            yield Entry(kind=row["kind"], inputs=row["inputs"], **numbers)  # type: ignore[arg-type]


def carry(conn: Connection, amounts: Mapping[tuple[int, str], Amount]) -> None:
    """Add to what is carried forward."""
    rows = [
        {"account": account, "kind": kind, "milli": one.milli, "entries": one.entries, "paid": one.paid}
        for (account, kind), one in sorted(amounts.items())
    ]
    memory(conn).later_all(_CARRY, rows)


def forward(conn: Connection) -> Amounts:
    """Return what is carried forward."""
    found = Amounts(Amount)
    for row in conn.execute(select(carried)):
        found[row.account, row.kind].add(row.milli, row.entries, row.paid)
    return found


def forward_of(conn: Connection, account: int, kind: Kind) -> Amount:
    """Return what is carried forward of one kind for an account."""
    c = carried.c
    row = conn.execute(select(c.milli, c.entries, c.paid).where(c.account == account, c.kind == kind.value)).first()
    return Amount() if row is None else Amount(*row)


def of_user(conn: Connection, user: int) -> list[tuple[str, int, int]]:
    """Return what a user's rows in closed books moved: kind, thousandths of points (negative: given), rows."""
    query = select(carried).where(carried.c.account == user).order_by(carried.c.kind)
    return [(row.kind, row.milli * (-1 if row.kind in GIVEN else 1), row.entries) for row in conn.execute(query)]


def closing(conn: Connection) -> set[int]:
    """Return the deleted jobs whose rows are going now."""
    return set(conn.execute(select(jobs.c.number).where(jobs.c.book.is_not(None))).scalars())


def archives(conn: Connection) -> list[Any]:
    """Return all books that have an archive, the oldest first."""
    return list(conn.execute(select(books).where(books.c.hash.is_not(None)).order_by(books.c.number)))
