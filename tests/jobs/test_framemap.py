"""The picture of a large job's frames shows each of them, in its state, at its place."""

from __future__ import annotations

import io
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import insert

from farm.database.schema import frames
from farm.jobs.bigmap import _COLOURS, COLUMNS, SCALE, Shape, nearest, picture, shape
from farm.pictures.palette import png
from farm.words.errors import FrameNotFound, JobNotFound
from farm.words.states import FrameState
from tests.jobs.pretend import Farm


def with_frames(farm: Farm, asker: object, states: dict[int, FrameState]) -> int:
    """Return a job with these frames."""
    job = farm.job(asker, frames="1")
    row = {"job": job, "rank": 0, "attempts": 0}
    rows = [{**row, "number": n, "picture": n, "state": state.value} for n, state in states.items()]
    farm.database.write_now(lambda conn: conn.execute(frames.delete().where(frames.c.job == job)) and None)
    if rows:
        farm.database.write_now(lambda conn: conn.execute(insert(frames), rows) and None)
    return job


@pytest.mark.parametrize("numbers", [range(5, 1505), range(3, 4000, 7), [2, 900]], ids=str)
def test_each_frame_has_a_square_of_its_states_colour(farm: Farm, numbers: list[int]) -> None:
    asker = farm.user("anna")
    chance = random.Random(len(numbers))
    states = {n: chance.choice([*FrameState, *[FrameState.READY] * 9]) for n in numbers}
    job = with_frames(farm, asker, states)
    drawn = farm.database.read_now(partial(picture, asker=asker, job=job))
    of = farm.database.read_now(partial(shape, asker=asker, job=job))
    with Image.open(io.BytesIO(drawn)) as opened:
        seen = opened.convert("RGBA")
    assert seen.size == (of.width, of.height)
    for number in range(min(states), max(states) + 1):
        row, column = divmod(number - min(states), COLUMNS)
        x, y = column * SCALE, row * SCALE
        wanted = _COLOURS[states[number]] if number in states else (0, 0, 0, 0)
        assert {seen.getpixel((x + dx, y + dy)) for dx in range(SCALE) for dy in range(SCALE)} == {wanted}
        assert of.frame_at(x + 1, y + 1) == number


def test_a_click_beside_a_frame_leads_to_the_next_one(farm: Farm) -> None:
    asker = farm.user("anna")
    job = with_frames(farm, asker, dict.fromkeys([10, 20, 700], FrameState.DONE))
    find = partial(nearest, asker=asker, job=job)
    clicks = [(0, 0), (4, 0), (5 * SCALE, 0), (11 * SCALE, 1), (10**8, 10**8), (0, SCALE)]
    assert [farm.database.read_now(partial(find, x=x, y=y)) for x, y in clicks] == [10, 20, 20, 700, 700, 700]


def test_what_is_none_of_ones_business_has_no_picture(farm: Farm) -> None:
    anna, ben = farm.user("anna", studio=False), farm.user("ben", studio=False)
    job = with_frames(farm, anna, {1: FrameState.DONE})
    empty = with_frames(farm, anna, {})
    with pytest.raises(JobNotFound):
        farm.database.read_now(partial(picture, asker=ben, job=job))
    with pytest.raises(FrameNotFound):
        farm.database.read_now(partial(picture, asker=anna, job=empty))


@given(st.binary(min_size=1, max_size=200), st.integers(1, 40), st.integers(1, 3))
def test_any_small_picture_is_read_back_as_it_was_drawn(cells: bytes, columns: int, scale: int) -> None:
    colours = [(n, 255 - n, n // 2, 255) for n in range(256)]
    with Image.open(io.BytesIO(png(cells, columns, colours, scale))) as opened:
        seen = opened.convert("RGBA")
    assert seen.size == (columns * scale, -(-len(cells) // columns) * scale)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        assert seen.getpixel((column * scale + scale - 1, row * scale)) == colours[cell]


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(-5, 10**7), st.integers(-5, 10**7))
def test_every_pixel_leads_to_a_number_of_the_job(first: int, count: int, x: int, y: int) -> None:
    of = Shape(first, first + count - 1)
    assert of.first <= of.frame_at(x, y) <= of.last
