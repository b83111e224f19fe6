"""Shards: rows per writer whose sum is meant, so that no row is shared between processes."""

from __future__ import annotations

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from farm.database.many import Rows
from farm.database.memory import memory

FOLDED = 8
"""Shards of one key that are left alone: each start of a server makes a writer, and so one more."""

AT_ONCE = 100
"""Keys whose shards are put together in one transaction."""


def adding(table: Table, keys: tuple[str, ...], fields: tuple[str, ...]) -> Rows:
    """Return the INSERT that adds to a row's numbers if the row is there already."""

    def make(dialect: str) -> Insert:
        if dialect == "sqlite":
            lite = sqlite_insert(table)
            sums = {name: table.c[name] + lite.excluded[name] for name in fields}
            return lite.on_conflict_do_update(index_elements=list(keys), set_=sums)
        my = mysql_insert(table)
        return my.on_duplicate_key_update({name: table.c[name] + my.inserted[name] for name in fields})

    return Rows(make, (*keys, *fields))


def fold(conn: Connection, table: Table, key: str, fields: tuple[str, ...], most: int = FOLDED) -> int:
    """Put the shards of a key together where there are many; return of how many keys that was so.

    Only shards that were read, and are locked, go: one that another writer makes meanwhile stays beside the sum.

    Args:
        conn: the writer's.
        table: whose key are `key` and the writer.
        key: the column that the shards have in common.
        fields: the columns that are summed.
        most: shards of one key that are left alone.
    """
    of = table.c[key]
    many = select(of).group_by(of).having(func.count() > most).limit(AT_ONCE)
    found = sorted(conn.execute(many).scalars())
    for one in found:
        locked = conn.execute(select(table).where(of == one).with_for_update()).mappings().all()
        writers = [row["writer"] for row in locked]
        conn.execute(delete(table).where(of == one, table.c.writer.in_(writers)))
        summed = {name: sum(row[name] for row in locked) for name in fields}
        conn.execute(insert(table), {key: one, "writer": memory(conn).writer, **summed})
    return len(found)
