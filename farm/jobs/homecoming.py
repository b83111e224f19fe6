"""When frames' files were first fetched: a figure for `--timing`, so it costs downloads nothing.

What was fetched is noted in memory and written together now and then. A server that is
killed forgets the last second of it.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from farm.database.schema import attempts, frames
from farm.words.clock import now

MOST = 10_000
"""Frames that wait to be written; more at once are not noted."""

_RESULT = select(frames.c.result_attempt).where(
    frames.c.job == bindparam("of_job"), frames.c.number == bindparam("of_frame")
)
_FETCHED = (
    update(attempts)
    .where(attempts.c.id == _RESULT.scalar_subquery(), attempts.c.fetched.is_(None))
    .values(fetched=bindparam("now"))
)


class Homecoming:
    """The frames that were fetched since it was asked last."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], int] = {}

    async def note(self, job: int, frame: int) -> None:
        """Note that a file of a frame has gone out, wholly."""
        if len(self._seen) < MOST:
            self._seen.setdefault((job, frame), now())

    def take(self) -> dict[tuple[int, int], int]:
        """Return what was noted, by job and frame, and forget it."""
        seen, self._seen = self._seen, {}
        return seen


def record(conn: Connection, seen: dict[tuple[int, int], int]) -> None:
    """Write down when frames were fetched; the first time of each counts."""
    rows = [{"of_job": job, "of_frame": frame, "now": at} for (job, frame), at in sorted(seen.items())]
    if rows:
        conn.execute(_FETCHED, rows)
