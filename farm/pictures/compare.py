"""Are two pictures, or two sets of them, the same to the pixel?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from farm.pictures.facts import Facts


class Likeness(StrEnum):
    """What a comparison came to."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """Nothing in them could be compared."""


def compare(one: Mapping[str, Facts], other: Mapping[str, Facts]) -> Likeness:
    """Compare two renderings of one frame, file by file.

    Args:
        one: facts by file name.
        other: the same of the other rendering.
    """
    if one.keys() != other.keys():
        return Likeness.DIFFERENT
    pairs = [(facts, other[name]) for name, facts in one.items()]
    known = [(a, b) for a, b in pairs if a.pixels is not None and b.pixels is not None]
    if any(a.pixels != b.pixels for a, b in known):
        return Likeness.DIFFERENT
    return Likeness.EQUAL if known and len(known) == len(pairs) else Likeness.UNKNOWN
