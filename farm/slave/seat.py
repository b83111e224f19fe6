"""The session of a slot: opened for a job, kept from frame to frame, replaced when it should be."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

import structlog

from farm.methods.base import PROCESSOR, Device, Launch, Offered
from farm.methods.registry import method
from farm.protocol.slaves import JobSheet
from farm.sandbox.wipe import wipe
from farm.slave.containment import Rooms
from farm.slave.devices import way
from farm.slave.held import Held
from farm.slave.jobs import JobHere
from farm.slave.kit import Kit
from farm.slave.lending import Loan
from farm.slave.meter import EVERY
from farm.slave.renderers import choose
from farm.slave.session import Session
from farm.slave.shaders import SHADERS, kept
from farm.slave.trace import Trace
from farm.words.errors import RendererFailed
from farm.words.steps import Step

log = structlog.get_logger(__name__)


Key = tuple[int, int, bool, str, Loan]
"""What a session is good for: job, revision, whether it keeps what it prepared, the frame's own settings, and what it
may use of the machine."""


class Seat:
    """At most one session.

    Args:
        kit: the slave's things.
        device: what it renders on.
    """

    def __init__(self, kit: Kit, device: Device = PROCESSOR) -> None:
        self._kit = kit
        self.device = device
        self.offered: Offered | None = None
        """The renderer that was started last."""
        self.session: Session | None = None
        self.drawing = ""
        """What Cycles renders on in the open session: the processor, or a way to a graphics card."""
        self._key: Key | None = None
        self._set = ""
        self._folder: Path | None = None
        self.persistent = False
        """The renderer keeps what it prepared from frame to frame."""
        self.warm = 0
        """Frames that the open renderer rendered with what it had prepared before."""
        self.unproved: list[int] = []
        """Those since the last comparison that found no difference."""

    @property
    def job(self) -> int | None:
        """The job that is open."""
        return self._key[0] if self._key and self.session and self.session.alive else None

    @property
    def output(self) -> Path:
        """The folder that the open renderer writes frames into."""
        assert self._folder is not None
        return Rooms(self._folder).output

    @property
    def set(self) -> str:
        """The parameter set that is open."""
        return self._set if self.job is not None else ""

    async def session_for(self, here: JobHere, frame: Held) -> Session:
        """Return a session with a job open: the one that is here if it fits, else a new one.

        Frames of other parameters get a session of their own, so that nothing of them is left behind.

        Args:
            here: the job.
            frame: that has to wait for it.

        Raises:
            RendererFailed: the renderer can't open the job.
            NotASetup: no renderer fits, or it can't be started.
        """
        sheet = here.sheet_for(frame)
        own = repr(sorted(sheet.settings.items())) if sheet.sets else ""
        key = (sheet.job, sheet.revision, here.cold.persistent, own, self._kit.lending.now)
        if self.session is not None and (self._key != key or self._spent()):
            await self.close()
        if self.session is None:
            await self._open(here, sheet, frame.trace)
            self._key, self._set = key, frame.set
        assert self.session is not None
        return self.session

    async def watch(self) -> None:
        """Watch over the open renderer while it has nothing to do, until cancelled; end it if it does something."""
        while True:
            await asyncio.sleep(EVERY)
            if self.session is not None and (why := await self.session.astray()):
                log.warning("A renderer that had nothing to do was ended", job=self.job, reason=why)
                await self.kill()

    async def close(self) -> None:
        """End the session politely."""
        if self.session is not None:
            await (self.session.close() if self.session.alive else self.session.kill())
        await self._forget()

    async def kill(self) -> None:
        """End the session at once."""
        if self.session is not None:
            await self.session.kill()
        await self._forget()

    async def _forget(self) -> None:
        folder, self.session, self._key, self._folder = self._folder, None, None, None
        if folder is not None:
            await asyncio.to_thread(wipe, folder)

    def _spent(self) -> bool:
        session, settings = self.session, self._kit.settings
        if session is None or not session.alive:
            return True
        grown = session.memory - session.first_memory
        spent = session.frames >= settings.recycle_frames or grown > settings.recycle_memory
        if spent:
            log.info("The renderer is started anew", frames=session.frames, grown_bytes=grown)
        return spent

    async def _open(self, here: JobHere, sheet: JobSheet, trace: Trace) -> None:
        unfinished = self._kit.folders.unfinished / f"{sheet.job}-{sheet.revision}"
        rooms = Rooms.make(self._kit.folders.sessions, f"{sheet.job}-", unfinished)
        self._folder, self.warm, self.unproved = rooms.folder, 0, []
        offered = choose(self._kit.offered, sheet, self.device.card)
        self.offered = offered
        launch = method(sheet.method).launch(offered, sheet, here.tree.root, rooms.scratch)
        launch = self._kit.containment.around(self._adapted(launch, here, offered, unfinished), here.tree.root, rooms)
        self.persistent = launch.open["persistent"]
        name, nice = PurePosixPath(sheet.source).name or f"job {sheet.called}", self._kit.settings.nice
        began = time.monotonic()
        loan = self._kit.lending.now
        session = await Session.start(launch, rooms.folder, self._kit.records, name, loan.bounds, nice, loan.processors)
        self.session = session
        try:
            await session.greet()
            trace.note(Step.START, began, time.monotonic())
            with trace.span(Step.LOAD):
                opened = await session.open(launch.open, here.allowance, offered.offer.version)
        except RendererFailed as error:
            # The log's file goes with the session.
            error.facts.setdefault("log", session.log.tail())
            raise
        for warning in opened.get("warnings") or []:
            log.warning("The renderer warns", job=sheet.called, warning=str(warning)[:500])

    def _adapted(self, launch: Launch, here: JobHere, offered: Offered, unfinished: Path) -> Launch:
        device = way(offered, self.device.card, here.sheet.device) or PROCESSOR
        self.drawing = device.kind.lower() if here.sheet.engine.startswith("CYCLES") else ""
        opening = {
            "device": {"kind": device.kind, "id": device.id},
            **launch.open,
            "persistent": here.cold.persistent and bool(launch.open.get("persistent", True)),
        }
        if threads := self._kit.lending.now.threads:
            opening["threads"] = threads
        if launch.resumes:
            unfinished.mkdir(exist_ok=True)
            opening["unfinished"] = str(unfinished)
        # Renderers write to it, and believe what they find there: strangers must not share it.
        own = None if here.sheet.circle else os.environ.get(SHADERS)
        env = {**launch.env, **kept(Path(own) if own else self._kit.folders.shaders_of(here.sheet.circle))}
        return replace(launch, open=opening, env=env)
