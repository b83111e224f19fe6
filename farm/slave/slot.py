"""One slot: takes frames from the desk and has them rendered, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import structlog

from farm.methods.base import PROCESSOR, Device
from farm.pictures.compare import Likeness, compare
from farm.sandbox.takeout import take_out
from farm.sandbox.wipe import wipe
from farm.slave.cardtrial import try_card
from farm.slave.coldcheck import Answer, due
from farm.slave.devices import slots_of
from farm.slave.fault import class_of, trouble, words_of
from farm.slave.finishing import Looked, Rendered, look
from farm.slave.held import Held, Stage
from farm.slave.jobs import JobHere
from farm.slave.kit import Kit
from farm.slave.opened import Done
from farm.slave.seat import Seat
from farm.slave.session import Session, Tell, Work
from farm.words.errors import DistrenError
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass
from farm.words.steps import Step

log = structlog.get_logger(__name__)

IDLE = 600.0
"""Seconds without work after which an open renderer is closed."""


class Slot:
    """A place where one frame at a time renders.

    Args:
        kit: the slave's things.
        device: what it renders on.
        idle: seconds without work after which an open renderer is closed.
    """

    def __init__(self, kit: Kit, device: Device = PROCESSOR, idle: float = IDLE) -> None:
        self._kit = kit
        self._seat = Seat(kit, device)
        self.card = bool(device.card)
        self.kinds = slots_of(device, kit.offered) if device.card else frozenset({"cpu"})
        """The words of leases that it takes; none: its card does not work any more."""
        self._idle = idle

    @property
    def job(self) -> int | None:
        """The job that is open here."""
        return self._seat.job

    async def run(self) -> None:
        """Render what the desk gives, until it is closed."""
        try:
            while not self._kit.desk.closed:
                frame = await self._next()
                if frame is None:
                    await self._seat.close()
                else:
                    await self._one(frame)
        finally:
            await self._seat.kill()

    async def _next(self) -> Held | None:
        watching = asyncio.create_task(self._seat.watch())
        try:
            return await self._kit.desk.take(self._seat.job, self._idle, self.kinds, self._seat.set)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _one(self, frame: Held) -> None:
        """Work on a frame in a task of its own, so that it can be stopped without stopping the slot."""
        work = asyncio.create_task(self._work(frame))
        frame.abort = work.cancel
        try:
            await asyncio.wait({work})
        finally:
            frame.abort = None
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _work(self, frame: Held) -> None:
        folder = self._kit.folders.attempts / str(frame.attempt)
        frame.trace.note(Step.WAIT, frame.since, time.monotonic())
        try:
            here = await self._kit.jobs.prepare(frame)
            rendered = await self._render(frame, here, folder)
        except asyncio.CancelledError:
            # Killed before anything else: a revoked frame must not go on for a second.
            await self._seat.kill()
            await asyncio.to_thread(wipe, folder)
            raise
        except Exception as error:  # whatever it was, the frame is given up by name and the slot goes on
            if not isinstance(error, DistrenError | OSError):
                log.exception("The slave failed at a frame", frame=str(frame))
            self._kit.takes.failed(frame, error)
            await self._seat.kill()
            await asyncio.to_thread(wipe, folder)
            if self.card and class_of(error) is FailureClass.SLAVE:
                await self._try_card()
        else:
            frame.stage = Stage.FINISHING
            self._kit.takes.rendered(rendered)

    async def _try_card(self) -> None:
        """Try the card again after a failure: if it does not work any more, this slot takes nothing more."""
        offered, wanted = self._seat.offered, self._seat.device.card
        card = next((card for card in offered.cards if card.card == wanted), None) if offered else None
        if offered is None or card is None:
            return
        reason = await asyncio.to_thread(try_card, self._kit.containment, self._kit.folders, offered, card)
        if reason:
            self.kinds = frozenset()
            self._kit.takes.card_gone(str(card), reason)

    async def _render(self, frame: Held, here: JobHere, folder: Path) -> Rendered:
        session = await self._seat.session_for(here, frame)
        asked = await self._asked(session, here)
        try:
            # What was found out meanwhile may want another session.
            session = await self._seat.session_for(here, frame)
            frame.stage, frame.began, frame.log = Stage.RENDERING, time.monotonic(), session.log
            warm = session.frames > 0 and self._seat.persistent
            done, looked = await self._run(session, frame, here, folder / "output"), None
            _note(frame, done)
            if warm:
                self._seat.warm += 1
                self._seat.unproved.append(frame.number)
            if asked:
                with frame.trace.span(Step.COMPARE):
                    done, looked = await self._compared(session, frame, here, folder, done)
        finally:
            if asked:
                here.cold.give_up()
        self._kit.pace.note(frame.job, done.seconds)
        here.seconds.append(done.seconds)
        return Rendered(frame, done, folder, session.log.of_frame(), looked, self._seat.drawing)

    async def _asked(self, session: Session, here: JobHere) -> bool:
        """Tell whether this frame is one to render both ways; wait while another slot's is the first such.

        A warm frame must not go out before it is known that warm frames are right.
        """
        while session.frames and self._seat.persistent:
            if here.cold.claim():
                return True
            if here.cold.answer is not Answer.ASKED:
                return here.cold.answer is Answer.WARM and due(self._seat.warm)
            await here.cold.settled()
        return False

    async def _run(
        self, session: Session, frame: Held, here: JobHere, output: Path, *, cold: bool = False, keep: bool = False
    ) -> Done:
        """Render a frame; then move its files out of the renderer's reach, to `output`."""
        reach = self._seat.output / f"{frame.attempt}{'-cold' if cold else ''}"
        os.mkdir(reach)  # noqa: PTH102  pathlib is frowned upon in async functions; it is as quick
        work = Work(
            frame.title,
            frame.attempt,
            frame.number,
            frame.picture,
            reach,
            here.allowance,
            _telling(frame),
            frame.required,
            frame.set,
        )
        done = await session.render(work, cold=cold, keep=keep)
        try:
            moved = await asyncio.to_thread(done.moved, lambda names: take_out(reach, names, output))
        except OSError as error:
            message = f"{frame.title}: the renderer's files can't be taken: {words_of(error)}"
            raise trouble(message, FailureClass.SLAVE, session.log.tail()) from error
        return moved.below(frame.set) if frame.set else moved

    async def _compared(
        self, session: Session, frame: Held, here: JobHere, folder: Path, warm: Done
    ) -> tuple[Done, Looked]:
        """Render a warm frame cold, too; return the one that counts."""
        cold_folder = folder / "cold"
        # The first look of a job is at Blender as it is without keeping anything. Later ones need not
        # cost the next frame its preparation.
        later = here.cold.answer is Answer.WARM
        cold = await self._run(session, frame, here, cold_folder / "output", cold=True, keep=later)
        seen = await look(self._kit.checker, warm, folder)
        anew = await look(self._kit.checker, cold, cold_folder)
        likeness = compare(seen, anew)
        here.cold.settle(likeness)
        if likeness is Likeness.EQUAL:
            self._seat.unproved.clear()
            return warm, seen
        before = [number for number in self._seat.unproved if number != frame.number]
        doubted = {"look_at": str(FrameRange.of(before))} if before else {}
        self._kit.events.warn("Warm and cold pictures differ: each frame is prepared anew", frame=str(frame), **doubted)
        with contextlib.suppress(OSError):
            (cold_folder / "thumbnail.webp").replace(folder / "thumbnail.webp")
        return cold, anew


def _note(frame: Held, done: Done) -> None:
    """Note what the renderer said of its steps, as far as its word can be true."""
    began, ended = frame.began, frame.began + done.seconds
    drawn = min(ended, began + done.prepare)
    written = max(drawn, ended - done.write)
    if done.idle:
        frame.trace.note(Step.IDLE, began - done.idle, began)
    frame.trace.note(Step.PREPARE, began, drawn)
    frame.trace.note(Step.RENDER, drawn, written)
    frame.trace.note(Step.WRITE, written, ended)


def _telling(frame: Held) -> Tell:
    def tell(fraction: float, memory: int) -> None:
        frame.progress, frame.memory = fraction, memory

    return tell
