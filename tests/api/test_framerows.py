"""The frame map in rows: every cell is somewhere, in its state's colour, and leads to its frames."""

from __future__ import annotations

import random
import re

import pytest

from farm.api.dashboard.framerows import COLUMNS, FEW, STEP, frame_rows
from farm.jobs.framemap import Cell
from farm.words.states import FrameState

DASHES = re.compile(r"M(\d+)\.5 (\d+)h(\d+)")


@pytest.mark.parametrize("count", [1, 7, COLUMNS, FEW, FEW + 1, 2000])
@pytest.mark.parametrize("width", [1, 3])
def test_each_cell_is_drawn_once_in_its_state_and_has_its_numbers(count: int, width: int) -> None:
    chance = random.Random(count)
    states = [chance.choice(list(FrameState)) for _ in range(count)]
    cells = [Cell(n * width, (n + 1) * width - 1, {state: width}) for n, state in enumerate(states)]
    found = frame_rows(cells)
    drawn: dict[int, FrameState] = {}
    for row in found.rows:
        for state, path in row.lines:
            for left, top, length in DASHES.findall(path):
                place = int(top) // STEP * COLUMNS + int(left) // STEP
                for n in range(place, place + (int(length) + 1) // STEP):
                    assert drawn.setdefault(n, state) is state
    assert [drawn[n] for n in range(count)] == states
    numbers = " ".join(row.cells for row in found.rows).split(" ")
    assert numbers == [str(c.first) if width == 1 else f"{c.first}-{c.last}" for c in cells]
    assert (len(found.rows) == count) == (count <= FEW or count == 1)
    assert (found.width, found.height) == (min(count, COLUMNS) * STEP, -(-count // COLUMNS) * STEP)


def test_a_job_without_frames_has_an_empty_map() -> None:
    assert frame_rows([]).rows == []
