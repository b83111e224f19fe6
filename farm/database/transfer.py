"""Copy a farm's rows from one database into another, of whichever kinds the two are.

Rows go in the order of their keys, so one that broke off goes on behind the last row that is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy import Engine, Table, delete, insert, literal, select, tuple_
from sqlalchemy.engine import Connection

from farm.database.migrate import SHARED, migrate, revision
from farm.database.migrations import HEAD
from farm.database.schema import meta, metadata, sequences
from farm.words.errors import NotASetup

AT_ONCE = 500
"""Rows of a transaction: attempts carry logs of some kB each."""

FILLING = "filling"
"""The row of `meta` that a database has until it has all rows: no server starts on it. It says what is copied."""

MOVED = "moved"
"""The row of `meta` that a database has from which a server was moved: no server starts on it again. It says where."""

Told = Callable[[str, int], None]
"""Is told a table's name, and how many of its rows were copied."""

_ROWS = {"yield_per": AT_ONCE}


def begin(target: Engine, what: str) -> None:
    """Make the tables, and mark the database as one that is being filled.

    Args:
        target: an empty database, or one whose filling broke off.
        what: says what it is filled with; only the same goes on.

    Raises:
        NotASetup: it has rows of something else.
    """
    if revision(target) is None:
        migrate(target)
    with target.begin() as conn:
        if conn.execute(select(meta.c.key).where(meta.c.key != SHARED).limit(1)).first() is None:
            # No server ever started on it.
            conn.execute(delete(sequences))
            conn.execute(insert(meta).values(key=FILLING, value=what))
        found = conn.execute(select(meta.c.value).where(meta.c.key == FILLING)).scalar()
    if found != what or revision(target) != HEAD:
        raise NotASetup(
            f"The database {target.url.render_as_string()} is not empty.",
            hint="Name an empty one. Nothing was changed.",
        )


def copy(source: Connection, target: Engine, told: Told = lambda _table, _rows: None) -> None:
    """Copy all rows but those of `meta`, which make the database a server's: see :func:`finish`.

    Args:
        source: a connection whose queries all see the same moment; at the newest revision.
        target: begun with :func:`begin`.
        told: is told of each table.
    """
    for table in _tables():
        told(table.name, _fill(source, target, table))


def differing(source: Connection, target: Engine) -> list[str]:
    """Return the tables (all but `meta`) that have other rows in one database than in the other."""
    with target.connect() as conn:
        return [table.name for table in _tables() if _digest(source, table) != _digest(conn, table)]


def finish(source: Connection, target: Connection) -> None:
    """Make the target the server's database, in its transaction: only now is it one."""
    rows = [dict(row) for row in source.execute(select(meta).where(meta.c.key != MOVED)).mappings()]
    target.execute(delete(meta))
    if rows:
        target.execute(insert(meta), rows)


def must_be_whole(conn: Connection) -> None:
    """Refuse a database that is being filled, or from which the server was moved.

    Raises:
        NotASetup: it is one of these.
    """
    marks = dict(conn.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_([FILLING, MOVED]))).all())
    if MOVED in marks:
        raise NotASetup(
            f"This server was moved to {marks[MOVED]}.",
            hint="Start it with its new settings; this is the old database.",
        )
    if FILLING in marks:
        raise NotASetup(
            "The database is being filled, and is not whole yet.", hint="Give the command that fills it once more."
        )


def _tables() -> list[Table]:
    """Return the tables, those that others refer to first."""
    return [table for table in metadata.sorted_tables if table is not meta]


def _fill(source: Connection, target: Engine, table: Table) -> int:
    key = list(table.primary_key.columns)
    query, count = select(table).order_by(*key), 0
    with target.connect() as conn:
        last = conn.execute(select(*key).order_by(*(column.desc() for column in key)).limit(1)).first()
    if last is not None:
        there = [literal(value, column.type) for value, column in zip(last, key, strict=True)]
        query = query.where(tuple_(*key) > tuple_(*there))
    for rows in source.execute(query, execution_options=_ROWS).mappings().partitions():
        with target.begin() as conn:
            conn.execute(insert(table), [dict(row) for row in rows])
        count += len(rows)
    return count


def _digest(conn: Connection, table: Table) -> tuple[int, int]:
    """Return how many rows a table has, and a number that all of them together give, in whatever order."""
    count = total = 0
    for row in conn.execute(select(table), execution_options=_ROWS):
        count += 1
        total += int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest(), "big")
    return count, total % (1 << 128)
