"""Which attempts this process has issued lately, and to whom."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from farm.protocol.slaves import Lease

REMEMBERED = 50_000
"""Attempts that are remembered; of others, the database tells."""


class Issued:
    """A process's memory of the attempts that it gave out.

    It only spares a question before a result is unpacked: whether the result counts, the
    transaction decides by the database.
    """

    def __init__(self) -> None:
        self._slaves: OrderedDict[int, int] = OrderedDict()

    def note(self, slave: int, leases: Iterable[Lease]) -> None:
        """Remember what a slave got; the oldest are forgotten."""
        for lease in leases:
            self._slaves.update((frame.attempt, slave) for frame in lease.frames)
        while len(self._slaves) > REMEMBERED:
            self._slaves.popitem(last=False)

    def all_to(self, slave: int, ids: Collection[int]) -> bool:
        """Tell whether all of these attempts are known to be this slave's."""
        return all(self._slaves.get(attempt) == slave for attempt in ids)
