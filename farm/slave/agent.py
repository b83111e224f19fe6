"""The agent: puts caller, desk, slots and outbox together, and ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from typing import Any

import structlog

from farm import __version__
from farm.methods.base import Offered
from farm.pictures.checker import Checker
from farm.protocol.slaves import Failed, Orders, Report, SlaveLogin, Verdict
from farm.slave.cache import BlobCache
from farm.slave.caller import Caller
from farm.slave.desk import Desk
from farm.slave.ends import Ends, Words
from farm.slave.events import Events
from farm.slave.fault import class_of, words_of
from farm.slave.finishing import Rendered, check, finish, look
from farm.slave.folders import Folders
from farm.slave.hardware import cores, hardware
from farm.slave.held import Held, Stage
from farm.slave.jobs import Jobs
from farm.slave.kit import Kit
from farm.slave.link import Link
from farm.slave.outbox import Outbox, Ready
from farm.slave.pace import Pace, wanted
from farm.slave.prefetch import Prefetch
from farm.slave.retry import AGAIN, Backoff
from farm.slave.slot import Slot
from farm.slave.space import Space
from farm.slave.uploading import Uploads
from farm.words.errors import DistrenError, SlaveBusyElsewhere
from farm.words.settings import SlaveSettings
from farm.words.states import FailureClass, SlaveState

log = structlog.get_logger(__name__)

_BUSY_SECONDS = 60.0
"""How long a login waits for an earlier slave with the same key to be forgotten: 15 s, and some more."""

_RESULT_TRIES = 3
_LEAVING = 10.0
"""Seconds that results may take to get out when a slave gives up its work."""

_HOUSEKEEPING = 30.0


class Agent:
    """A slave, from login to logout.

    Args:
        settings: slave.conf.
        link: the server.
        folders: claimed before.
        offered: the renderers that work here.
        events: hears what happens.
    """

    def __init__(
        self, settings: SlaveSettings, link: Link, folders: Folders, offered: list[Offered], events: Events
    ) -> None:
        self.settings = settings
        self.events = events
        self.desk = Desk(self._nudge_if_hungry)
        self.ends = Ends()
        self.pace = Pace()
        self.outbox = Outbox(folders.results)
        self._link = link
        self._offered = offered
        self._checker = Checker(min(settings.slots, 4))
        self._cache = BlobCache(settings.cache, settings.cache_size)
        self._jobs = Jobs(link, self._cache, folders.jobs)
        self._prefetch = Prefetch(self._jobs)
        self._space = Space(settings, folders.work)
        self._uploads = Uploads(link, self._sent, self._unwanted)
        self._caller = Caller(link, self.ends, self, self.login)
        kit = Kit(
            settings=settings,
            folders=folders,
            records=folders.records(),
            desk=self.desk,
            jobs=self._jobs,
            checker=self._checker,
            offered=offered,
            events=events,
            pace=self.pace,
            takes=self,
            threads=max(1, cores() // settings.slots),
        )
        self._slots = [Slot(kit) for _ in range(settings.slots)]
        self._finishing: dict[int, asyncio.Task[None]] = {}
        self._asked = 0
        self._offline = 0.0
        self._drain = False
        self._leaving = asyncio.Event()
        self._now = asyncio.Event()

    # Life

    async def run(self) -> None:
        """Log in, render until told to stop, give back what is left, log out.

        Raises:
            DistrenError: the server's last word, e.g. that key and password are wrong.
        """
        if not await self.login():
            return
        self._resume()
        caller = asyncio.create_task(self._caller.run(), name="caller")
        slots = [asyncio.create_task(slot.run(), name="slot") for slot in self._slots]
        keeper = asyncio.create_task(self._keep_house(), name="keeper")
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({caller, leaving, *slots}, return_when=asyncio.FIRST_COMPLETED)
            _raise_if_broken(caller, *slots)
            await self._leave(caller, slots)
        finally:
            await _end(leaving, keeper, *slots, caller, *self._finishing.values())
            await self._uploads.close()
            await self._prefetch.close()
            await self._checker.close()
        await self._logout()

    def stop(self, *, now: bool = False) -> None:
        """Finish the frames that render, give back the rest, and end.

        Args:
            now: give back everything at once.
        """
        self._leaving.set()
        if now:
            self._now.set()

    async def login(self) -> bool:
        """Open the login; waits for the server, and for an earlier slave with this key to be forgotten.

        Returns:
            Whether it is open; if not, the slave was told to stop meanwhile.
        """
        login = SlaveLogin(
            key=self.settings.key,
            password=self.settings.password,
            version=__version__,
            slots=self.settings.slots,
            hardware=hardware(),
            offers=[one.offer for one in self._offered],
        )
        backoff, busy_until = Backoff(), time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                welcome = await self._link.login(login)
            except (*AGAIN, SlaveBusyElsewhere) as error:
                if isinstance(error, SlaveBusyElsewhere) and time.monotonic() > busy_until:
                    raise
                await self._wait_for_login(error, backoff.next())
                if self._leaving.is_set():
                    return False
            else:
                break
        self._caller.heartbeat = welcome.heartbeat_seconds
        self.events.say("logged in", slave=welcome.name, server=welcome.server, slots=self.settings.slots)
        return True

    async def _wait_for_login(self, error: DistrenError, seconds: float) -> None:
        self.events.warn("waiting to log in", error=error.message, seconds=round(seconds, 1))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._leaving.wait()

    def _resume(self) -> None:
        """Send what an earlier run rendered and could not send."""
        for ready in self.outbox.load():
            frame = Held(ready.attempt, ready.job, 0, ready.number, ready.number, Stage.FINISHING)
            self.desk.put(frame)
            self.events.say("sending a result of an earlier run", job=ready.job, frame=ready.number)
            self._uploads.send(ready)

    async def _leave(self, caller: asyncio.Task[None], slots: list[asyncio.Task[None]]) -> None:
        self.events.say("stopping", rendering=len(self.desk.in_stage(Stage.RENDERING)))
        self._give_back(Stage.QUEUED)
        self.desk.close()
        now = asyncio.create_task(self._now.wait())
        try:
            working = asyncio.create_task(_all(slots))
            ends: set[asyncio.Future[Any]] = {working, now, caller}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._now.is_set():
                self._give_back(Stage.TAKEN, Stage.RENDERING)
            await self._flush(caller, _LEAVING if self._now.is_set() else None, now)
        finally:
            now.cancel()
        self._caller.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await asyncio.wait({caller})
        _raise_if_broken(caller)

    async def _flush(self, caller: asyncio.Task[None], seconds: float | None, now: asyncio.Task[bool]) -> None:
        """Wait until the server took everything that is rendered, or until nobody wants to wait."""
        end = None if seconds is None else time.monotonic() + seconds
        while (self.desk.held or len(self.ends)) and not caller.done():
            if now.done() and end is None:
                end = time.monotonic() + _LEAVING
                self._give_back(Stage.TAKEN, Stage.RENDERING)
            if end is not None and time.monotonic() > end:
                self.events.warn("results stay here until the next start", results=len(self.outbox.ready))
                return
            await asyncio.sleep(0.05)

    def _give_back(self, *stages: Stage) -> None:
        frames = self.desk.in_stage(*stages)
        self.ends.give_back(frame.attempt for frame in frames)
        for frame in frames:
            self.desk.revoke(frame.attempt)
        if frames:
            self.events.say("giving frames back", frames=len(frames))
        self._caller.nudge()

    async def _logout(self) -> None:
        with contextlib.suppress(*AGAIN, TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self._link.logout()
        self.events.say("logged out")

    async def _keep_house(self) -> None:
        while True:
            await asyncio.to_thread(self._cache.tidy)
            jobs = {frame.job for frame in self.desk.held.values()}
            jobs |= {slot.job for slot in self._slots if slot.job is not None}
            for job in await self._jobs.tidy(jobs):
                self.pace.forget(job)
            self._space.look(self.outbox.size)
            await asyncio.sleep(_HOUSEKEEPING)

    # What the caller asks

    def report(self, words: Words) -> Report:
        """Return what is to be said now."""
        mentioned = words.attempts()
        running = self.desk.in_stage(Stage.RENDERING)
        waiting = self.desk.in_stage(Stage.QUEUED, Stage.TAKEN)
        finishing = [f.attempt for f in self.desk.in_stage(Stage.FINISHING) if f.attempt not in mentioned]
        self._asked = self._wanted()
        return Report(
            seq=0,
            want=self._asked,
            state=SlaveState.RENDERING if running else SlaveState.IDLE,
            running=[frame.running() for frame in running],
            holding=[frame.attempt for frame in waiting],
            finishing=finishing,
            finished=words.finished,
            failed=words.failed,
            returned=words.returned,
        )

    def _wanted(self) -> int:
        if self._leaving.is_set() or self._drain or self.desk.resting or not self._space.enough:
            return 0
        return wanted(self.settings.slots, [self.pace.of(frame.job) for frame in self.desk.queued])

    def obey(self, orders: Orders) -> None:
        """Do what the server says."""
        for attempt in orders.revoked:
            self._revoke(attempt)
        for verdict in orders.verdicts:
            self._judged(verdict)
        for lease in orders.leases:
            self._prefetch.add(self.desk.add(lease))
        if orders.drain and not self._drain:
            self.events.say("the server wants nothing new from this slave")
            self._give_back(Stage.QUEUED)
        self._drain = orders.drain
        if self._leaving.is_set() and orders.leases:
            self._give_back(Stage.QUEUED)

    def over(self, attempts: list[int]) -> None:
        """Forget attempts whose end the server took."""
        for attempt in attempts:
            self.desk.drop(attempt)

    def offline(self, seconds: float) -> None:
        """Go on for a while without the server, then start nothing new."""
        was, self._offline = self._offline, seconds
        resting = seconds > self.settings.offline_seconds
        if resting != (was > self.settings.offline_seconds):
            self.desk.rest(resting)

    def _revoke(self, attempt: int) -> None:
        frame = self.desk.revoke(attempt)
        if task := self._finishing.get(attempt):
            task.cancel()
        self._uploads.cancel(attempt)
        self.outbox.remove(attempt)
        self.ends.forget(attempt)
        if frame is not None:
            self.events.say("frame taken back", job=frame.job, frame=frame.number)

    def _judged(self, verdict: Verdict) -> None:
        ready = self.outbox.ready.get(verdict.attempt)
        if ready is None:
            return
        self.ends.forget(verdict.attempt)
        if verdict.verdict == "again" and ready.tries < _RESULT_TRIES:
            ready.tries += 1
            log.warning("The server wants a result again", frame=str(ready), message=verdict.message)
            self._uploads.send(ready)
            return
        if verdict.verdict == "again":
            self._lost_result(ready, f"Its result did not get through {ready.tries} times: {verdict.message}")
            return
        self.events.say("result " + verdict.verdict, job=ready.job, frame=ready.number)
        self.outbox.remove(verdict.attempt)
        self.desk.drop(verdict.attempt)

    # What slots and uploads bring

    def rendered(self, rendered: Rendered) -> None:
        """Take a frame that left the renderer; the slot goes on meanwhile."""
        attempt = rendered.frame.attempt
        task = asyncio.create_task(self._finish(rendered))
        self._finishing[attempt] = task
        task.add_done_callback(lambda _: self._finishing.pop(attempt, None))
        self._nudge_if_hungry()

    def failed(self, frame: Held, error: BaseException) -> None:
        """Take a frame that failed."""
        if frame.revoked:
            return
        fault, message = class_of(error), words_of(error)
        if fault is FailureClass.JOB and self._space.full():
            # Renderers say all kinds of things when the disk is full.
            fault, message = FailureClass.SLAVE, f"The slave's disk is full. {message}"
        name = str(frame)
        if name not in message.lower():
            message = f"{name[0].upper()}{name[1:]}: {message}"
        said = str(error.facts.get("log", "")) if isinstance(error, DistrenError) else ""
        seconds = time.monotonic() - frame.began if frame.began else 0.0
        frame.stage = Stage.FINISHING
        self.ends.fail(
            Failed(
                attempt=frame.attempt, failure_class=fault, message=message[:2000], log=said[-65_536:], seconds=seconds
            )
        )
        self.events.warn("frame failed", job=frame.job, frame=frame.number, fault=fault.value, message=message)
        self._caller.nudge()

    async def _finish(self, rendered: Rendered) -> None:
        frame = rendered.frame
        try:
            looked = rendered.looked or await look(self._checker, rendered.done, rendered.folder)
            check(looked, rendered)
            ready = await finish(rendered, looked, self.outbox)
        except (DistrenError, OSError) as error:
            self.failed(frame, error)
        else:
            seconds = round(rendered.done.seconds, 3)
            self.events.say("frame rendered", job=frame.job, frame=frame.number, seconds=seconds)
            self._uploads.send(ready)
        finally:
            await asyncio.to_thread(shutil.rmtree, rendered.folder, ignore_errors=True)

    def _sent(self, ready: Ready) -> None:
        ready.staged = True
        self.ends.finish(ready)
        self._caller.nudge()

    def _unwanted(self, ready: Ready, error: DistrenError) -> None:
        self._lost_result(ready, f"The server did not take its result: {error.message}")

    def _lost_result(self, ready: Ready, message: str) -> None:
        self.outbox.remove(ready.attempt)
        self.ends.fail(Failed(attempt=ready.attempt, failure_class=FailureClass.FARM, message=f"{ready}: {message}"))
        self.events.warn("result lost", job=ready.job, frame=ready.number, message=message)
        self._caller.nudge()

    def _nudge_if_hungry(self) -> None:
        if self._wanted() > self._asked:
            self._caller.nudge()


def _raise_if_broken(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
