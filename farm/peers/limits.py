"""Whether slaves are lent to a peer just now, by the terms that an admin set, and if not, why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.accounts.formula import points
from farm.protocol.lending import Lend
from farm.words.hours import Hours


@dataclass(frozen=True, slots=True)
class Use:
    """What counts against the terms now.

    Args:
        clock: the wall's.
        busy: jobs of this server have something left to render.
        today: bytes that went between the servers today (UTC).
        owes: what the peer owes beyond what it has worked off, in thousandths of minutes of this server.
        slots: that render for it.
        methods: of the slaves here that are lent at all.
    """

    clock: datetime
    busy: bool = False
    today: int = 0
    owes: int = 0
    slots: int = 0
    methods: frozenset[str] = frozenset()


def refusal(lend: Lend, hours: Hours, use: Use) -> str:
    """Return why a peer gets nothing more just now; empty: it may."""
    if lend.minutes and use.owes >= lend.minutes * 1000:
        return f"It owes {points(use.owes)} minutes; at {lend.minutes:g}, lending stops until it has worked them off."
    if not hours.include(use.clock):
        return f"It is lent slaves only {lend.hours}."
    if lend.bytes_per_day and use.today >= lend.bytes_per_day:
        return f"The {lend.bytes_per_day / 1e9:g} GB of today are used up; the day ends at midnight UTC."
    if lend.idle_only and use.busy:
        return "Jobs of this server have something left to render."
    if lend.methods and not use.methods.intersection(lend.methods):
        return f"No slave here that is lent renders with {' or '.join(lend.methods)}."
    return "All slots that it is lent render for it." if use.slots >= lend.slots else ""
