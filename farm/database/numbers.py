"""Numbers that are never used again.

They come from a row that is raised in the transaction that uses them: AUTO_INCREMENT and
AUTOINCREMENT both give a deleted row's number again, after TRUNCATE or a restore.
"""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import sequences

BLOCK = 1000
"""Numbers that are reserved at once where one is needed per frame."""

_RAISE = update(sequences).where(sequences.c.name == bindparam("of")).values(next=sequences.c.next + bindparam("count"))
_NEXT = select(sequences.c.next).where(sequences.c.name == bindparam("of"))


def take(conn: Connection, name: str, count: int = 1) -> int:
    """Return the first of `count` fresh numbers of a sequence."""
    if not conn.execute(_RAISE, {"of": name, "count": count}).rowcount:
        conn.execute(insert(sequences), {"name": name, "next": 1 + count})
        return 1
    return int(conn.execute(_NEXT, {"of": name}).scalar_one()) - count


def reserved(conn: Connection, name: str, count: int = 1) -> range:
    """Return `count` fresh numbers out of a block that this writer has reserved.

    Numbers of a block that are not used before the process ends are skipped for good.
    """
    blocks = memory(conn).blocks
    block = blocks.get(name, range(0))
    if len(block) < count:
        first = take(conn, name, max(BLOCK, count))
        block = range(first, first + max(BLOCK, count))
    blocks[name] = block[count:]
    return block[:count]
