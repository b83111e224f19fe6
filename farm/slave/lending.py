"""How much of this machine renderers may use: by slave.conf and its owner's word on the server, the stricter one."""

from __future__ import annotations

import os
from dataclasses import dataclass

from farm.protocol.terms import Terms
from farm.sandbox.bounds import Bounds
from farm.slave.hardware import cores, memory_bytes
from farm.words.settings import SlaveSettings


@dataclass(frozen=True, slots=True)
class Loan:
    """What renderers may use.

    Args:
        cores: processors, all renderers together.
        processors: which these are; none: any, or the system can't keep to it.
        threads: of each renderer; 0: as many as there are processors.
        disk_bytes: of the jobs' files.
        cards: graphics cards, too.
        bounds: of each renderer.
    """

    cores: int
    processors: frozenset[int]
    threads: int
    disk_bytes: int
    cards: bool
    bounds: Bounds


class Lending:
    """What is lent now.

    Args:
        settings: slave.conf.
    """

    def __init__(self, settings: SlaveSettings) -> None:
        self._settings = settings
        self._terms = Terms()
        self.now = _loan(settings, self._terms)

    def told(self, terms: Terms | None) -> bool:
        """Hear what the owner said on the server, if anything; tell whether that is news."""
        new = terms or Terms()
        if new == self._terms:
            return False
        self._terms = new
        self.now = _loan(self._settings, new)
        return True


def _loan(settings: SlaveSettings, terms: Terms) -> Loan:
    here = cores()
    some = _least(settings.cores, terms.cores, here)
    memory = _least(int(settings.memory) or memory_bytes() * 9 // 10, terms.memory_bytes)
    slots = max(1, settings.slots)
    return Loan(
        cores=some,
        processors=_last(some) if some < here else frozenset(),
        threads=max(1, some // slots) if slots > 1 or some < here else 0,
        disk_bytes=_least(int(settings.cache_size), terms.disk_bytes),
        cards=terms.cards,
        bounds=Bounds(memory, settings.processes),
    )


def _least(*limits: int) -> int:
    """Return the least of some limits; 0 is none."""
    return min(limit for limit in limits if limit)


def _last(count: int) -> frozenset[int]:
    """Return the last processors of those that this process may run on: the first ones are the busiest by habit."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset()
    return frozenset(sorted(os.sched_getaffinity(0))[-count:])
