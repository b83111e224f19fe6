"""What a simulated day has cost and left behind."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from sqlalchemy import Connection, func, select, text

from farm.database import schema
from farm.words.clock import seconds


@dataclass(frozen=True, slots=True)
class Day:
    """A virtual day.

    Args:
        number: from 1.
        frames: rendered on it.
        failed: tries that failed on it.
        waiting: frames that were left over at its end.
        busy: the part of the slaves' time in which they rendered.
        cpu: seconds of this process.
        memory: bytes of this process at its end.
        database: bytes of the database's files.
        free: bytes within these that hold nothing.
        rows: of each table that has any.
    """

    number: int
    frames: int
    failed: int
    waiting: int
    busy: float
    cpu: float
    memory: int
    database: int
    free: int
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hour:
    """A virtual hour.

    Args:
        number: from 1.
        frames: rendered in it.
        waiting: frames that were left over at its end.
        waited: seconds that jobs waited for their first frame, the longest of those that got it in this hour.
        cpu: seconds of this process.
        memory: bytes of this process at its end.
        database: bytes of the database's files.
    """

    number: int
    frames: int
    waiting: int
    waited: float
    cpu: float
    memory: int
    database: int


def waited(conn: Connection, since: int) -> float:
    """Return the longest that a job waited for its first frame, of those that got it since a time (µs); seconds."""
    c = schema.jobs.c
    query = select(func.max(c.started - c.queued)).where(c.started >= since, c.started >= c.queued)
    return seconds(conn.execute(query).scalar() or 0)


def rows(conn: Connection) -> dict[str, int]:
    """Return how many rows the tables have, those without any left out."""
    tables = sorted((t for t in vars(schema).values() if hasattr(t, "c") and hasattr(t, "name")), key=lambda t: t.name)
    counts = {t.name: int(conn.execute(select(func.count()).select_from(t)).scalar_one()) for t in tables}
    return {name: count for name, count in counts.items() if count}


def free(conn: Connection) -> int:
    """Return the bytes of free pages of a SQLite database."""
    pages, each = (conn.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("freelist_count", "page_size"))
    return int(pages) * int(each)


def bytes_of(file: Path) -> int:
    """Return the size of a database with its log."""
    files = [Path(f"{file}{end}") for end in ("", "-wal")]
    return sum(one.stat().st_size for one in files if one.exists())


def memory() -> int:
    """Return what this process takes, bytes."""
    return int(psutil.Process().memory_info().rss)


def cpu() -> float:
    """Return the seconds that this process has computed."""
    return time.process_time()
