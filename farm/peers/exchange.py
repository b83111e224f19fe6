"""What a reference minute that a peer signs is worth here, from work that both servers have counted: pure.

Each frame that a slave here renders for a peer is a probe: by this server's own ratings it is worth so much, and the
peer signs for so much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.words.clock import SECOND

PAR = 1000
"""The rate of two servers that count alike, in thousandths."""

HALF_LIFE = 7 * 24 * 3600 * SECOND
"""µs after which a probe weighs half: slaves are measured anew, and servers change."""

SMOOTH = 1000
"""Thousandths of minutes that count as if they had been measured at par: one short frame alone says little."""

BOUND = 4
"""The most by which a minute can be worth more or less: beyond that no rate is honest, and an admin has to look."""

DRIFT = 250
"""Thousandths from par from which an admin is told."""

FEWEST = 5
"""Probes that say something."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The same work as both servers count it, in thousandths of reference minutes; `at`: when it was done, µs."""

    at: int
    theirs: int
    ours: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What a minute of a peer's is worth here, in thousandths of a minute, by so many probes."""

    milli: int = PAR
    probes: int = 0

    @property
    def drifts(self) -> bool:
        """The two servers don't count alike, as far as enough probes say."""
        return self.probes >= FEWEST and abs(self.milli - PAR) > DRIFT

    def here(self, theirs: int) -> int:
        """Return an amount of the peer's in minutes of this server, both in thousandths."""
        return theirs * self.milli // PAR


def rate(probes: Sequence[Probe], at: int) -> Rate:
    """Return what a peer's minute is worth, from what was counted twice.

    Args:
        probes: what was counted, of whatever age.
        at: now, µs.
    """
    theirs = ours = float(SMOOTH)
    for probe in probes:
        weight = 0.5 ** (max(at - probe.at, 0) / HALF_LIFE)
        theirs += weight * probe.theirs
        ours += weight * probe.ours
    return Rate(round(PAR * min(max(ours / theirs, 1 / BOUND), BOUND)), len(probes))


def told(peer: str, found: Rate) -> str:
    """Return in words that a peer counts otherwise than this server."""
    return (
        f"A minute that {peer} signs for is worth {found.milli / PAR:.2f} of this server's, by the last {found.probes} "
        "frames that were rendered for it. What it owes is converted; ask its admin how its slaves were measured."
    )
