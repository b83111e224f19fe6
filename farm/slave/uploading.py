"""Send large results behind the render."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import structlog

from farm.slave.link import Link
from farm.slave.outbox import Ready
from farm.slave.retry import patiently
from farm.words.errors import DistrenError
from farm.words.steps import Step

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""Results sent at the same time."""


class Uploads:
    """Sends results one after the other, some at once.

    Args:
        sent: called when the server has one.
        refused: called when the server does not take one, with the error.
    """

    def __init__(
        self, link: Link, sent: Callable[[Ready], None], refused: Callable[[Ready, DistrenError], None]
    ) -> None:
        self._link = link
        self._sent = sent
        self._refused = refused
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def send(self, ready: Ready) -> None:
        """Have a result sent; a small one needs no call of its own."""
        if ready.inline:
            self._sent(ready)
            return
        task = asyncio.create_task(self._send(ready))
        self._tasks[ready.attempt] = task
        task.add_done_callback(lambda _: self._tasks.pop(ready.attempt, None))

    def cancel(self, attempt: int) -> None:
        """Stop sending a result that nobody wants any more."""
        if task := self._tasks.get(attempt):
            task.cancel()

    async def close(self) -> None:
        """Stop; what was not sent stays in the outbox."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _send(self, ready: Ready) -> None:
        began = time.monotonic()
        async with self._gate:
            try:
                put = partial(self._link.put_result, ready.attempt, ready.path, ready.finished.sha256, ready.size)
                await patiently(put, f"result of {ready}", give_up=float("inf"))
            except DistrenError as error:
                log.warning("The server did not take a result", frame=str(ready), error=error.message)
                self._refused(ready, error)
            else:
                if ready.trace:
                    ready.trace.note(Step.UPLOAD, began, time.monotonic())
                self._sent(ready)
