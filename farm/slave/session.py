"""One renderer process with a job's file open, driven frame by frame.

Its state gates its methods: open once, render only when open, kill always. Whatever goes
wrong ends the session; the slot starts another.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from farm.methods.base import Launch
from farm.sandbox.bounds import UNBOUND, Bounds
from farm.sandbox.process import Child, Order
from farm.sandbox.records import Records
from farm.slave import wire
from farm.slave.fault import trouble
from farm.slave.limits import Allowance, Watch, overdue, silent
from farm.slave.meter import Meter
from farm.slave.opened import Done, read_done
from farm.slave.renderlog import RenderLog
from farm.words.states import FailureClass

log = structlog.get_logger(__name__)

_TICK = 0.25
"""Seconds between looks at limits and at the process."""

_HEARD = 1000
"""Events that may wait to be heard: a renderer that tells more has to wait, for it could fill this slave's memory."""

_DEAF = 300.0
"""Seconds in which a renderer must take an order; none is longer than a few lines."""

_HELLO = Allowance(render_seconds=300.0)
"""A cold start from a slow disk, not more."""

_SHORT = re.compile(r"out of memory|MemoryError|bad_alloc|alloc returns null", re.IGNORECASE)
"""What renderers say when memory is too little …"""

_CARD = re.compile(r"GPU|CUDA|cuMem|OptiX|HIP|Metal|oneAPI", re.IGNORECASE)
"""… and when it is that of a graphics card, of which a bigger machine need not have more."""

Tell = Callable[[float, int], None]
"""Hears of progress: fraction, memory in bytes."""


class State(StrEnum):
    """What a session can do now."""

    STARTED = "started"
    """The process runs; it has said nothing yet."""
    GREETED = "greeted"
    """It works; nothing is open."""
    OPEN = "open"
    """Ready for a frame."""
    BUSY = "busy"
    """Opening, or rendering."""
    ENDED = "ended"
    """Killed, or about to be."""


@dataclass(frozen=True, slots=True)
class Work:
    """One frame to render.

    Args:
        what: the frame in words, for messages.
        picture: the renderer's frame number.
        output: an empty folder for its files.
        allowance: when it counts as hung.
        tell: hears of progress.
        depends: folders of the job's tree, with the files of the frames that it waited for.
        set: the parameter set that the frame is of; empty: of none.
    """

    what: str
    attempt: int
    number: int
    picture: int
    output: Path
    allowance: Allowance
    tell: Tell
    depends: tuple[str, ...] = ()
    set: str = ""

    def order(self, *, cold: bool, keep: bool) -> bytes:
        """Return the line for the renderer."""
        facts = {"attempt": self.attempt, "picture": self.picture, "number": self.number, "set": self.set}
        return wire.order("render", **facts, depends=self.depends, output=str(self.output), cold=cold, keep=keep)


class Session:
    """A renderer with one job's file open.

    Args:
        child: its process.
        log: its output.
        name: what it is there for, e.g. `job 12`, for messages.
    """

    def __init__(self, child: Child, log: RenderLog, records: Records, name: str, meter: Meter) -> None:
        self.state = State.STARTED
        self.frames = 0
        self.first_memory = 0
        self.memory = 0
        self.log = log
        self._child = child
        self._records = records
        self._name = name
        self._version = ""
        self._meter = meter
        self._events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_HEARD)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        launch: Launch,
        folder: Path,
        records: Records,
        name: str,
        bounds: Bounds = UNBOUND,
        nice: int = 0,
        processors: frozenset[int] = frozenset(),
    ) -> Session:
        """Start the process.

        Args:
            launch: how.
            folder: the session's own folder, for the log.
            records: where it is noted for the case that this slave is killed.
            name: what it is there for.
            bounds: what it may use; it is ended when it uses more.
            nice: how much lower than ours its priority is.
            processors: those that it may run on; none: any.

        Raises:
            NotASetup: the program can't be started.
        """
        render_log = RenderLog(folder / "renderer.log")
        order = Order(launch.argv, launch.env, launch.cwd, render_log.path, nice, launch.contained, processors)
        child = await Child.start(order)
        try:
            records.add(child.identity)
        except OSError:
            # On a full disk. What nobody could find again after a crash must not run.
            await child.kill()
            raise
        return cls(child, render_log, records, name, Meter(child, bounds, folder))

    async def greet(self) -> None:
        """Wait for the renderer's first word; once.

        Raises:
            RendererFailed: it ended, or said nothing for too long.
        """
        self._enter(State.STARTED)
        async for event in self._listen(f"Starting the renderer of {self._name}", _HELLO):
            if event["event"] == "hello":
                self._version = str(event.get("version", ""))
                self.state = State.GREETED
                return

    async def open(self, message: dict[str, Any], allowance: Allowance, version: str = "") -> dict[str, Any]:
        """Have the renderer open the file, after its first word; return what it says of it.

        Args:
            message: how to open it.
            allowance: for how long it may.
            version: the renderer's as it was tried; it may have been replaced on the disk since.

        Raises:
            RendererFailed: with the class of the failure.
        """
        if self.state is State.STARTED:
            await self.greet()
        self._enter(State.GREETED)
        what = f"Opening {self._name}"
        if version and self._version != version:
            text = f"{what}: the renderer is {self._version} now, and was {version} when this slave started."
            raise trouble(f"{text} Start the slave anew.", FailureClass.SLAVE, self.log.tail())
        await self._say(wire.order(**message), what)
        async for event in self._listen(what, allowance.for_opening()):
            if event["event"] == "opened":
                self.state = State.OPEN
                return event
            self._raise_if_failed(event, None, what)
        raise trouble(f"{what} ended without a word.", FailureClass.SLAVE, self.log.tail())

    async def render(self, work: Work, *, cold: bool = False, keep: bool = False) -> Done:
        """Render one frame.

        Args:
            work: which, and where its files go.
            cold: without what was prepared before.
            keep: what a cold frame prepares is kept for the next one.

        Raises:
            RendererFailed: with the class of the failure.
        """
        self._enter(State.OPEN)
        self.log.begin()
        self._meter.peak, began, cpu = 0, time.monotonic(), self._child.cpu_seconds()
        await self._say(work.order(cold=cold, keep=keep), work.what)
        async for event in self._listen(work.what, work.allowance):
            kind = event["event"]
            if kind == "progress":
                self._meter.peak = max(self._meter.peak, int(wire.number(event, "memory")))
                work.tell(min(1.0, wire.number(event, "fraction")), self._meter.peak)
            elif kind == "done" and event.get("attempt") == work.attempt:
                return self._done(event, work, time.monotonic() - began, self._child.cpu_seconds() - cpu)
            self._raise_if_failed(event, work.attempt, work.what)
        raise trouble(f"{work.what} ended without a word.", FailureClass.SLAVE, self.log.tail())

    def _done(self, event: dict[str, Any], work: Work, wall: float, cpu: float) -> Done:
        done = read_done(event, work.output)
        if done is None:
            message = f"{work.what}: the renderer said it was done, but there is no file of this frame."
            raise trouble(message, FailureClass.SLAVE, self.log.tail())
        self.frames += 1
        self.state = State.OPEN
        self.first_memory = self.first_memory or done.memory_bytes
        self.memory = done.memory_bytes
        # Children of the renderer are in our measure, the last 10 ms are in its own.
        peak = max(done.memory_bytes, self._meter.peak)
        return replace(done, seconds=wall, cpu_seconds=max(done.cpu_seconds, cpu), memory_bytes=peak)

    async def close(self) -> None:
        """End the session politely; kill it if it does not go."""
        self.state = State.ENDED
        with contextlib.suppress(OSError):
            self._child.stdin.write(wire.order("quit"))
            self._child.stdin.close()
        await self._child.wait(3)
        await self.kill()

    async def kill(self) -> None:
        """Kill the renderer with everything that it started."""
        self.state = State.ENDED
        self._reader.cancel()
        await self._child.kill()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._records.remove(self._child.identity)

    @property
    def alive(self) -> bool:
        """The process runs and can take a frame."""
        return self.state is State.OPEN and self._child.returncode is None

    def _enter(self, state: State) -> None:
        if self.state is not state:
            raise RuntimeError(f"a session that is {self.state} was used as if it were {state}")
        self.state = State.BUSY

    async def _say(self, line: bytes, what: str) -> None:
        try:
            self._child.stdin.write(line)
            async with asyncio.timeout(_DEAF):
                await self._child.stdin.drain()
        except TimeoutError:
            text = f"{what}: the renderer took no order for {_DEAF:g} s."
            raise trouble(text, FailureClass.SLAVE, self.log.tail()) from None
        except OSError:
            await self._child.wait(5)
            raise self._crash(what) from None

    def _raise_if_failed(self, event: dict[str, Any], attempt: int | None, what: str) -> None:
        if event["event"] != "failed" or event.get("attempt") not in (attempt, None):
            return
        fault = FailureClass.JOB if event.get("class") == "job" else FailureClass.SLAVE
        said = str(event.get("message", ""))[:1500]
        raise trouble(f"{what}: {said}", fault, self.log.tail(), short=_is_short(said))

    async def _listen(self, what: str, allowance: Allowance) -> AsyncIterator[dict[str, Any]]:
        """Yield events until the caller has heard enough; watch limits and process meanwhile."""
        watch = Watch.begin(time.monotonic())
        while True:
            event = await self._next()
            now = time.monotonic()
            if event is not None:
                watch = watch.seen(now, _sign(event))
                yield event
            elif self._child.returncode is not None and self._events.empty():
                raise self._crash(what)
            if silent(watch, now, allowance) and await self._child.uses_cards():
                watch = watch.alive(now)
            # Also after an event: a renderer that repeats itself may hang all the same.
            if reason := overdue(watch, now, allowance):
                raise trouble(f"{what} {reason}.", FailureClass.SLAVE, self.log.tail())
            watch = await self._measure(watch, now, what)

    async def _next(self) -> dict[str, Any] | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK):
                event = await self._events.get()
                if event is None:
                    # stdout ended: the process is on its way out, or has closed it for no reason.
                    await self._child.wait(_TICK)
                return event
        return None

    async def _measure(self, watch: Watch, now: float, what: str) -> Watch:
        """Look at what the renderer uses, now and then; CPU time is a sign of life, too."""
        seen = await self._meter.look(now)
        if seen is None:
            return watch
        self.log.trim()
        if seen.excess:
            said = f"{what} {seen.excess}. It was stopped."
            raise trouble(said, FailureClass.SLAVE, self.log.tail(), short=seen.short)
        return watch.alive(now) if seen.works else watch

    async def astray(self) -> str:
        """Return what an open renderer does that nobody wants, while it has nothing to do; ask every few seconds.

        A job's scripts go on when its last frame is done: without this, until the session ends, and unbounded.
        """
        if not self.alive:
            return ""
        self.log.trim()
        why = await self._meter.astray(time.monotonic())
        return why if self.alive else ""

    def _crash(self, what: str) -> Exception:
        code = self._child.returncode
        # Who kills a renderer that uses half of what it may is the system, which has no memory left.
        short = code == -signal.SIGKILL and self._meter.nearly_short
        return trouble(f"{what} failed: {_end(code)}", FailureClass.SLAVE, self.log.tail(), short=short)

    async def _read(self) -> None:
        splitter = wire.Splitter()
        while data := await self._child.stdout.read(65536):
            await self._sort(splitter.feed(data))
        await self._sort(splitter.end())
        await self._events.put(None)

    async def _sort(self, parts: Iterable[dict[str, Any] | bytes]) -> None:
        """Put what was said into the log, and events where they are heard; then the log has what came before them."""
        said = bytearray()
        for part in parts:
            if isinstance(part, bytes):
                said += part
                continue
            if part["event"] == "log":
                said += str(part.get("text", "")).encode("utf-8", "replace") + b"\n"
            self._note(said)
            await self._events.put(part)
        self._note(said)

    def _note(self, said: bytearray) -> None:
        if said:
            self.log.append(bytes(said))
            said.clear()


def _is_short(said: str) -> bool:
    """Tell whether a renderer lacked the machine's memory."""
    return bool(_SHORT.search(said)) and not _CARD.search(said)


def _sign(event: dict[str, Any]) -> tuple[object, ...]:
    """Return what makes an event news: a renderer that hangs may go on to say the same."""
    return (event["event"], str(event.get("fraction")), str(event.get("remaining")), str(event.get("text")))


def _end(code: int | None) -> str:
    if code is None:
        return "the renderer closed its output."
    if code == -signal.SIGKILL:
        return "the renderer was killed by the system; most likely the memory ran out."
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"the renderer crashed ({signal.Signals(-code).name})."
    return f"the renderer ended with exit code {code}."
