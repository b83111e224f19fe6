"""The frame map as a template draws it: a link and a few lines per row, not three elements per cell. Pure.

With an element for each of 2,000 cells the page weighed 240 kB, and a browser took longer over them than over all
the rest. A row's cells of one state are dashes of one line; `map.js` makes each of them lead to its frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from farm.jobs.framemap import Cell
from farm.words.states import FrameState

COLUMNS = 50
"""Cells in a row."""

FEW = 200
"""Up to so many cells are a link each, without a script, too."""

STEP = 10
"""Units of the drawing from cell to cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One link of the map.

    Args:
        first: the first frame's number.
        alone: it is that frame only.
        words: what it shows.
        cells: the numbers that each cell stands for, `7` or `1-50`, with spaces between.
        lines: a line's class and path for each state.
    """

    first: int
    alone: bool
    words: str
    cells: str
    lines: Sequence[tuple[FrameState, str]]


@dataclass(frozen=True, slots=True)
class FrameRows:
    """The whole map, `width` × `height` units."""

    rows: Sequence[Row]
    width: int
    height: int


def frame_rows(cells: Sequence[Cell]) -> FrameRows:
    """Return a map's cells in rows."""
    links = 1 if len(cells) <= FEW else COLUMNS
    rows = [_row(cells[place : place + links], place) for place in range(0, len(cells), links)]
    return FrameRows(rows, min(len(cells), COLUMNS) * STEP, -(-len(cells) // COLUMNS) * STEP)


def _row(cells: Sequence[Cell], place: int) -> Row:
    first, last = cells[0].first, cells[-1].last
    numbers = (str(cell.first) if cell.first == cell.last else f"{cell.first}-{cell.last}" for cell in cells)
    paths: dict[FrameState, str] = {}
    for state, path in _runs(cells, place):
        paths[state] = paths.get(state, "") + path
    words = cells[0].words if len(cells) == 1 else _words(cells)
    return Row(first, first == last, words, " ".join(numbers), list(paths.items()))


def _runs(cells: Sequence[Cell], place: int) -> Iterator[tuple[FrameState, str]]:
    """Give lines over neighbours of one state: dashes, so long as a cell, begin anew with each line."""
    left, top = place % COLUMNS * STEP, place // COLUMNS * STEP
    for state, group in groupby(cells, lambda cell: cell.state):
        many = len(list(group))
        yield state, f"M{left}.5 {top + STEP // 2}h{many * STEP - 1}"
        left += many * STEP


def _words(cells: Sequence[Cell]) -> str:
    counted: Counter[FrameState] = Counter()
    for cell in cells:
        counted.update(cell.counts)
    told = ", ".join(f"{number} {state}" for state, number in counted.items())
    return f"{cells[0].first}–{cells[-1].last}: {told}"
