"""What lies between pretend slaves and their server: delays, and cuts in both directions or in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from farm.words.errors import Unreachable

T = TypeVar("T")

PAUSE = 0.5
"""Seconds after which a call that does not get through is given up."""


@dataclass(slots=True)
class Cable:
    """What several slaves share. `there`, `back`: that way nothing gets through."""

    there: bool = False
    back: bool = False


class Network:
    """One slave's way to the server.

    Args:
        dice: its chance.
        delay: the most seconds that a message takes, each way.
        cable: what others share.
    """

    def __init__(self, dice: Random, delay: float = 0.0, cable: Cable | None = None) -> None:
        self._dice = dice
        self._delay = delay
        self._cable = cable or Cable()
        self._away_until = 0.0

    def away(self, seconds: float) -> None:
        """Let nothing of this slave get through for a while."""
        self._away_until = time.monotonic() + seconds

    async def carry(self, send: Callable[[], Awaitable[T]]) -> T:
        """Carry a message to the server, and its answer back.

        Raises:
            Unreachable: one of both did not get through.
        """
        await self._pass(self._cable.there)
        answer = await send()
        await self._pass(self._cable.back)
        return answer

    async def _pass(self, cut: bool) -> None:
        if self._delay:
            await asyncio.sleep(self._dice.uniform(0, self._delay))
        if cut or time.monotonic() < self._away_until:
            await asyncio.sleep(PAUSE)
            raise Unreachable("The network is cut, as it was asked for.")
