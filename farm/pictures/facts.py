"""What is known of a picture after looking at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """The outcome of a check.

    Args:
        ok: the file is whole, as far as can be said; else `message` says why not.
        pixels: a hash (hex) that two files share exactly if their pixels are equal; None: unknown.
        uniform: all pixels are equal.
        message: what is wrong, or what was not looked at.
        layers: names of an EXR's layers, if these were asked for.
        grain: single pixels, 16 × 16 evenly spread, of red, green and blue (hex), to tell rounding from noise; empty:
            unknown.
        sketch: the picture as 4 × 4 pixels of red, green and blue (hex), to tell what is far from it; empty: unknown.
    """

    ok: bool
    message: str = ""
    width: int = 0
    height: int = 0
    channels: int = 0
    pixels: str | None = None
    uniform: bool = False
    thumbnail: bool = False
    layers: Sequence[str] = ()
    sketch: str = ""
    grain: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, data: dict[str, Any]) -> Facts:
        """Make the facts again from :meth:`plain`."""
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})
