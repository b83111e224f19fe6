"""When a stranger's result is checked, and what a check comes to: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FIRST = 10
"""So many results of each slave are all checked, and so many passed checks make it one that checks others."""

LEAST = 0.02
"""The part of an old slave's results that is checked."""


class CheckState(StrEnum):
    """How a check stands."""

    DUE = "due"
    """Waits for a slave that may check."""
    RENDERING = "rendering"
    """Is being rendered once more."""
    PASSED = "passed"
    """Somebody else drew the same pixels."""
    FALSE = "false"
    """Two others drew the same pixels, which it did not; what follows from that is still being done."""
    CONVICTED = "convicted"
    """The same, and all is done that follows."""
    UNDECIDED = "undecided"
    """Nothing follows from it; `said` has the reason."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a slave drew when it checked: the pixels' hash; `like`: on a machine of the checked one's class."""

    slave: int
    pixels: str
    like: bool


def chance(checked: int, rendered: int) -> float:
    """Return how probable it is that a slave's next result is checked.

    Args:
        checked: its results that were.
        rendered: all that it has rendered.
    """
    return 1.0 if checked < FIRST else max(LEAST, 1 / max(rendered, 1))


def ruling(pixels: str, drawn: Sequence[Drawn]) -> CheckState:
    """Return what a check comes to.

    One slave that draws the same is enough to pass. Two that agree with each other are needed for a verdict, for
    one of them may be mistaken, or lie; and both must have machines of the same class: processors of two kinds
    may round otherwise.

    Args:
        pixels: the hash of what is checked.
        drawn: what others drew so far, in this order.
    """
    if not drawn:
        return CheckState.DUE
    first, *others = drawn
    if first.pixels == pixels:
        return CheckState.PASSED
    if not others:
        return CheckState.DUE
    agree = all(one.like for one in drawn) and all(one.pixels == first.pixels for one in others)
    return CheckState.FALSE if agree else CheckState.UNDECIDED


def tie(pixels: str, drawn: Sequence[Drawn]) -> str:
    """Return why nothing follows from two others' drawing, in words."""
    if any(one.pixels == pixels for one in drawn):
        return "One other slave drew the same pixels, another did not."
    if len({one.pixels for one in drawn}) > 1:
        return "No two slaves drew the same pixels: this scene differs from render to render."
    return "Two others drew the same pixels, which it did not; but their processors are of another kind."
