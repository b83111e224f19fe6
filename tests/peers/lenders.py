"""What slaves say that a server lends, and hear."""

from __future__ import annotations

import time
from collections.abc import Callable

from farm.protocol.slaves import Lease, Orders
from farm.simulator.pictures import packed
from tests.serving import SlaveCaller


def until(ask: Callable[[], Orders], good: Callable[[Orders], bool]) -> Orders:
    """Ask until an answer is good; what it waits for takes a moment on a busy machine."""
    limit = time.monotonic() + 60
    while not good(found := ask()):
        assert time.monotonic() < limit, found
    return found


def leased(caller: SlaveCaller, **more: object) -> Lease:
    (lease, *_) = until(lambda: caller.orders(want=1, hold=1, **more), lambda found: bool(found.leases)).leases
    return lease


def finished(attempt: int, picture: int = 1, cpu_seconds: float = 0.5, colour: int = 0) -> dict[str, object]:
    """What a slave says of a result; `colour`: of the picture."""
    result = packed(picture, picture, size=100, colour=colour)
    times = {"seconds": 0.5, "cpu_seconds": cpu_seconds}
    return {"attempt": attempt, "sha256": result.sha256, "inline": result.inline, **times}


def told(caller: SlaveCaller, **report: object) -> Orders:
    """Report until the peer has answered, which may rest a moment."""
    return until(lambda: caller.orders(**report), lambda found: bool(found.verdicts))


def nothing(caller: SlaveCaller) -> None:
    """Ask until the terms of a moment ago count, and then find nothing."""
    deadline = time.monotonic() + 60
    quiet = 0
    while quiet < 2:
        orders = caller.orders(want=1, hold=0.3)
        returned = [frame.attempt for lease in orders.leases for frame in lease.frames]
        if returned:
            caller.orders(returned=returned)
        quiet = 0 if returned else quiet + 1
        assert time.monotonic() < deadline
