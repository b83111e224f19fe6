"""From renderer to verdict: check, pack, send, tell, and forget when the server has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from farm.pictures.checker import Checker
from farm.protocol.slaves import Failed, Verdict
from farm.sandbox.wipe import wipe
from farm.slave.desk import Desk
from farm.slave.ends import Ends
from farm.slave.events import Events
from farm.slave.fault import class_of, is_full, trouble, words_of
from farm.slave.finishing import Rendered, check, finish, look
from farm.slave.held import Held, Stage
from farm.slave.link import Link
from farm.slave.outbox import Outbox, Ready, unlink
from farm.slave.space import Space
from farm.slave.uploading import Uploads
from farm.words.errors import DistrenError
from farm.words.states import FailureClass
from farm.words.steps import Step

log = structlog.get_logger(__name__)

_TRIES = 3
"""How often a result is sent anew at the server's wish."""


class Returns:
    """Frames that left the renderer.

    Args:
        nudge: called when the server should hear something at once.
    """

    def __init__(
        self,
        *,
        link: Link,
        desk: Desk,
        ends: Ends,
        outbox: Outbox,
        checker: Checker,
        space: Space,
        events: Events,
        nudge: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._ends = ends
        self._outbox = outbox
        self._checker = checker
        self._space = space
        self._events = events
        self._nudge = nudge
        self._uploads = Uploads(link, self._sent, self._unwanted)
        self._finishing: dict[int, asyncio.Task[None]] = {}
        self._clearing: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Send what an earlier run rendered and could not send."""
        for ready in self._outbox.load():
            frame = Held(ready.attempt, ready.job, 0, ready.number, ready.number, Stage.FINISHING, called=ready.called)
            self._desk.put(frame)
            self._events.say("sending a result of an earlier run", job=ready.called, frame=ready.number)
            self._uploads.send(ready)

    def rendered(self, rendered: Rendered) -> None:
        """Take a frame that left the renderer; the slot goes on meanwhile."""
        attempt = rendered.frame.attempt
        task = asyncio.create_task(self._finish(rendered))
        self._finishing[attempt] = task
        task.add_done_callback(lambda _: self._finishing.pop(attempt, None))

    def failed(self, frame: Held, error: BaseException) -> None:
        """Take a frame that failed."""
        if frame.revoked:
            return
        full = self._space.full()
        failed = self._failure(frame, error, full)
        if full or is_full(error):
            self._space.filled()
        frame.stage = Stage.FINISHING
        self._ends.fail(failed)
        facts = {"job": frame.called, "frame": frame.number, "fault": failed.failure_class.value}
        self._events.warn("frame failed", **facts, message=failed.message)
        self._nudge()

    def judged(self, verdicts: Iterable[Verdict]) -> None:
        """Do what the server's verdicts on results mean; files that nobody needs any more go in a thread."""
        if over := [path for verdict in verdicts for path in self._judged(verdict)]:
            task = asyncio.create_task(asyncio.to_thread(unlink, over))
            self._clearing.add(task)
            task.add_done_callback(self._clearing.discard)

    def _judged(self, verdict: Verdict) -> list[Path]:
        ready = self._outbox.ready.get(verdict.attempt)
        if ready is None:
            return []
        self._ends.forget(verdict.attempt)
        if verdict.verdict == "again":
            self._again(ready, verdict.message)
            return []
        log.debug("Verdict", frame=str(ready), verdict=verdict.verdict, message=verdict.message)
        if verdict.verdict != "accepted":
            self._events.say(f"result {verdict.verdict}", job=ready.called, frame=ready.number, message=verdict.message)
        self._desk.drop(verdict.attempt)
        return self._outbox.drop(verdict.attempt)

    def forget(self, attempt: int) -> None:
        """Drop whatever there is of an attempt that was revoked."""
        if task := self._finishing.get(attempt):
            task.cancel()
        self._uploads.cancel(attempt)
        self._outbox.remove(attempt)
        self._ends.forget(attempt)

    async def close(self) -> None:
        """Stop; what is in the outbox stays there."""
        tasks = list(self._finishing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._clearing, return_exceptions=True)
        await self._uploads.close()

    async def _finish(self, rendered: Rendered) -> None:
        frame = rendered.frame
        began = time.monotonic()
        try:
            if full := self._space.full():
                # Renderers say that they saved a file, and end well, though half of it is missing.
                message = f"{frame.title} may be truncated: the slave's disk is full ({', '.join(full)})."
                raise trouble(message, FailureClass.SLAVE, rendered.log)
            looked = rendered.looked or await look(self._checker, rendered.done, rendered.folder)
            check(looked, rendered)
            ready = await finish(rendered, looked, self._outbox)
            frame.trace.note(Step.CHECK, began, time.monotonic())
        except (DistrenError, OSError) as error:
            self.failed(frame, error)
        else:
            seconds = round(rendered.done.seconds, 3)
            self._events.say("frame rendered", job=frame.called, frame=frame.number, seconds=seconds)
            self._uploads.send(ready)
        finally:
            await asyncio.to_thread(wipe, rendered.folder)

    def _failure(self, frame: Held, error: BaseException, full: list[str]) -> Failed:
        fault, message = class_of(error), words_of(error)
        if full and fault is not FailureClass.FARM:
            # Renderers say all kinds of things when the disk is full.
            said = "" if is_full(error) else f" {message}"
            fault, message = FailureClass.SLAVE, f"The slave's disk is full ({', '.join(full)}).{said}"
        if str(frame) not in message.lower():
            message = f"{frame.title}: {message}"
        said = str(error.facts.get("log", "")) if isinstance(error, DistrenError) else ""
        seconds = time.monotonic() - frame.began if frame.began else 0.0
        short = isinstance(error, DistrenError) and bool(error.facts.get("short"))
        facts = {"attempt": frame.attempt, "failure_class": fault, "seconds": seconds, "short": short}
        return Failed(**facts, message=message[:2000], log=said[-65_536:])

    def _again(self, ready: Ready, message: str) -> None:
        if ready.tries >= _TRIES:
            self._lost(ready, f"its result did not get through {ready.tries} times: {message}")
            return
        ready.tries += 1
        log.warning("The server wants a result again", frame=str(ready), message=message)
        self._uploads.send(ready)

    def _sent(self, ready: Ready) -> None:
        self._ends.finish(ready)
        self._nudge()

    def _unwanted(self, ready: Ready, error: DistrenError) -> None:
        self._lost(ready, f"the server did not take its result: {error.message}", class_of(error))

    def _lost(self, ready: Ready, message: str, fault: FailureClass = FailureClass.FARM) -> None:
        self._outbox.remove(ready.attempt)
        text = f"Frame {ready.number} of job {ready.called}: {message}"[:2000]
        self._ends.fail(Failed(attempt=ready.attempt, failure_class=fault, message=text))
        self._events.warn("result lost", job=ready.called, frame=ready.number, message=message)
        self._nudge()
