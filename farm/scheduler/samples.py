"""What slaves' machines were busy with, in the last day: a ring for each slave, so that it never grows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from farm.database.many import Rows
from farm.database.memory import memory
from farm.database.schema import samples, slaves
from farm.protocol.errands import Load
from farm.words.clock import SECOND

STEP = 300 * SECOND
"""µs between two samples that are kept; the newest one takes the place of those before it in its step."""

PLACES = 288
"""Samples of a slave: a day."""

_FIELDS = ("at", "cpu", "memory", "disk", "free", "cache")


def _put(dialect: str) -> Insert:
    if dialect == "sqlite":
        lite = sqlite_insert(samples)
        fresh = {name: lite.excluded[name] for name in _FIELDS}
        return lite.on_conflict_do_update(index_elements=["slave", "place"], set_=fresh)
    my = mysql_insert(samples)
    return my.on_duplicate_key_update({name: my.inserted[name] for name in _FIELDS})


_PUT = Rows(_put, ("slave", "place", *_FIELDS))


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample: when (µs), the part of the processors that worked (0 to 1), and bytes."""

    at: int
    cpu: float
    memory: int
    disk: int
    free: int
    cache: int


def note(conn: Connection, slave: int, load: Load, at: int) -> None:
    """Keep what a slave says of its machine."""
    row = {"slave": slave, "place": at // STEP % PLACES, "at": at, "cpu": round(load.cpu * 1000)}
    sizes = {"memory": load.memory_used, "disk": load.disk_bytes, "free": load.disk_free, "cache": load.cache_bytes}
    memory(conn).later(_PUT, row | sizes)


def of_named(conn: Connection, name: str, at: int) -> list[Sampled]:
    """Return the samples of the slave of this name of the last day, oldest first."""
    c = samples.c
    query = select(c.at, c.cpu, c.memory, c.disk, c.free, c.cache).join(slaves, slaves.c.id == c.slave)
    query = query.where(slaves.c.name == name, c.at > at - PLACES * STEP)
    return [Sampled(row.at, row.cpu / 1000, *row[2:]) for row in conn.execute(query.order_by(c.at))]
