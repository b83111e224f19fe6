"""The states of jobs, frames, attempts and slaves, and one transition table each.

Only the scheduler changes states. It asks :func:`may` before it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from farm.words.errors import WrongState


class JobState(StrEnum):
    """What a job is doing."""

    RECEIVING = "receiving"
    """Its files are still arriving."""
    QUEUED = "queued"
    """Complete; no frame was started yet."""
    RENDERING = "rendering"
    """At least one frame was started."""
    PAUSED = "paused"
    """Leases no new frames, for the reason beside it."""
    DONE = "done"
    """Every frame has a result."""
    FAILED = "failed"
    """Nothing is left that could run, and a frame failed."""
    CANCELED = "canceled"
    """A person ended it."""
    DELETED = "deleted"
    """A tombstone: the number is never used again."""


class PauseReason(StrEnum):
    """Why a job is paused."""

    USER = "user"
    """A person paused it."""
    APPROVAL = "approval"
    """The probes are done and wait for somebody to look at them."""
    FAULT = "fault"
    """The job's own fault, before anything succeeded."""
    QUOTA = "quota"
    """Its owner's quota is used up."""


class FrameState(StrEnum):
    """What a frame is doing."""

    BLOCKED = "blocked"
    """Waits for other frames."""
    READY = "ready"
    """Could be leased now."""
    LEASED = "leased"
    """A slave has it."""
    DONE = "done"
    """It has a result."""
    FAILED = "failed"
    """It was tried, and given up."""
    CANCELED = "canceled"
    """Its job was canceled before it had a result."""


class AttemptState(StrEnum):
    """How one try at one frame by one slave stands."""

    OPEN = "open"
    """Issued; no word of its end yet."""
    WON = "won"
    """Its result is the frame's."""
    LATE = "late"
    """A good result, but the frame already had one."""
    FORMER = "former"
    """Its result was the frame's, before the job got another file: kept as a former version."""
    FAILED = "failed"
    """It failed, with a failure class."""
    RETURNED = "returned"
    """The slave gave it back unrendered."""
    LOST = "lost"
    """The slave fell silent. A late result is still welcome."""
    REVOKED = "revoked"
    """Taken back for cause (cancel, delete, abuse). A result is refused."""


class SlaveState(StrEnum):
    """What a slave is doing."""

    OFFLINE = "offline"
    """Not heard of for three heartbeats."""
    IDLE = "idle"
    """Waits for work."""
    RENDERING = "rendering"
    """Has at least one lease."""
    PAUSED = "paused"
    """A person paused it."""
    RESTING = "resting"
    """Its owner's hours, or its owner is at the keyboard."""
    SICK = "sick"
    """It failed in two users' jobs; a probe heals it."""
    RETIRED = "retired"
    """Its key is void."""


class FrameOrder(StrEnum):
    """Whether a job's frames depend on those before them."""

    ANY = "any"
    """Any slave may render any frame at any time."""
    IN_ORDER = "in_order"
    """One slave renders them one after the other, for each continues what the one before it simulated."""


class FailureClass(StrEnum):
    """Whose fault a failed attempt is."""

    JOB = "job"
    """The file's: no camera, a missing library, a script error."""
    SLAVE = "slave"
    """The machine's: crash, out of memory, hang, disk full."""
    FARM = "farm"
    """Ours: network, upload, a lost slave."""


JOB_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.RECEIVING: frozenset({JobState.QUEUED, JobState.CANCELED, JobState.DELETED}),
    JobState.QUEUED: frozenset(
        {JobState.RENDERING, JobState.PAUSED, JobState.DONE, JobState.FAILED, JobState.CANCELED}
    ),
    JobState.RENDERING: frozenset(
        {JobState.QUEUED, JobState.PAUSED, JobState.DONE, JobState.FAILED, JobState.CANCELED}
    ),
    JobState.PAUSED: frozenset(
        {JobState.QUEUED, JobState.RENDERING, JobState.DONE, JobState.FAILED, JobState.CANCELED}
    ),
    JobState.DONE: frozenset({JobState.QUEUED, JobState.DELETED}),
    JobState.FAILED: frozenset({JobState.QUEUED, JobState.DELETED}),
    JobState.CANCELED: frozenset({JobState.QUEUED, JobState.DELETED}),
    JobState.DELETED: frozenset(),
}

FRAME_MOVES: Mapping[FrameState, frozenset[FrameState]] = {
    FrameState.BLOCKED: frozenset({FrameState.READY, FrameState.FAILED, FrameState.CANCELED}),
    FrameState.READY: frozenset(
        {FrameState.LEASED, FrameState.DONE, FrameState.FAILED, FrameState.CANCELED, FrameState.BLOCKED}
    ),
    FrameState.LEASED: frozenset(
        {FrameState.READY, FrameState.DONE, FrameState.FAILED, FrameState.CANCELED, FrameState.BLOCKED}
    ),
    FrameState.DONE: frozenset({FrameState.READY, FrameState.BLOCKED}),
    FrameState.FAILED: frozenset({FrameState.READY, FrameState.DONE, FrameState.BLOCKED}),
    FrameState.CANCELED: frozenset({FrameState.READY, FrameState.BLOCKED}),
}

SLAVE_MOVES: Mapping[SlaveState, frozenset[SlaveState]] = {
    SlaveState.RETIRED: frozenset(),
    **{state: frozenset(set(SlaveState) - {state}) for state in SlaveState if state is not SlaveState.RETIRED},
}

JOB_ACTIVE = frozenset({JobState.QUEUED, JobState.RENDERING})
"""Jobs whose ready frames may be leased."""

JOB_ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED, JobState.DELETED})
"""Jobs in which nothing happens any more, unless somebody retries them."""

FRAME_ENDED = frozenset({FrameState.DONE, FrameState.FAILED, FrameState.CANCELED})
"""Frames in which nothing happens any more."""

S = TypeVar("S", JobState, FrameState, SlaveState)


def may(table: Mapping[S, frozenset[S]], old: S, new: S) -> bool:
    """Tell whether a transition table has the move from `old` to `new`."""
    return new in table[old]


def move(table: Mapping[S, frozenset[S]], old: S, new: S) -> S:
    """Return `new`.

    Raises:
        WrongState: the table does not have this move.
    """
    if not may(table, old, new):
        raise WrongState(f"What is {old} can't become {new}.")
    return new
