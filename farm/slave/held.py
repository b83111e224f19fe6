"""A leased frame, from lease to verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from farm.protocol.slaves import Lease, LeasedFrame, Running
from farm.slave.renderlog import RenderLog
from farm.slave.trace import Trace
from farm.words.states import FrameOrder


class Stage(StrEnum):
    """Where a leased frame is on this slave."""

    QUEUED = "queued"
    """Waits for a slot."""
    TAKEN = "taken"
    """A slot has it, and waits for its files or for the renderer to open them."""
    RENDERING = "rendering"
    """The renderer is at it."""
    FINISHING = "finishing"
    """Rendered or failed; the server has not taken the word of it yet."""


@dataclass(eq=False, slots=True)
class Held:
    """One attempt that this slave has.

    Args:
        attempt: the server's number for this try.
        number: the frame's key in addresses.
        picture: the renderer's frame number.
        set: the parameter set that it is rendered with; empty: none.
        in_order: no other frame of its job renders here meanwhile.
        slot: the kind of slot that it needs, `cpu` or `gpu`; empty: any.
        since: when it came (monotonic seconds).
        abort: stops the work on it at once; None while nobody works on it.
        required: folders of the frames that it waited for, in the job's tree.
        called: what people call its job, its number or the address of another server's; known once its sheet is here.
        log: the output of the renderer that is at it.
        trace: when its steps were.
    """

    attempt: int
    job: int
    revision: int
    number: int
    picture: int
    stage: Stage = Stage.QUEUED
    since: float = field(default_factory=time.monotonic)
    began: float = 0.0
    progress: float = 0.0
    memory: int = 0
    revoked: bool = False
    in_order: bool = False
    slot: str = ""
    set: str = ""
    required: tuple[str, ...] = ()
    called: int | str = ""
    abort: Callable[[], object] | None = None
    log: RenderLog | None = None
    trace: Trace = field(init=False)

    def __post_init__(self) -> None:
        self.trace = Trace(self.since)
        self.called = self.called or self.job

    def __str__(self) -> str:
        return f"frame {self.number} of job {self.called}"

    @property
    def title(self) -> str:
        """The frame in words, to begin a sentence with."""
        return f"Frame {self.number} of job {self.called}"

    def running(self) -> Running:
        """Return what the server hears of a frame that renders."""
        seconds = max(0.0, time.monotonic() - self.began)
        progress = min(1.0, max(0.0, self.progress))
        return Running(attempt=self.attempt, progress=progress, seconds=seconds, memory_bytes=max(0, self.memory))


def held(lease: Lease, frame: LeasedFrame) -> Held:
    """Return a frame of a lease as it arrives."""
    in_order = lease.order is FrameOrder.IN_ORDER
    return Held(
        frame.attempt,
        lease.job,
        lease.revision,
        frame.number,
        frame.picture,
        in_order=in_order,
        slot=lease.slot,
        set=frame.set,
    )
