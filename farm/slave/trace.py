"""When each step of one attempt was on this slave, since it got the frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from farm.words.clock import microseconds
from farm.words.steps import Span, Step, written


class Trace:
    """The steps of an attempt.

    Args:
        zero: when the frame came (monotonic seconds).
    """

    def __init__(self, zero: float) -> None:
        self._zero = zero
        self._spans: dict[Step, Span] = {}

    def note(self, step: Step, began: float, ended: float) -> None:
        """Note a step by its begin and end (monotonic seconds); what was noted first stays."""
        at = max(began, self._zero)
        span = Span(step, microseconds(at - self._zero), microseconds(max(0.0, ended - at)))
        self._spans.setdefault(step, span)

    @contextmanager
    def span(self, step: Step) -> Iterator[None]:
        """Note what happens meanwhile as a step, if it comes to an end."""
        began = time.monotonic()
        yield
        self.note(step, began, time.monotonic())

    def __str__(self) -> str:
        return written(self._spans.values())
