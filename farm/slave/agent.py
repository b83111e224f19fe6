"""The agent: puts entrance, caller, desk, slots and returns together."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog

from farm.methods.base import Offered
from farm.pictures.checker import Checker
from farm.protocol.slaves import Hardware, Orders, Report
from farm.protocol.terms import Terms
from farm.slave.cache import BlobCache
from farm.slave.caller import Caller
from farm.slave.containment import Containment
from farm.slave.desk import Desk
from farm.slave.devices import in_use
from farm.slave.ends import Ends, Words
from farm.slave.entrance import Entrance
from farm.slave.errands import Errands
from farm.slave.events import Events
from farm.slave.finishing import Rendered
from farm.slave.folders import Folders
from farm.slave.hardware import hardware
from farm.slave.held import Held, Stage
from farm.slave.jobs import KEPT, Jobs
from farm.slave.kit import Kit
from farm.slave.leaving import PATIENCE, Leaving
from farm.slave.leftovers import Leftovers
from farm.slave.lending import Lending
from farm.slave.link import Link
from farm.slave.load import Gauge
from farm.slave.outbox import Outbox
from farm.slave.pace import Pace, wanted
from farm.slave.prefetch import Prefetch
from farm.slave.provisioning import Provisioning
from farm.slave.resting import Resting, in_words
from farm.slave.retry import AGAIN
from farm.slave.returns import Returns
from farm.slave.slot import Slot
from farm.slave.space import Space
from farm.slave.upgrading import Upgrading
from farm.slave.vacating import Vacating
from farm.slave.watched import Watched
from farm.words.backends import BACKENDS
from farm.words.errors import DistrenError
from farm.words.settings import SlaveSettings
from farm.words.states import SlaveState

log = structlog.get_logger(__name__)

_DECODERS = 4
"""The most pictures that are checked at the same time."""


class Agent:
    """A slave, from login to logout.

    Args:
        settings: slave.conf.
        link: the server.
        folders: claimed before.
        offered: the renderers that work here.
        events: hears what happens.
        containment: how renderers are started; by default like any other program.
    """

    def __init__(
        self,
        settings: SlaveSettings,
        link: Link,
        folders: Folders,
        offered: list[Offered],
        events: Events,
        containment: Containment | None = None,
    ) -> None:
        self.desk = Desk(self._nudge_if_hungry, self._opened)
        self.outbox = Outbox(folders.results)
        self._settings = settings
        self._containment = containment or Containment()
        self._events = events
        self._link = link
        self._ends = Ends()
        self._lending = Lending(settings)
        self._machine_changed = False
        self._pace = Pace()
        self._cards = in_use(offered)
        self._checker = Checker(min(settings.slots + len(self._cards), _DECODERS))
        self._cache = BlobCache(settings.cache, self._lending.now.disk_bytes, settings.free_space)
        self._jobs = Jobs(link, self._cache, folders.jobs)
        self._prefetch = Prefetch(self._jobs)
        self._leftovers = Leftovers(folders)
        self._caller = Caller(link, self._ends, self, self._enter)
        self._leaving = Leaving(self.desk, self._ends, self._caller, events)
        self._space = Space(settings, folders, self._cache, self._room)
        self._offered = offered
        self._provisioning = Provisioning(
            settings, folders, offered, self._containment, events, nudge=self._caller.nudge
        )
        self._entrance = Entrance(settings, link, offered, events, self._leaving.told, self._machine)
        self._returns = Returns(
            link=link,
            desk=self.desk,
            ends=self._ends,
            outbox=self.outbox,
            checker=self._checker,
            space=self._space,
            events=events,
            nudge=self._caller.nudge,
        )
        self._upgrading = Upgrading(
            settings, folders, link, self.desk, events, clear=self._cleared, leave=self._leaving.told.set
        )
        self._errands = Errands(settings, folders, link, events, end=self._end)
        self._gauge = Gauge(folders.work, lambda: self._cache.bytes)
        kit = self._kit(folders, offered)
        self._slots = [Slot(kit) for _ in range(settings.slots)] + [Slot(kit, card) for card in self._cards]
        self._resting = Resting(settings, folders.state, self._rest)
        self._vacating = Vacating(self.desk, self._leaving, events, settings.finish_seconds, self._caller.nudge)
        self._watched = Watched()
        self._asked = 0
        self._trouble = ""
        self._drain = False
        self._wanted_back = True
        self._loop: asyncio.AbstractEventLoop

    def _kit(self, folders: Folders, offered: list[Offered]) -> Kit:
        return Kit(
            settings=self._settings,
            folders=folders,
            records=folders.records(),
            desk=self.desk,
            jobs=self._jobs,
            checker=self._checker,
            offered=offered,
            events=self._events,
            pace=self._pace,
            takes=self,
            lending=self._lending,
            containment=self._containment,
        )

    async def run(self) -> None:
        """Log in, render until told to stop, give back what is left, log out.

        Raises:
            DistrenError: the server's last word, e.g. that key and password are wrong.
        """
        if not await self._enter():
            return
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._resting.look)
        self._returns.resume()
        await self._space.look(self.outbox.size)
        calling = asyncio.create_task(self._caller.run(), name="caller")
        slots = [asyncio.create_task(slot.run(), name="slot") for slot in self._slots]
        keeping = asyncio.create_task(self._keep_house(), name="keeper")
        resting = asyncio.create_task(self._resting.run(), name="resting")
        leaving = asyncio.create_task(self._leaving.told.wait())
        try:
            await asyncio.wait({calling, leaving, keeping, resting, *slots}, return_when=asyncio.FIRST_COMPLETED)
            _raise_if_broken(calling, keeping, resting, *slots)
            await self._leaving.leave(calling, slots)
            _raise_if_broken(calling, *slots)
        finally:
            await _end(leaving, keeping, resting, *slots, calling)
            await self._errands.close()
            await self._upgrading.close()
            await self._provisioning.close()
            await self._returns.close()
            await self._prefetch.close()
            await self._checker.close()
        await self._exit()

    def stop(self, *, now: bool = False) -> None:
        """Finish the frames that render, give back the rest, and end.

        Args:
            now: give back everything at once.
        """
        self._wanted_back = False
        self._end(now)

    def _end(self, now: bool) -> None:
        self._leaving.told.set()
        if now:
            self._leaving.now.set()

    async def _enter(self) -> bool:
        if self.changed():  # the server would wait for this very slave to fall silent
            with contextlib.suppress(DistrenError):
                await self._exit()
        self._provisioning.changed = self._machine_changed = False
        welcome = await self._entrance.enter()
        if welcome is not None:
            self._caller.heartbeat = welcome.heartbeat_seconds
            self.outbox.server = welcome.server
            self._hear(welcome.terms)
            await self._upgrading.logged_in()
        return welcome is not None

    @property
    def successor(self) -> str:
        """The folder of the version that goes on in this one's place; empty: none does."""
        return self._upgrading.successor if self._wanted_back else ""

    @property
    def restarts(self) -> bool:
        """Whether a new process is to take this one's place: a person wanted it so from afar."""
        return self._errands.restarts and self._wanted_back

    def _cleared(self) -> None:
        """Begin nothing new, or begin again, as an upgrade wants it."""
        if self._upgrading.draining:
            self._leaving.give_back(Stage.QUEUED)
        self._caller.nudge()

    def _machine(self) -> Hardware:
        cards = (card for one in self._offered for card in one.offer.devices)
        found = hardware(cards, self._containment, self._lending.now.cores)
        told: dict[str, Any] = {"installs": self._provisioning.able(), "remarks": self._provisioning.remarks()}
        told["hours"] = in_words(self._settings)
        return found.model_copy(update=told)

    async def _exit(self) -> None:
        with contextlib.suppress(*AGAIN, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._link.logout()
        self._events.say("logged out")

    async def _keep_house(self) -> None:
        while True:
            await asyncio.to_thread(self._cache.tidy)
            await asyncio.to_thread(self._leftovers.tidy)
            jobs = {frame.job for frame in self.desk.held.values()}
            jobs |= self._opened()
            # Trees hold on to files of the cache, and renderers to trees: without room nothing is kept for later.
            if not self._space.enough:
                self.desk.dismiss()
            enough = self._space.enough and not self._cache.overfull
            for job in await self._jobs.tidy(jobs, KEPT if enough else 0):
                self._pace.forget(job)
            if self._cache.overfull:
                await asyncio.to_thread(self._cache.make_room, 0)
            await self._space.look(self.outbox.size)
            await self._space.pause()

    def _room(self, reason: str) -> None:
        """Hear that there is no room to render, and why; an empty text: there is again."""
        self._trouble = reason[:500]
        if reason:
            self._events.warn("no room to render", reason=reason)
            self._leaving.give_back(Stage.QUEUED)
        else:
            self._events.say("there is room to render again")
        self._caller.nudge()

    def _rest(self, _reason: str) -> None:
        """Hear that this machine rests, or does not any more. Called from another thread."""
        self._loop.call_soon_threadsafe(self._vacating.hear, self._resting)

    # What the caller asks

    def report(self, words: Words) -> Report:
        """Return what is to be said now."""
        mentioned = words.attempts()
        running = self.desk.in_stage(Stage.RENDERING)
        on_cpu, on_cards = self._wanted()
        self._asked = on_cpu + on_cards
        return Report(
            seq=0,
            want=self._asked,
            cards=on_cards,
            state=self._state(busy=bool(running)),
            running=self._watched.running(running),
            holding=[frame.attempt for frame in self.desk.in_stage(Stage.QUEUED, Stage.TAKEN)],
            # An end that does not fit into this report is still held: else the server would take it for lost.
            finishing=[f.attempt for f in self.desk.in_stage(Stage.FINISHING) if f.attempt not in mentioned],
            finished=words.finished,
            failed=words.failed,
            returned=words.returned,
            message=self._trouble,
            load=self._gauge.look(self._caller.heartbeat),
        )

    def _state(self, *, busy: bool) -> SlaveState:
        if self._resting.reason:
            return SlaveState.RESTING
        return SlaveState.RENDERING if busy else SlaveState.IDLE

    def obey(self, orders: Orders) -> None:
        """Do what the server says."""
        for attempt in orders.revoked:
            self._revoke(attempt)
        self._returns.judged(orders.verdicts)
        self._hear(orders.terms)
        for lease in orders.leases:
            self._prefetch.add(self.desk.add(lease))
        if orders.drain and not self._drain:
            self._events.say("the server wants nothing new from this slave")
        self._drain = orders.drain
        self._errands.told(orders.errand)
        self._watched.watch(orders.watched)
        if not self._leaving.told.is_set():
            self._provisioning.told(orders.install)
            # A machine that rests is somebody's who would notice.
            if not (orders.upgrade and self._resting.reason):
                self._upgrading.told(orders.upgrade)
        if self._drain or self._upgrading.draining or self._leaving.told.is_set():
            self._leaving.give_back(Stage.QUEUED)

    def _hear(self, terms: Terms | None) -> None:
        """Hear what the owner lends from now on, as said on the server."""
        cores = self._lending.now.cores
        if not self._lending.told(terms):
            return
        now = self._lending.now
        self._machine_changed |= now.cores != cores
        self._cache.limit = now.disk_bytes
        self.desk.dismiss()
        self._events.say("its owner lends", cores=now.cores, memory_bytes=now.bounds.memory_bytes, cards=now.cards)

    def hungry(self) -> bool:
        """Tell whether leases are wanted and nothing waits: a slot idles, or will when its frame ends."""
        return not self.desk.queued and sum(self._wanted()) > 0

    def over(self, attempts: list[int]) -> None:
        """Forget attempts whose end the server took."""
        for attempt in attempts:
            self.desk.drop(attempt)

    def changed(self) -> bool:
        """Tell whether another renderer is here than at the login, and nothing that a login would give back."""
        return (self._provisioning.changed or self._machine_changed) and not self.desk.held

    def offline(self, seconds: float) -> None:
        """Go on for a while without the server, then start nothing new."""
        self.desk.rest(seconds > self._settings.offline_seconds)

    def _revoke(self, attempt: int) -> None:
        frame = self.desk.revoke(attempt)
        self._returns.forget(attempt)
        if frame is not None:
            self._events.say("frame taken back", job=frame.called, frame=frame.number)

    # What slots bring

    def rendered(self, rendered: Rendered) -> None:
        """Take a frame that left the renderer."""
        self._returns.rendered(rendered)
        self._nudge_if_hungry()

    def failed(self, frame: Held, error: BaseException) -> None:
        """Take a frame that failed."""
        self._returns.failed(frame, error)

    def card_gone(self, card: str, reason: str) -> None:
        """Take nothing more for a graphics card that does not work any more."""
        self._events.warn("graphics card does not work any more", card=card, reason=reason)
        if not self._working_cards():
            self._leaving.give_back(Stage.QUEUED)
        self._caller.nudge()

    def _wanted(self) -> tuple[int, int]:
        """Return for how many of the processor's slots leases are wanted, and for how many cards."""
        if self._leaving.told.is_set() or self._drain or self._resting.reason or self.desk.resting:
            return 0, 0
        if self._upgrading.draining or not self._space.enough:
            return 0, 0
        cards = self._working_cards() if self._lending.now.cards else 0
        usual = "cpu" if self._settings.slots else "gpu"
        queued: dict[str, list[float | None]] = {"cpu": [], "gpu": []}
        for frame in self.desk.queued:
            queued["gpu" if frame.slot in BACKENDS else frame.slot or usual].append(self._pace.of(frame.job))
        return wanted(self._settings.slots, queued["cpu"]), wanted(cards, queued["gpu"])

    def _working_cards(self) -> int:
        return sum(slot.card and bool(slot.kinds) for slot in self._slots)

    def _opened(self) -> set[int]:
        return {slot.job for slot in self._slots if slot.job is not None}

    def _nudge_if_hungry(self) -> None:
        if sum(self._wanted()) > self._asked:
            self._caller.nudge()


def _raise_if_broken(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
