from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blender_addon.frames import HIGHEST, LIMIT, BadFrames, numbers, text
from farm.words import ranges
from farm.words.errors import BadFrameRange

TEXTS = st.text(st.sampled_from("0123456789-x, "), max_size=12)


@given(TEXTS)
@example("1-250x2, 300")
@example("9-1")
@example("1-5x0")
@example("1-1048575")
@example("1100000")
@example("٣")
def test_the_add_on_reads_frame_ranges_as_the_farm_does(said: str) -> None:
    try:
        farms: list[int] | None = list(ranges.FrameRange.pictures(said))
    except BadFrameRange:
        farms = None
    try:
        ours: list[int] | None = numbers(said)
    except BadFrames:
        ours = None
    assert ours == (sorted(farms) if farms is not None else None)


@given(st.sets(st.integers(0, 200), min_size=1))
def test_what_it_writes_the_farm_reads_as_the_same_frames(frames: set[int]) -> None:
    assert set(ranges.FrameRange.parse(text(frames))) == frames


@pytest.mark.parametrize(("frames", "written"), [(range(1, 10, 2), "1-9x2"), ((5,), "5"), ((1, 2, 3, 7), "1-3,7")])
def test_ranges_stay_short(frames: range, written: str) -> None:
    assert text(frames) == written


def test_the_limits_are_the_farms() -> None:
    assert (LIMIT, HIGHEST) == (ranges.LIMIT, ranges.HIGHEST)
