"""Frames that needed more memory than a slave had: they go to bigger ones, as long as there are any."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, frames, slaves
from farm.protocol.slaves import Hardware
from farm.scheduler import crowd
from farm.scheduler.failures import Try
from farm.words.states import FrameState


def bigger(short: int, memories: Mapping[int, int]) -> set[int]:
    """Return the slaves with more memory than was too little; all of them if none has: pure.

    Args:
        short: bytes.
        memories: bytes of memory by slave.
    """
    found = {slave for slave, size in memories.items() if size > short}
    return found or set(memories)


def fitting(conn: Connection, tries: Sequence[Try], able: Collection[int]) -> Collection[int]:
    """Return those of the fitting slaves that have the memory for a frame which failed for lack of it.

    Args:
        conn: any connection.
        tries: the failed attempts at the frame.
        able: live slaves that could render it otherwise.
    """
    short = max((t.short for t in tries), default=0)
    return bigger(short, _memories(conn, slaves.c.id.in_(sorted(able)))) if short else able


def memory_of(conn: Connection, slave: int) -> int:
    """Return a slave's memory in bytes; 0: unknown."""
    return _memories(conn, slaves.c.id == slave).get(slave, 0)


_BOTH = and_(attempts.c.job == frames.c.job, attempts.c.frame == frames.c.number)
_SHORT = (
    select(func.min(frames.c.number), func.max(attempts.c.short))
    .select_from(frames)
    .join(attempts, _BOTH)
    .where(frames.c.job == bindparam("of"), frames.c.state == FrameState.READY.value, frames.c.rank % 2 == 1)
    .where(attempts.c.short > 0)
)


def why(conn: Connection, job: int) -> str:
    """Return why ready frames of a job wait for a bigger slave; '' if none do."""
    number, short = conn.execute(_SHORT, {"of": job}).one()
    live = _memories(conn, slaves.c.state.in_([state.value for state in crowd.LIVE])) if short else {}
    most = max(live.values(), default=0)
    if most <= (short or 0):
        return ""
    needs, has = (f"{size / 1e9:.1f} GB" for size in (short, most))
    return f"Frame {number} needs more than {needs} of memory: it waits for a slave that has {has}."


def _memories(conn: Connection, where: Any) -> dict[int, int]:
    rows = conn.execute(select(slaves.c.id, slaves.c.hardware).where(where))
    return {row.id: Hardware.model_validate_json(row.hardware).memory_bytes if row.hardware else 0 for row in rows}
