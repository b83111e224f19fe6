"""When a slave is to be measured by itself. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from farm.accounts.formula import REFERENCE, median
from farm.protocol.points import Cause
from farm.protocol.slaves import Hardware, Offer
from farm.words.backends import backend
from farm.words.clock import SECOND

DAY = 24 * 3600 * SECOND
"""µs before a benchmark that came to nothing is tried again, and before frames can say that one is wrong."""

MONTH = 30 * DAY
"""µs after which a slave is measured anew."""

QUARTER = 0.25
"""What frames may differ from what a rating says."""

FEWEST = 5
"""A job's frames by the slave, and by others, that make a comparison."""


@dataclass(frozen=True, slots=True)
class Past:
    """A benchmark that has ended; `power` in thousandths of the reference's, None: it came to nothing.

    `machine`: what was measured, as :func:`fingerprint` has it.
    """

    at: int
    power: int | None
    machine: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Side:
    """What frames of one job were worth, by the time that they took and ratings: a slave's, and others'."""

    mine: Sequence[int]
    others: Sequence[int]


def due(past: Sequence[Past], machine: str, ratio: float | None, at: int) -> Cause | None:
    """Return why a slave is to be measured now; None: it is not.

    A drift that a new measurement did not confirm is not asked about again: then scenes differ, not the machine.

    Args:
        past: its benchmarks with one method, the newest first.
        machine: what it is now.
        ratio: of what its frames were worth to what others' were since then; None: nobody can tell.
        at: now, µs.
    """
    if not past:
        return Cause.FIRST
    last = past[0]
    if last.machine != machine:
        return Cause.CHANGED
    if last.power is None:
        return Cause.AGAIN if at - last.at >= DAY else None
    if at - last.at >= MONTH:
        return Cause.AGE
    drifts = ratio is not None and abs(ratio - 1) > QUARTER and at - last.at >= DAY
    return Cause.DRIFT if drifts and not _in_vain(past) else None


def _in_vain(past: Sequence[Past]) -> bool:
    """Tell whether the last benchmark was for a drift, and found the same power as the one before."""
    before = next((one.power for one in past[1:] if one.power is not None), None)
    if past[0].cause is not Cause.DRIFT or before is None or past[0].power is None:
        return False
    return abs(past[0].power / max(before, 1) - 1) <= QUARTER


def drift(sides: Sequence[Side]) -> float | None:
    """Return the ratio of what a slave's frames were worth to others', by the median job; 1: just as it is rated."""
    full = [side for side in sides if min(len(side.mine), len(side.others)) >= FEWEST]
    if not full:
        return None
    ratios = sorted(median(side.mine) / max(median(side.others), 1) for side in full)
    return ratios[(len(ratios) - 1) // 2]


def estimated(ratio: float) -> int:
    """Return the power of a slave that was not measured yet, from its frames: at most 1, as nobody confirms it.

    Args:
        ratio: of what its frames were worth, by the reference's power, to what others' were.
    """
    return max(1, min(REFERENCE, round(REFERENCE / max(ratio, 0.001))))


def fingerprint(key: str, hardware: Hardware, offers: Sequence[Offer]) -> str:
    """Return what tells one machine with its renderers from another, as far as a method's power depends on it.

    The system's version is not part of it: else each of its updates would have all slaves measured.

    Args:
        key: the method; on graphics cards with the way to them, `method/optix`.
        hardware: the machine.
        offers: its renderers.
    """
    method, _, way = key.partition("/")
    mine = [offer for offer in offers if offer.method == method]
    devices = {name for offer in mine for name in offer.devices if backend(name) == way}
    facts = {
        "machine": [*sorted(devices), *hardware.drivers] if way else [*hardware.devices[:1], hardware.cores],
        "renderers": sorted({offer.version for offer in mine}),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
