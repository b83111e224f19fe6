"""When a stranger's result is checked, and what a check comes to: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

from farm.words.checks import CheckState

FIRST = 10
"""So many results of each slave are all checked, and so many passed checks make it one that checks others."""

LEAST = 0.02
"""The part of an old slave's results that is checked."""


FAR = 32
"""Steps of 256 by which a sixteenth of a picture may differ on the average, on whatever machine it was drawn."""

FAR_PARTS = 4
"""So many sixteenths that differ make a picture another one."""


STEPS = 2
"""Steps of 256 by which rounding may change a pixel, but for few.

Measured with Blender 3.4 and the benchmark's scene, 16 samples: between its kernels for SSE2, SSE4.1, AVX and AVX2,
0.04 % of the pixels differ by more, in each of 4 × 4 tiles none of the grain. With half the samples, 55 % do, in each
tile at least 19 %.
"""

FEW = 0.05
"""The part of all pixels that may differ by more where machines round otherwise: there, a path of light took a turn."""

MOST = 3
"""Slaves that are asked at most for what they draw."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as checks see it: the hash of its pixels, its sketch and grain (:class:`farm.pictures.facts.Facts`)."""

    pixels: str
    sketch: str = ""
    grain: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a slave drew when it checked.

    Args:
        like: on a machine of the checked one's class: to the last bit, both must draw the same.
        kin: by the very build of the renderer, on a processor of whatever kind: both draw the same but for rounding.
    """

    slave: int
    pixels: str
    like: bool
    sketch: str = ""
    grain: str = ""
    kin: bool = False

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Drawn:
        """Make it again from what was kept, perhaps by a newer version, which may know more of it."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


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


def near(one: Picture | Drawn, other: Picture | Drawn) -> bool:
    """Tell whether two pictures differ by no more than rounding does; False if nobody knows."""
    first, second = bytes.fromhex(one.grain), bytes.fromhex(other.grain)
    if not first or len(first) != len(second):
        return False
    steps = [abs(a - b) for a, b in zip(first, second, strict=True)]
    worst = [max(steps[at : at + 3]) for at in range(0, len(steps), 3)]
    return sum(step > STEPS for step in worst) <= FEW * len(worst)


def ruling(checked: Picture, drawn: Sequence[Drawn], *, steady: bool = True, again: bool = False) -> CheckState:
    """Return what a check comes to.

    One slave that draws the same is enough to pass. Two that agree with each other are needed for a verdict, for
    one of them may be mistaken, or lie: where the first two don't, a third one is asked. The difference must be more
    than rounding can make, and they must have machines of the same class, or the very build of the renderer on other
    processors. Of whichever class they are, if what they drew is quite another picture, such as one that is not black.

    Args:
        checked: what is checked.
        drawn: what others drew so far, in this order.
        steady: the scene is drawn the same again by whoever does it right.
        again: it was doubted, and the last one that drew it has the very build of the renderer.
    """
    if again and drawn[-1].pixels == checked.pixels:
        return CheckState.PASSED
    if drawn and (drawn[0].pixels == checked.pixels or sum(one.pixels == checked.pixels for one in drawn) > 1):
        return CheckState.PASSED
    if any(_against(checked, one, other) for one, other in combinations(drawn, 2)):
        return CheckState.FALSE
    agree = any(one.pixels == other.pixels for one, other in combinations(drawn, 2))
    if not agree and len(drawn) < MOST:
        return CheckState.DUE
    return CheckState.DOUBTED if steady and _doubtful(checked, drawn) else CheckState.UNDECIDED


def _doubtful(checked: Picture, drawn: Sequence[Drawn]) -> bool:
    """Tell whether all others drew by more than rounding otherwise, and two of them the same but for that."""
    if not all(checked.grain and one.grain for one in drawn) or any(near(checked, one) for one in drawn):
        return False
    return any(near(one, other) for one, other in combinations(drawn, 2))


def _against(checked: Picture, one: Drawn, other: Drawn) -> bool:
    """Tell whether what two drew convicts together."""
    if far(checked, one) and far(checked, other):
        return bool(one.sketch and other.sketch) and not far(one, other)
    if checked.pixels in (one.pixels, other.pixels) or near(checked, one) or near(checked, other):
        return False
    if one.like and other.like and one.pixels == other.pixels:
        return True
    return one.kin and other.kin and bool(checked.grain) and near(one, other)


def tie(checked: Picture, drawn: Sequence[Drawn]) -> str:
    """Return why nothing follows from others' drawing, in words."""
    if any(one.pixels == checked.pixels for one in drawn):
        return "One other slave drew the same pixels, others did not."
    if any(near(checked, one) for one in drawn):
        return "What others drew differs by no more than rounding."
    if len({one.pixels for one in drawn}) == len(drawn):
        return "No two slaves drew the same pixels: this scene differs from render to render."
    return "Others drew other pixels, but on machines of another kind, and not quite another picture."
