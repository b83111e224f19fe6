"""The event log: what happened to jobs, frames and slaves, gap-free per writer.

An id that all writers share would lose events: a reader sees 2 before 1 is committed.
So each writer counts its own, and a reader keeps one number per writer (the vector).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.engine import Connection

from farm.database.many import Rows
from farm.database.memory import Memory, memory
from farm.database.schema import events
from farm.words.clock import SECOND
from farm.words.ranges import FrameRange

KEPT = 48 * 3600 * SECOND
"""How long events are kept, in µs."""

_COLUMNS = ("writer", "seq", "at", "kind", "job", "slave", "data")
_INSERT = Rows(lambda _: insert(events), _COLUMNS)
_PENDING = "events"
_SEQ = "event seq"


@dataclass(frozen=True, slots=True)
class Noted:
    """An event of this process's; the log has its `data` as JSON."""

    writer: int
    seq: int
    at: int
    kind: str
    job: int | None
    slave: str | None
    data: Mapping[str, Any]


class Pending:
    """The events of one transaction: one row per job or slave, however many commands it had."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int | None, str | None], dict[str, Any]] = {}
        self.frames: dict[int, dict[int, str]] = {}
        self.at = 0

    def write(self, conn: Connection) -> None:
        """Insert the events, numbered on from the writer's last."""
        mind = memory(conn)
        found = [(kind, job, slave, data) for (kind, job, slave), data in self.rows.items()]
        found += [("frames", job, None, {"ranges": _ranges(states)}) for job, states in self.frames.items()]
        first = mind.shelf[_SEQ] + 1 if _SEQ in mind.shelf else _newest(conn, mind.writer) + 1
        noted = [Noted(mind.writer, seq, self.at, *one) for seq, one in enumerate(found, first)]
        mind.later_all(_INSERT, [_row(one) for one in noted])
        mind.when_committed(_SEQ, lambda: _told(mind, noted))


def _row(noted: Noted) -> dict[str, Any]:
    return {name: getattr(noted, name) for name in _COLUMNS} | {"data": json.dumps(noted.data)}


def note(
    conn: Connection,
    kind: str,
    *,
    at: int,
    job: int | None = None,
    slave: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Put an event on the log of this transaction.

    Args:
        conn: the writer's.
        kind: as :class:`farm.database.reader.Told` has them; frames have :func:`note_frames`.
        at: the time, µs.
        job: its number.
        slave: its name.
        data: facts for the reader; of several events of one job or slave in one
            transaction, later facts replace earlier ones.
    """
    pending = _pending(conn, at)
    pending.rows.setdefault((kind, job, slave), {}).update(data or {})


def note_frames(conn: Connection, job: int, state: str, numbers: Iterable[int], *, at: int) -> None:
    """Put the new state of some of a job's frames on the log; the last state of each counts."""
    _pending(conn, at).frames.setdefault(job, {}).update(dict.fromkeys(numbers, state))


def prune(conn: Connection, at: int, limit: int = 5000) -> int:
    """Forget events older than 48 hours; return how many.

    The newest of each writer stays, so that a reader who missed some can tell.
    """
    old = conn.execute(
        select(events.c.writer, events.c.seq).where(events.c.at < at - KEPT).order_by(events.c.at).limit(limit)
    ).all()
    gone = 0
    for writer in sorted({row.writer for row in old}):
        newest = _newest(conn, writer)
        highest = min(max(row.seq for row in old if row.writer == writer), newest - 1)
        gone += conn.execute(delete(events).where(and_(events.c.writer == writer, events.c.seq <= highest))).rowcount
    return gone


def _told(mind: Memory, noted: list[Noted]) -> None:
    mind.shelf[_SEQ] = noted[-1].seq
    mind.news(noted)


def _pending(conn: Connection, at: int) -> Pending:
    mind = memory(conn)
    pending = mind.page.get(_PENDING)
    if pending is None:
        pending = mind.page[_PENDING] = Pending()
        mind.at_last(_PENDING, pending.write)
    pending.at = max(pending.at, at)
    assert isinstance(pending, Pending)
    return pending


def _newest(conn: Connection, writer: int) -> int:
    return int(
        conn.execute(select(func.coalesce(func.max(events.c.seq), 0)).where(events.c.writer == writer)).scalar_one()
    )


def _ranges(states: dict[int, str]) -> dict[str, str]:
    by_state: dict[str, list[int]] = {}
    for number, state in states.items():
        by_state.setdefault(state, []).append(number)
    return {state: str(FrameRange.of(numbers)) for state, numbers in by_state.items()}
