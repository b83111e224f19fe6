"""Which of a server's processes does what has to be done once for all of them.

Any may. The one that does says so every second in the database; the others watch. One that is silent is
followed by whoever notices first. How long it is silent, each watcher measures by a clock of its own that
nobody sets, so it does not matter what the machines take for the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from farm.database.handle import Database
from farm.database.schema import meta

log = structlog.get_logger(__name__)

KEY = "caretaker"
"""The row of `meta`: the number of the process's writer, and how often it has said that it lives."""

NOBODY = "0"
"""Stands in its place when the caretaker has left; writers are counted from 1."""

BEAT = 1.0
"""Seconds between two looks."""

HOLDS = 4.0
"""Seconds after its last word for which a process takes itself for the caretaker."""

SILENT = 6.0
"""Seconds without a word after which another process follows; longer than :data:`HOLDS`, so never two at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process saw last in the database, and when its own clock said what (seconds)."""

    word: str | None = None
    since: float = 0.0


class Caretaker:
    """Knows whether this process is the caretaker.

    Args:
        database: the server's. On SQLite there is one process only, and so it is.
        now: seconds of a clock that nobody sets.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._now = now
        self._alone = database.dialect == "sqlite"
        self._seen = Seen()
        self._until = 0.0

    @property
    def here(self) -> bool:
        """This process is the caretaker, at least for a moment."""
        return self._alone or self._now() < self._until

    async def look(self) -> None:
        """Say that the caretaker lives, if it is this process; else see whether another one does."""
        if self._alone:
            return
        began, was = self._now(), self.here
        try:
            ours, word = await self._database.write(partial(self._turn, began=began))
        except IntegrityError:  # another process was the first of all, a moment ago
            return
        if word != self._seen.word:
            self._seen = Seen(word, began)
        self._until = began + HOLDS if ours else 0.0
        if self.here and not was:
            log.info("This process does the periodic work from now on.", writer=self._database.writer_number)

    async def leave(self) -> None:
        """Let another process follow at once."""
        if not self._alone and self.here:
            self._until = 0.0
            await self._database.write(self._nobody)

    def _turn(self, conn: Connection, began: float) -> tuple[bool, str]:
        """Return whether the turn is this process's, and what stands in the database now."""
        me = str(self._database.writer_number)
        word = conn.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar()
        if word is None:
            first = f"{me} 1"
            conn.execute(insert(meta).values(key=KEY, value=first))
            return True, first
        holder, _, beats = word.partition(" ")
        silent = word == self._seen.word and began - self._seen.since > SILENT
        if holder not in {me, NOBODY} and not silent:
            return False, word
        mine = f"{me} {int(beats) + 1}"
        taken = conn.execute(update(meta).where(meta.c.key == KEY, meta.c.value == word).values(value=mine)).rowcount
        return (True, mine) if taken else (False, word)

    def _nobody(self, conn: Connection) -> None:
        mine = meta.c.value.startswith(f"{self._database.writer_number} ")
        conn.execute(update(meta).where(meta.c.key == KEY, mine).values(value=f"{NOBODY} 0"))
