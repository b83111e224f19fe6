from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.words.errors import BadFrameRange
from farm.words.ranges import LIMIT, NUMBERS, FrameRange

numbers = st.sets(st.integers(0, 5000), min_size=1, max_size=200)


@given(numbers)
def test_a_range_holds_exactly_the_numbers_it_was_made_of(wanted: set[int]) -> None:
    assert list(FrameRange.of(wanted)) == sorted(wanted)


@given(numbers)
def test_a_range_reads_what_it_wrote(wanted: set[int]) -> None:
    frames = FrameRange.of(wanted)
    assert FrameRange.parse(str(frames)) == frames


@given(numbers)
def test_the_probes_are_the_first_middle_and_last_frame(wanted: set[int]) -> None:
    frames = FrameRange.of(wanted)
    probes = frames.probes()
    assert {frames.first, frames.last} <= set(probes) <= wanted
    assert len(probes) == min(3, len(wanted))


@given(numbers, st.integers(0, 5001))
def test_membership_and_length_agree_with_the_numbers(wanted: set[int], number: int) -> None:
    frames = FrameRange.of(wanted)
    assert (number in frames) == (number in wanted)
    assert len(frames) == len(wanted)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1-5", [1, 2, 3, 4, 5]), ("1-9x4, 20", [1, 5, 9, 20]), ("7", [7]), ("3,1,3", [1, 3]), ("0-2", [0, 1, 2])],
)
def test_ranges_are_read_as_artists_write_them(text: str, meant: list[int]) -> None:
    assert list(FrameRange.parse(text)) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" , ,", "empty"),
        ("a-b", "no frame range"),
        ("-5", "no frame range"),
        ("1-", "no frame range"),
        ("9-1", "backwards"),
        ("1-9x0", "step 0"),
        ("1-1000000000", "limit is 1,000,000"),
        ("10000000001", "goes beyond 10,000,000,000, the highest number"),
        ("1-1048574", "limit is 1,000,000"),
        ("1" * 5000, "goes beyond"),
        ("1-9;rm", "no frame range"),
    ],
)
def test_a_malformed_empty_or_absurd_range_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadFrameRange, match=said):
        FrameRange.parse(text)


def test_a_backwards_range_says_what_was_probably_meant() -> None:
    with pytest.raises(BadFrameRange) as caught:
        FrameRange.parse("9-1")
    assert caught.value.hint == "Did you mean 1-9?"


def test_pictures_end_where_blender_does_and_numbers_of_frames_do_not() -> None:
    assert str(FrameRange.parse("1048575")) == "1048575"
    with pytest.raises(BadFrameRange, match="beyond 1,048,574, the last frame that Blender knows"):
        FrameRange.pictures("1-1048575x1048574")


def test_a_range_is_shifted_as_a_whole() -> None:
    assert str(FrameRange.parse("1-9x2,20").shifted(10_000)) == "10001-10009x2,10020"


@given(st.text(alphabet="0123456789-x, \n+e٣", max_size=40) | st.text(max_size=40))
def test_any_text_is_a_range_that_reads_as_it_writes_or_is_refused(text: str) -> None:
    try:
        found = FrameRange.parse(text)
    except BadFrameRange:
        return
    assert 0 < len(found) <= LIMIT
    assert 0 <= found.first <= found.last <= NUMBERS
    assert FrameRange.parse(str(found)) == found
