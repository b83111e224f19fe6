"""Log in, and wait for whatever is in the way of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from farm import __version__
from farm.client.patience import Backoff
from farm.methods.base import Offered
from farm.package.release import build
from farm.protocol.slaves import Hardware, SlaveLogin, SlaveWelcome
from farm.slave.devices import in_use
from farm.slave.events import Events
from farm.slave.link import Link
from farm.slave.retry import AGAIN
from farm.words.errors import SlaveBusyElsewhere
from farm.words.settings import SlaveSettings

_BUSY_SECONDS = 60.0
"""How long to wait for an earlier slave with the same key to be forgotten: 15 s, and some more."""


class Entrance:
    """The door to the server.

    Args:
        leaving: set when the slave is told to stop.
        hardware: returns the machine, as it is now.
    """

    def __init__(
        self,
        settings: SlaveSettings,
        link: Link,
        offered: list[Offered],
        events: Events,
        leaving: asyncio.Event,
        hardware: Callable[[], Hardware],
    ) -> None:
        self._settings = settings
        self._link = link
        self._offered = offered
        self._events = events
        self._leaving = leaving
        self._hardware = hardware

    async def enter(self) -> SlaveWelcome | None:
        """Open the login; None if the slave was told to stop meanwhile.

        Raises:
            DistrenError: wrong key or password, or another slave goes on using them.
        """
        login, backoff, busy_until = self._login(), Backoff(), time.monotonic() + _BUSY_SECONDS
        while not self._leaving.is_set():
            try:
                return await self._enter(login)
            except (*AGAIN, SlaveBusyElsewhere) as error:
                if isinstance(error, SlaveBusyElsewhere) and time.monotonic() > busy_until:
                    raise
                seconds = backoff.next()
                self._events.warn("waiting to log in", error=error.message, seconds=round(seconds, 1))
                await self._pause(seconds)
        return None

    async def _enter(self, login: SlaveLogin) -> SlaveWelcome:
        welcome = await self._link.login(login)
        self._events.say("logged in", slave=welcome.name, server=welcome.server, slots=login.slots)
        return welcome

    def _login(self) -> SlaveLogin:
        return SlaveLogin(
            key=self._settings.key,
            password=self._settings.password,
            version=__version__,
            build=build(),
            slots=self._settings.slots + len(in_use(self._offered)),
            hardware=self._hardware(),
            offers=[one.offer.model_copy(update={"tags": self._settings.tags}) for one in self._offered],
            accept=self._settings.accept,
            benchmark=self._settings.benchmark == "auto",
        )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
