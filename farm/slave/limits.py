"""When a frame counts as hung. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Self

from farm.protocol.jobs import Limits

OPENING_SILENCE = 900.0
"""Seconds that opening a file may take without a word: a renderer says nothing while it reads."""

MEASURED = 10
"""Frames whose times say how long a job's frames take."""

TIMES = 10
"""A frame that takes so many times as long as half of the others hangs."""

LEAST = 2 * 3600.0
"""Seconds that every frame may take, however quick the others were."""


def render_limit(default: float | None, measured: Sequence[float]) -> float | None:
    """Return the seconds that a frame may take where its job says nothing.

    Args:
        default: the server's, for jobs whose frames are not known yet; None: for ever.
        measured: seconds of the job's frames that were rendered here.
    """
    if default is None or len(measured) < MEASURED:
        return default
    return max(min(LEAST, default), TIMES * median(measured))


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long a frame may take, and be silent, in seconds; None: for ever."""

    render_seconds: float | None = None
    silence_seconds: float | None = None

    @classmethod
    def of(cls, limits: Limits, defaults: Limits | None = None, measured: Sequence[float] = ()) -> Self:
        """Return what a job's limits allow; where it names none, the server's.

        Args:
            limits: the job's own.
            defaults: the server's.
            measured: seconds of the job's frames that were rendered here.
        """
        defaults = defaults or Limits()
        render, silence = limits.render_seconds, limits.silence_seconds
        return cls(
            render_limit(defaults.render_seconds, measured) if render is None else render,
            defaults.silence_seconds if silence is None else silence,
        )

    def for_opening(self) -> Allowance:
        """Return what opening the file is allowed: as long as a frame, and a longer silence."""
        if self.silence_seconds is None:
            return self
        return replace(self, silence_seconds=max(self.silence_seconds, OPENING_SILENCE))


BUSY = 0.1
"""Cores in use from which a renderer counts as working: some say nothing for most of a long frame."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen of a frame: when it began, when it last came further, and how far (seconds, any clock)."""

    began: float
    last: float
    sign: tuple[object, ...] = ()

    @classmethod
    def begin(cls, now: float) -> Self:
        """Return the watch over a frame that begins now."""
        return cls(now, now)

    def seen(self, now: float, sign: tuple[object, ...]) -> Watch:
        """Return the watch after a word of the renderer's; the same word again is no progress."""
        return self if sign == self.sign else Watch(self.began, now, sign)

    def alive(self, now: float) -> Watch:
        """Return the watch after a sign of life; one that gives signs for ever is ended by the render limit."""
        return replace(self, last=now)


def silent(watch: Watch, now: float, allowance: Allowance) -> bool:
    """Tell whether there was no sign of life for longer than is allowed."""
    return allowance.silence_seconds is not None and now - watch.last > allowance.silence_seconds


def overdue(watch: Watch, now: float, allowance: Allowance) -> str:
    """Return why the frame counts as hung now, or an empty text."""
    render, silence = allowance.render_seconds, allowance.silence_seconds
    if render is not None and now - watch.began > render:
        return (
            f"took longer than its render limit of {render:g} s, and was stopped. If it needs longer: "
            "`distren set JOB render-limit=SECONDS`"
        )
    if silent(watch, now, allowance):
        return (
            f"made no progress for {silence:g} s, neither by a word nor by using processor or graphics card, and was "
            "stopped. If that is right for it: `distren set JOB silence-limit=SECONDS`"
        )
    return ""
