"""How pretend slaves behave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """What a pretend slave is like.

    Args:
        slots: frames that it pretends to render at the same time.
        seconds: how long it pretends that a frame takes.
        bytes: the least size of a frame's file.
        method: the render method that it offers.
        ahead: seconds of waiting work per slot below which it asks for more.
    """

    slots: int = 1
    seconds: float = 1.0
    bytes: int = 0
    method: str = "sleep"
    ahead: float = 10.0

    def want(self, queued: int) -> int:
        """Return for how many slots leases are wanted when so many frames wait."""
        each = min(1.0, self.seconds / self.ahead)
        return max(0, self.slots - int(queued * each + 1e-9))
