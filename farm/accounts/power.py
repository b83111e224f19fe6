"""What a slave's CPU-second is worth, from how long it took for our scenes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.accounts.formula import REFERENCE, median

BUSY = 2
"""A renderer keeps at least one in so many processors busy: what a slave says to have used is no less."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A benchmark's frames on one slave; µs.

    Args:
        cpus: CPU time of each frame, as the slave says.
        wall: from the first lease to the last result, as the server saw it.
        cores: the slave's processors.
    """

    cpus: Sequence[int]
    wall: int
    cores: int


def power(measured: Measured, each: int) -> int:
    """Return the power per CPU-second, in thousandths of the reference machine's.

    Who says less CPU time than it took would seem stronger: so it is no less than half of what the processors could
    have had in the time that the server saw.

    Args:
        measured: what came back.
        each: what the reference machine takes for a frame, µs of CPU time.
    """
    least = measured.wall * measured.cores // BUSY // max(len(measured.cpus), 1)
    return max(1, REFERENCE * each // max(median(measured.cpus), least, 1))


def disturbed(measured: Measured, busy: float) -> bool:
    """Tell whether other programs used more of the machine meanwhile than the benchmark did: it seems slower then.

    Args:
        measured: what came back.
        busy: the part of its processors that worked meanwhile, as it says, 0 to 1.
    """
    return BUSY * sum(measured.cpus) < busy * measured.wall * measured.cores


def throughput(measured: Measured, each: int) -> int:
    """Return reference minutes per minute of wall time, in thousandths."""
    return REFERENCE * each * len(measured.cpus) // max(measured.wall, 1)


def counted(rated: int, *, provisional: bool) -> int:
    """Return the power that counts: a rating that nobody has confirmed counts no more than the reference's."""
    return min(rated, REFERENCE) if provisional else rated
