"""Is a warm frame the same as a cold one? Asked at the second frame of a session, and again later.

Renderers keep what they prepared from frame to frame. That saves most of the time, and is
right only if the pictures stay the same. The first frame of a session is cold by nature; what
goes stale, may do so only after some frames: so it is asked again late in a session.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from farm.pictures.compare import Likeness

LATE, EVERY = 10, 50
"""Warm frames of a session after which the question comes again: once soon, then each time."""


def due(warm: int) -> bool:
    """Tell whether a session that rendered so many frames warm should compare the next one."""
    return warm == LATE or (warm > 0 and warm % EVERY == 0)


class Answer(StrEnum):
    """What is known."""

    OPEN = "open"
    """Nobody has looked yet."""
    ASKED = "asked"
    """A slot renders one frame both ways right now."""
    WARM = "warm"
    """The same: keep what was prepared."""
    COLD = "cold"
    """Not the same, or it can't be told: prepare each frame anew."""


class ColdCheck:
    """The question for one job."""

    def __init__(self) -> None:
        self.answer = Answer.OPEN
        self._settled = asyncio.Event()

    @property
    def persistent(self) -> bool:
        """Sessions may keep what they prepared."""
        return self.answer is not Answer.COLD

    def claim(self) -> bool:
        """Take over the look; False if somebody else has or had it."""
        if self.answer is not Answer.OPEN:
            return False
        self.answer = Answer.ASKED
        return True

    def settle(self, likeness: Likeness) -> None:
        """Say what came of it; one difference counts for the whole job."""
        if self.answer is not Answer.COLD:
            self.answer = Answer.WARM if likeness is Likeness.EQUAL else Answer.COLD
        self._settled.set()

    def give_up(self) -> None:
        """Leave the question open: the look failed for other reasons."""
        if self.answer is Answer.ASKED:
            self.answer = Answer.OPEN
            self._settled.set()
            self._settled = asyncio.Event()

    async def settled(self) -> None:
        """Wait while another slot looks: a warm frame must not go out before that."""
        while self.answer is Answer.ASKED:
            await self._settled.wait()
