"""What a person has the slave do from afar: a test frame, its log, a rest, a new start, an end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Literal

import structlog

from farm.protocol.errands import ErrandOrder, ErrandWord
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.link import Link
from farm.slave.resting import rest_until
from farm.slave.retry import patiently
from farm.slave.tryout import tried
from farm.slave.versions import Versions
from farm.words.errands import ENDS, Errand
from farm.words.errors import DistrenError, NotASetup
from farm.words.logs import tail
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


class Errands:
    """Does one errand at a time; a newer one takes its place.

    Args:
        settings: slave.conf.
        folders: the slave's.
        link: is told how far it is.
        events: hears what happens.
        end: called to end the slave; with True, at once.
    """

    def __init__(
        self, settings: SlaveSettings, folders: Folders, link: Link, events: Events, end: Callable[[bool], None]
    ) -> None:
        self.restarts = False
        """A new process is to take this one's place."""
        self._settings = settings
        self._folders = folders
        self._link = link
        self._events = events
        self._end = end
        self._last = -1
        self._work: asyncio.Task[None] | None = None

    def told(self, order: ErrandOrder | None) -> None:
        """Hear what is to be done; the same is told again until it is over."""
        if order is None or order.number <= self._last:
            return
        self._last = order.number
        if self._work is not None:
            self._work.cancel()
        self._work = asyncio.create_task(self._run(order), name="errand")

    async def close(self) -> None:
        """Stop, wherever it is."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _run(self, order: ErrandOrder) -> None:
        self._events.say("errand", errand=order.errand.value, number=order.number)
        await self._say(order, "begun")
        if order.errand in ENDS:
            # The server knows that it is done when the slave has logged out, or in again.
            self.restarts = order.errand is Errand.RESTART
            self._end(order.errand is Errand.STOP_NOW)
            return
        try:
            message, shown = await self._do(order)
        except (DistrenError, OSError) as error:
            await self._say(order, "failed", str(error))
        else:
            await self._say(order, "done", message, shown)

    async def _do(self, order: ErrandOrder) -> tuple[str, str]:
        """Do what ends nothing; return what is to be said, and what is to be shown.

        Raises:
            DistrenError, OSError: it failed.
        """
        if order.errand is Errand.LOG:
            text = tail()
            return f"The last {text.count(chr(10)):,} lines.", text
        if order.errand is Errand.TEST:
            return await self._test(), ""
        await asyncio.to_thread(rest_until, self._folders.state, time.time() + order.seconds)
        return "", ""

    async def _test(self) -> str:
        said = await tried(self._settings, self._folders, Versions.of(self._settings).here)
        if "failed" in said:
            raise NotASetup(str(said["failed"]))
        frames = [str(frame) for frame in said.get("frames", ())]
        return "; ".join(frames) or "There is no renderer here that makes pictures."

    async def _say(
        self, order: ErrandOrder, stage: Literal["begun", "done", "failed"], message: str = "", text: str = ""
    ) -> None:
        word = ErrandWord(number=order.number, stage=stage, message=message[:1000], text=text)
        with contextlib.suppress(DistrenError):
            # What the server does not want to know any more is no reason to stop.
            await patiently(lambda: self._link.errand(word), "word of an errand", give_up=60)
