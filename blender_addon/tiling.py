"""Where the tiles of a picture lie, and which frame renders which. Pure.

A tile's frame has the number of its picture, plus `tile_step` for each tile before it: with a step of 10,000,
frame 30007 is the fourth tile of picture 7.
"""

from __future__ import annotations

import math
import re
from typing import Any

AUTO = "auto"
"""Tiles by what a picture took before."""

STEP = 10_000
"""Between the numbers of a picture's tiles, usually."""

MOST = 1000
"""Tiles of a picture."""

EVEN = 32
"""Edges lie on multiples of so many pixels where there is room: POV-Ray renders by blocks of that size."""

WORTH = 60.0
"""Seconds of a picture from which on `auto` cuts it: below, tiles cost more than they save."""

EACH = 30.0
"""Seconds that a tile takes, as `auto` wants it."""

UNKNOWN = "4x4"
"""The tiles of `auto` for what was never measured."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels from the upper left corner; right and bottom are just outside."""

_GRID = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})")


def grid(text: str) -> tuple[int, int]:
    """Return columns and rows of a text such as `4x3`.

    Raises:
        ValueError: it is none, or there are too many.
    """
    found = _GRID.fullmatch(text)
    columns, rows = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < columns * rows <= MOST:
        raise ValueError(f"“{text[:40]}” are no tiles: write COLUMNSxROWS, such as 4x4, at most {MOST} in all.")
    return columns, rows


def of_seconds(seconds: float, size: tuple[int, int] | None = None) -> str:
    """Return the tiles of a picture that takes some time: 30 s each, at most 8x8, none below a minute."""
    if seconds < WORTH:
        return ""
    columns = min(8, math.ceil(math.sqrt(seconds / EACH)))
    rows = min(8, math.ceil(seconds / EACH / columns))
    width, height = size or (8 * EVEN, 8 * EVEN)
    return f"{max(1, min(columns, width // EVEN))}x{max(1, min(rows, height // EVEN))}"


def boxes(text: str, width: int, height: int) -> list[Box]:
    """Return the tiles of a picture, row by row.

    Raises:
        ValueError: it has fewer pixels than tiles.
    """
    columns, rows = grid(text)
    if columns > width or rows > height:
        raise ValueError(f"{text} tiles are finer than the picture, which is {width}x{height} pixels large.")
    across, down = _edges(width, columns), _edges(height, rows)
    return [
        (across[x], down[y], across[x + 1], down[y + 1]) for y in range(rows) for x in range(columns)
    ]  # fmt: skip


def place(settings: dict[str, Any], number: int) -> tuple[int, int | None]:
    """Return a frame's picture and tile; None: it is a whole picture.

    Raises:
        ValueError: there is no such tile.
    """
    if not settings.get("tiles"):
        return number, None
    columns, rows = grid(str(settings["tiles"]))
    tile, picture = divmod(number, int(settings.get("tile_step") or STEP))
    if tile >= columns * rows:
        raise ValueError(f"Frame {number} would be tile {tile + 1} of {columns * rows}.")
    return picture, tile


def step(highest: int) -> int:
    """Return the step between tiles of pictures up to a number."""
    wide = STEP
    while wide <= highest:
        wide *= 10
    return wide


def _edges(size: int, parts: int) -> list[int]:
    even = EVEN if size >= EVEN * parts else 1
    return [size * part // parts // even * even for part in range(parts)] + [size]
