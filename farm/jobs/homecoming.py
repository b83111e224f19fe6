"""When frames' files were first fetched: for `--timing`, and since only what was fetched may be deleted by itself.

What was fetched is noted in memory and written together now and then, so it costs downloads nothing. A server that is
killed forgets the last second of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from farm.database.schema import attempts, frames, result_files
from farm.package.results import OUTPUT
from farm.words.clock import now

MOST = 10_000
"""Files that wait to be written; more at once are not noted."""

_RESULT = (
    select(frames.c.result_attempt)
    .where(frames.c.job == bindparam("of_job"), frames.c.number == bindparam("of_frame"))
    .scalar_subquery()
)
_FRAME = update(attempts).where(attempts.c.id == _RESULT, attempts.c.fetched.is_(None)).values(fetched=bindparam("now"))
_FILE = (
    update(result_files)
    .where(
        result_files.c.attempt == _RESULT,
        result_files.c.role == OUTPUT,
        result_files.c.name == bindparam("of_name"),
        result_files.c.hash == bindparam("of_hash"),
        result_files.c.fetched.is_(None),
    )
    .values(fetched=bindparam("now"))
)


@dataclass(frozen=True, slots=True, order=True)
class Home:
    """A finished file that somebody has; `sha256` in hex, since a frame may have been rendered anew meanwhile."""

    job: int
    frame: int
    name: str
    sha256: str


class Homecoming:
    """The files that were fetched since it was asked last."""

    def __init__(self) -> None:
        self._seen: dict[Home, int] = {}

    async def note(self, files: Iterable[Home]) -> None:
        """Note that files have gone out, wholly."""
        for file in files:
            if len(self._seen) < MOST:
                self._seen.setdefault(file, now())

    def take(self) -> dict[Home, int]:
        """Return what was noted, and when, and forget it."""
        seen, self._seen = self._seen, {}
        return seen


def record(conn: Connection, seen: dict[Home, int]) -> None:
    """Write down when files were fetched; the first time of each counts."""
    rows = [
        {"of_job": one.job, "of_frame": one.frame, "now": at, "of_name": one.name, "of_hash": bytes.fromhex(one.sha256)}
        for one, at in sorted(seen.items())
    ]
    if rows:
        firsts = {(row["of_job"], row["of_frame"]): row for row in reversed(rows)}
        conn.execute(_FRAME, [{k: row[k] for k in ("of_job", "of_frame", "now")} for row in firsts.values()])
        conn.execute(_FILE, rows)
