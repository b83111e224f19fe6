"""A job's counts: a shard per writer, so that no row is shared between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.engine import Connection

from farm.database import shards
from farm.database.memory import Memory, memory
from farm.database.schema import tallies
from farm.scheduler.leasesize import Pace
from farm.words.states import FrameState

_STATES = tuple(state.value for state in FrameState)
_FIELDS = (*_STATES, "rendered", "seconds", "work")
_PENDING = "tallies"
_SUMS = select(*(func.coalesce(func.sum(tallies.c[name]), 0).label(name) for name in _FIELDS)).where(
    tallies.c.job == bindparam("of")
)


@dataclass(slots=True)
class Counts:
    """How many frames of a job are in each state, and what is measured; the writer's own go with each change."""

    blocked: int
    ready: int
    leased: int
    done: int
    failed: int
    canceled: int
    rendered: int
    seconds: int
    work: int

    @property
    def open(self) -> int:
        """Frames that may still change by themselves."""
        return self.blocked + self.ready + self.leased

    @property
    def pace(self) -> Pace:
        """The job's own pace."""
        return Pace(self.rendered, self.seconds)


def moved(conn: Connection, job: int, old: str | None, new: str | None, count: int = 1) -> None:
    """Count frames that went from one state to another; None: they came, or are gone."""
    change = {state: by for state, by in ((old, -count), (new, count)) if state is not None}
    _add(conn, job, change)


def finished(conn: Connection, job: int, old: str, us: int, work: int) -> None:
    """Count a frame that has its result: the state that it had, its rendering time and its work, in µs."""
    _add(conn, job, {old: -1, FrameState.DONE: 1, "rendered": 1, "seconds": us, "work": work})


def counts(conn: Connection, job: int, *, anew: bool = False) -> Counts:
    """Return a job's counts, with those of this transaction.

    They are read once per transaction, and again if `anew`: after a lock was got.
    """
    page = memory(conn).page
    known: Counts | None = page.get(("counts", job))
    if known is None or anew:
        known = page["counts", job] = stored(conn, job)
        for name, by in _changes(conn).get(job, {}).items():
            setattr(known, name, getattr(known, name) + by)
    return known


def stored(conn: Connection, job: int) -> Counts:
    """Return a job's counts as they are in the database, for readers."""
    row = conn.execute(_SUMS, {"of": job}).mappings().one()
    return Counts(**{name: int(value) for name, value in row.items()})


def forget(conn: Connection, job: int) -> None:
    """Remove a job's counts."""
    _changes(conn).pop(job, None)
    memory(conn).page.pop(("counts", job), None)
    conn.execute(delete(tallies).where(tallies.c.job == job))


def fold(conn: Connection) -> int:
    """Put a job's shards together where there are many; return how many jobs had that."""
    return shards.fold(conn, tallies, "job", _FIELDS)


def _add(conn: Connection, job: int, more: Mapping[str, int]) -> None:
    changes = _changes(conn)
    change = changes.get(job)
    if change is None:
        change = changes[job] = dict.fromkeys(_FIELDS, 0)
    known: Counts | None = memory(conn).page.get(("counts", job))
    for name, by in more.items():
        change[name] += by
        if known is not None:
            setattr(known, name, getattr(known, name) + by)


def _changes(conn: Connection) -> dict[int, dict[str, int]]:
    mind = memory(conn)
    changes: dict[int, dict[str, int]] | None = mind.page.get(_PENDING)
    if changes is None:
        changes = mind.page[_PENDING] = {}
        mind.at_last(_PENDING, lambda _: _write(mind, changes))
    return changes


def _write(mind: Memory, changes: dict[int, dict[str, int]]) -> None:
    rows = [
        {"job": job, "writer": mind.writer, **change} for job, change in sorted(changes.items()) if any(change.values())
    ]
    mind.later_all(_ADD, rows)


_ADD = shards.adding(tallies, ("job", "writer"), _FIELDS)
