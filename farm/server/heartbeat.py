"""The heartbeat that this process tells its slaves follows how many there are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import structlog

from farm.api.services import Services
from farm.scheduler import heartbeat
from farm.server.policy import policy_of
from farm.words import clock

log = structlog.get_logger(__name__)

LOOK = 2.0
"""Seconds between two looks."""


class Heartbeat:
    """Looks, and changes the policy.

    Args:
        services: the server's parts; what their settings say is the least.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._usual = policy_of(services.settings)

    async def __call__(self) -> None:
        """Look once."""
        now, lately = await self._services.database.read(partial(heartbeat.counted, at=clock.now()))
        before = self._services.policy
        # Of the policy, only what heartbeats say is this one's to change.
        usually = replace(before, heartbeat_seconds=self._usual.heartbeat_seconds)
        policy = heartbeat.adapted(usually, now, lately)
        self._services.policy = policy
        usual, told = self._usual.heartbeat_seconds, policy.heartbeat_seconds
        if (told > usual) != (before.heartbeat_seconds > usual):
            log.info("Slaves report less often." if told > usual else "Slaves report as often as usual.",
                     slaves=now, seconds=told)  # fmt: skip
