"""Recompute closed books from their archives, and what is carried forward from both."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import books
from farm.accounts.books import Amounts
from farm.accounts.formula import points
from farm.database.schema import jobs, postings
from farm.files.store import BlobStore
from farm.words.errors import DistrenError

Faults = Callable[[Any], Iterable[str]]
"""Tells what is wrong with a row."""


def audit(conn: Connection, store: BlobStore, faults: Faults) -> Iterator[str]:
    """Yield what is wrong with closed books, one sentence each.

    Args:
        conn: a reader's.
        store: where the archives are.
        faults: tells what is wrong with a row.
    """
    rest, whole = books.forward(conn), True
    for book in books.archives(conn):
        try:
            yield from _book(book, store.local(book.hash.hex()), faults, rest)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, DistrenError) as error:
            whole = False
            yield f"The archive of book {book.number} can't be read: {error}"
    if whole:
        yield from _carried(conn, rest)


def _book(book: Any, file: Path, faults: Faults, rest: Amounts) -> Iterator[str]:
    """Look at one archive, and take what its rows moved off the rest."""
    with file.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").digest() != book.hash:
            yield f"The archive of book {book.number} was changed: its SHA-256 is not what was written down."
    entries = milli = 0
    for row in books.read(file):
        entries, milli = entries + 1, milli + row.milli
        rest[books.whose(row.kind, row.giver, row.taker), row.kind].add(-row.milli, -1, 0)
        for fault in faults(row):
            yield f"Row {row.kind} {row.ref} in the archive of book {book.number}: {fault}"
    if (entries, milli) != (book.entries, book.milli):
        yield (
            f"The archive of book {book.number} has {entries} rows of {points(milli)} points, "
            f"but {book.entries} of {points(book.milli)} were written."
        )


def _carried(conn: Connection, rest: Amounts) -> Iterator[str]:
    """Compare what is carried forward with the archives, but for rows that are in both an archive and the ledger."""
    c = postings.c
    both = select(c.kind, c.giver, c.taker, c.milli).join(jobs, jobs.c.number == c.job)
    written = [book.number for book in books.archives(conn) if book.closed is None]
    for row in conn.execute(both.where(jobs.c.book.in_(written))):
        rest[books.whose(row.kind, row.giver, row.taker), row.kind].add(row.milli, 1, 0)
    for (account, kind), left in sorted(rest.items()):
        if left.milli or left.entries:
            yield (
                f"What is carried forward of account {account} as “{kind}” is {points(left.milli)} points and "
                f"{left.entries} rows more than the archives have."
            )
