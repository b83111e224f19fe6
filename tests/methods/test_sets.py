"""The numbers of frames that are rendered with several sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.methods.sets import JobSets
from farm.protocol.jobs import ParameterSet
from farm.words.errors import BadFrameRange
from farm.words.ranges import HIGHEST, NUMBERS, FrameRange


def named(name: str, frames: str | None = None) -> ParameterSet:
    return ParameterSet(name=name, frames=frames, settings={})


def test_each_set_has_frames_of_its_own_whose_numbers_tell_the_picture() -> None:
    sets = JobSets.of("1-120", [named("low"), named("high"), named("hero", "7"), ParameterSet(frames="3", settings={})])
    assert [(one.name, str(one.numbers)) for one in sets.portions()] == [
        ("low", "1-120"),
        ("high", "10001-10120"),
        ("hero", "20007"),
    ]
    assert str(sets.whole()) == "1-120,10001-10120,20007"
    assert [(view.name, view.frames) for view in sets.views()][2:] == [("hero", "20007"), ("", "3")]


def test_without_names_there_is_one_portion_whose_numbers_are_the_pictures() -> None:
    sets = JobSets.of("5-9", [ParameterSet(frames="6", settings={})])
    assert str(sets.whole()) == "5-9"


def test_pictures_that_come_later_go_to_the_sets_that_have_all() -> None:
    sets = JobSets.of("1-3", [named("low"), named("hero", "7")]).more(FrameRange.parse("4-5"))
    assert str(sets.whole()) == "1-5,10007"
    assert [one.name for one in sets.growing()] == ["low"]
    with pytest.raises(BadFrameRange, match="pictures end at 9,999"):
        sets.more(FrameRange.parse("10000"))
    with pytest.raises(BadFrameRange, match="names its own frames"):
        JobSets.of("1", [named("hero", "7")]).more(FrameRange.parse("4"))


@given(st.lists(st.integers(0, HIGHEST), min_size=1, max_size=5), st.integers(1, 1000))
def test_no_two_frames_have_one_number(pictures: list[int], count: int) -> None:
    frames = str(FrameRange.of(pictures))
    whole = JobSets.of(frames, [named(f"s{n}") for n in range(count)]).whole()
    assert len(whole) == count * len(set(pictures))
    assert whole.last <= NUMBERS
