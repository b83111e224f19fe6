"""What the writer remembers: for one transaction, and from one to the next.

Group commit puts many commands into one transaction. What each would write in the same
way, and nobody reads before the end (events, counts, results that became accepted), is
kept here and written once, right before COMMIT. A rollback forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from farm.database.many import Many, run_all

_KEY = "farm_memory"


class Overtaken(Exception):
    """A compare-and-set that was put off found that another was first: run the command again."""


class Memory:
    """The writer's memory; it belongs to the writer's thread.

    Attributes:
        writer: this writer's number.
        blocks: numbers that were taken from a sequence and not yet used, by its name.
        shelf: what rooms remember across transactions; a cache, never the truth.
        batch: how many commands this transaction has.
        news: to be called with the events that were committed, in their order.
        page: what rooms remember within this transaction.
        ahead: what was read for commands of one kind before they ran; a change to it by any other way forgets it.
    """

    def __init__(self, writer: int, news: Callable[[list[Any]], None] = lambda _noted: None) -> None:
        self.writer = writer
        self.news = news
        self.batch = 1
        self.blocks: dict[str, range] = {}
        self.shelf: dict[Hashable, Any] = {}
        self.page: dict[Hashable, Any] = {}
        self.ahead: dict[Hashable, Any] = {}
        self._rows: dict[Many, list[Mapping[str, Any]]] = {}
        self._exact: set[Many] = set()
        self._last: dict[Hashable, Callable[[Connection], None]] = {}
        self._committed: dict[Hashable, Callable[[], None]] = {}

    def later(self, change: Many, row: Mapping[str, Any], *, exact: bool = False) -> None:
        """Do something for this row before COMMIT, in one go with all rows of the same change.

        Args:
            change: the same object for rows that go together.
            row: its parameters.
            exact: each row must hit exactly one row of the table (compare-and-set); else
                the transaction is rolled back and its commands run one by one.
        """
        if exact:
            self._exact.add(change)
        self._rows.setdefault(change, []).append(row)

    def later_all(self, change: Many, rows: Sequence[Mapping[str, Any]]) -> None:
        """Do something for many rows before COMMIT."""
        if rows:
            self._rows.setdefault(change, []).extend(rows)

    def at_last(self, key: Hashable, action: Callable[[Connection], None]) -> None:
        """Do this right before COMMIT, once per key; what it puts off is written with all the rest."""
        self._last.setdefault(key, action)

    def when_committed(self, key: Hashable, action: Callable[[], None]) -> None:
        """Do this after COMMIT, once per key."""
        self._committed.setdefault(key, action)

    def flush(self, conn: Connection) -> None:
        """Write the rows that were put off, so that the commands after this one see them.

        New rows come first: one command may have put off a change of what another makes.
        """
        if self._rows:
            rows, self._rows = self._rows, {}
            self._write(conn, sorted(rows.items(), key=lambda item: not item[0].makes))

    def flush_only(self, conn: Connection, change: Many) -> None:
        """Write the rows of one change: it is all that the next question depends on."""
        values = self._rows.pop(change, None)
        if values:
            self._write(conn, [(change, values)])

    def _write(self, conn: Connection, changes: Sequence[tuple[Many, list[Mapping[str, Any]]]]) -> None:
        for (change, values), hit in zip(changes, run_all(conn, changes), strict=True):
            if change in self._exact and hit != len(values):
                raise Overtaken(f"{len(values) - hit} of {len(values)} rows had changed.")

    def finish(self, conn: Connection) -> None:
        """Write all that was put off: the last thing before COMMIT."""
        last, self._last = self._last, {}
        for action in last.values():
            action(conn)
        self.flush(conn)

    def committed(self) -> None:
        """Forget the transaction, which is durable now."""
        actions, self._committed = self._committed, {}
        self.page.clear()
        self.ahead.clear()
        for action in actions.values():
            action()

    def rolled_back(self) -> None:
        """Forget the transaction, which never was.

        Blocks of numbers go too, since the sequence fell back to before they were taken.
        """
        self._rows.clear()
        self._exact.clear()
        self._last.clear()
        self._committed.clear()
        self.page.clear()
        self.ahead.clear()
        self.blocks.clear()
        self.shelf.clear()


def attach(conn: Connection, memory: Memory) -> None:
    """Give a connection the writer's memory.

    It is an execution option since that is the fastest that a connection has; it is looked up at every turn.
    """
    conn.execution_options(**{_KEY: memory})


def memory(conn: Connection) -> Memory:
    """Return the memory of the writer that this connection belongs to."""
    found: Memory = conn.get_execution_options()[_KEY]
    return found
