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


FAR = 32
"""Steps of 256 by which a sixteenth of a picture may differ on the average, on whatever machine it was drawn."""

FAR_PARTS = 4
"""So many sixteenths that differ make a picture another one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as checks see it: the hash of its pixels, and its :attr:`sketch <farm.pictures.facts.Facts.sketch>`."""

    pixels: str
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a slave drew when it checked; `like`: on a machine of the checked one's class."""

    slave: int
    pixels: str
    like: bool
    sketch: str = ""


def chance(checked: int, rendered: int) -> float:
    """Return how probable it is that a slave's next result is checked.

    Args:
        checked: its results that were.
        rendered: all that it has rendered.
    """
    return 1.0 if checked < FIRST else max(LEAST, 1 / max(rendered, 1))


DAMAGED = "damaged"
"""The pixels of what can't be decoded: no picture has them."""


def comparable(checked: Picture, drawn: Picture) -> bool:
    """Tell whether two files can be compared: they are pictures of a kind that is known, and not both damaged."""
    return bool(checked.pixels and drawn.pixels) and {checked.pixels, drawn.pixels} != {DAMAGED}


def far(one: Picture | Drawn, other: Picture | Drawn) -> bool:
    """Tell whether two pictures differ by more than any two machines do; False if nobody knows."""
    steps = [abs(a - b) for a, b in zip(bytes.fromhex(one.sketch), bytes.fromhex(other.sketch), strict=False)]
    worst = [max(steps[at : at + 3]) for at in range(0, len(steps), 3)]
    return sum(step > FAR for step in worst) >= FAR_PARTS


def ruling(checked: Picture, drawn: Sequence[Drawn]) -> CheckState:
    """Return what a check comes to.

    One slave that draws the same is enough to pass. Two that agree with each other are needed for a verdict, for
    one of them may be mistaken, or lie; and both must have machines of the same class: processors of two kinds,
    and drivers of cards, may round otherwise. Of whichever class they are, if what they drew is quite another
    picture, such as one that is not black.

    Args:
        checked: what is checked.
        drawn: what others drew so far, in this order.
    """
    if not drawn:
        return CheckState.DUE
    first, *others = drawn
    if first.pixels == checked.pixels:
        return CheckState.PASSED
    if not others:
        return CheckState.DUE
    agree = all(one.like for one in drawn) and all(one.pixels == first.pixels for one in others)
    another = all(far(checked, one) for one in drawn) and all(one.sketch and not far(first, one) for one in others)
    return CheckState.FALSE if agree or another else CheckState.UNDECIDED


def tie(checked: Picture, drawn: Sequence[Drawn]) -> str:
    """Return why nothing follows from two others' drawing, in words."""
    if any(one.pixels == checked.pixels for one in drawn):
        return "One other slave drew the same pixels, another did not."
    if not all(one.like for one in drawn):
        return "Two others drew other pixels, but on machines of another kind, and not quite another picture."
    return "No two slaves drew the same pixels: this scene differs from render to render."
