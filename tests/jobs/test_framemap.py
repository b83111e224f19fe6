"""A job's frames in cells: the same as one by one counting gives, whatever is in the commonest state."""

from __future__ import annotations

import random
from functools import partial

import pytest
from sqlalchemy import insert

from farm.database.schema import frames
from farm.jobs import framemap
from farm.jobs.framemap import Cell, frame_map
from farm.words.states import FrameState
from tests.jobs.pretend import Farm


@pytest.mark.parametrize("numbers", [range(5, 15), range(300, 407), range(3, 400, 7), [2, 9]], ids=str)
def test_cells_count_what_is_there(farm: Farm, numbers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framemap, "CELLS", 25)
    asker = farm.user("anna")
    job = farm.job(asker, frames="1")
    chance = random.Random(len(numbers))
    states = {n: chance.choice([*FrameState, *[FrameState.READY] * 9]) for n in numbers}
    row = {"job": job, "rank": 0, "attempts": 0}
    rows = [{**row, "number": n, "picture": n, "state": state.value} for n, state in states.items()]
    farm.database.write_now(
        lambda conn: (conn.execute(frames.delete().where(frames.c.job == job)), conn.execute(insert(frames), rows))
    )
    found = farm.database.read_now(partial(frame_map, asker=asker, job=job))
    assert found == _counted(states)


def _counted(states: dict[int, FrameState]) -> list[Cell]:
    least = min(states)
    width = -(-(max(states) - least + 1) // 25)
    cells: dict[int, Cell] = {}
    for number, state in sorted(states.items()):
        cell = cells.setdefault((number - least) // width, Cell(number, number))
        cell.last = number
        cell.counts[state] = cell.counts.get(state, 0) + 1
    return list(cells.values())
