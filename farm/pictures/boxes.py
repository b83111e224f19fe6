"""The parts of a picture that are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class CannotJoinError(Exception):
    """These files are no tiles of one picture, or of a kind that can't be put together; says which and why."""


class OtherPackingError(CannotJoinError):
    """Such a file may be whole, but its pixels can't be read here; says why."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in pixels from its upper left corner; right and bottom are just outside of it."""

    left: int
    top: int
    right: int
    bottom: int


Cut = Callable[[int, int], list[Box]]
"""Returns the tiles of a picture of some width and height, in the order of their files."""
