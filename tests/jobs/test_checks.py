from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.jobs.change import admitted
from farm.jobs.checks import objections
from farm.jobs.pace import pace
from farm.jobs.rules import Rules
from farm.protocol.jobs import Counts, Requirement, Submission
from farm.words.clock import SECOND
from farm.words.errors import BadSetting
from farm.words.ranges import FrameRange, count_of
from tests.jobs.pretend import METHODS, entry, submission

BLEND = {"shot.blend": b"a scene"}


def said(**more: Any) -> str:
    return " | ".join(o.message for o in objections(submission(BLEND, **more), METHODS, Rules(frames=1000)))


def test_a_sound_submission_has_nothing_against_it() -> None:
    assert said(settings={"samples": 16, "engine": None}) == ""
    plain = Submission(name="x", requires=Requirement(method="sleep"), frames="1")
    assert objections(plain, METHODS, Rules()) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"requires": Requirement(method="maya")}, "requires.method: there is no render method “maya”"),
        ({"settings": {"samples": "many"}}, "settings: samples must be"),
        ({"settings": {"samples": 0}}, "settings: samples must be"),
        ({"settings": {"samples": True}}, "settings: samples must be"),
        ({"settings": {"engine": "LUXCORE"}}, "settings: engine must be"),
        ({"settings": {"sampels": 3}}, "no setting “sampels”"),
        ({"source": ""}, "source: Blender needs a file to open"),
        ({"source": "other.blend"}, "source: “other.blend” is not among the files"),
        ({"frames": "1-x"}, "frames: “1-x” is no frame range"),
        ({"frames": ","}, "frames: The frame range is empty"),
        ({"frames": "10-1"}, "frames: “10-1” runs backwards"),
        ({"frames": "1-1001"}, "frames: “1-1001” are 1,001 frames"),
        ({"slaves": ["a", "b"], "not_slaves": ["b"]}, "slaves: b can't be both"),
    ],
)
def test_each_fault_is_said_with_its_field(more: dict[str, Any], expected: str) -> None:
    assert expected in said(**more)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/etc/passwd", "is absolute"), ("../x", "holds an empty part"), ("SHOT.blend", "can't both be in one job")],
)
def test_unsafe_paths_are_named(path: str, expected: str) -> None:
    files = [entry("shot.blend", b"a scene"), entry(path, b"x")]
    assert expected in said(files=files)
    assert path in said(files=files)


def test_entries_that_lie_are_named() -> None:
    lie = entry("a.png", b"same").model_copy(update={"size": 77})
    files = [entry("shot.blend", b"a scene"), entry("b.png", b"same"), lie, entry("c.png", b"x", "9-1")]
    assert "files[2] “a.png” has the hash of another file" in said(files=files)
    assert "files[3] “c.png”.frames" in said(files=files)


def test_all_faults_are_said_at_once() -> None:
    text = said(frames="x", settings={"samples": 0, "bogus": 1}, source="no.blend")
    assert text.count("|") == 3


NAMES = st.sets(st.sampled_from("abcde"))


@given(NAMES, NAMES, NAMES, NAMES)
def test_a_removed_slave_is_kept_away_and_an_added_one_is_not(
    only: set[str], never: set[str], add: set[str], remove: set[str]
) -> None:
    try:
        new_only, new_never = admitted(only - never, never, add, remove)
    except BadSetting:
        return
    assert remove <= new_never
    assert not add & new_never
    assert not new_only & new_never
    if only - never:
        assert new_only, "a job for some slaves never becomes one for any"


def test_a_job_for_two_slaves_can_lose_one_but_not_both() -> None:
    assert admitted({"a", "b"}, set(), set(), {"b"}) == ({"a"}, {"b"})
    with pytest.raises(BadSetting):
        admitted({"a"}, {"b"}, set(), {"a"})
    assert admitted(set(), {"b"}, {"b"}, set()) == (set(), set())


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_a_stored_range_is_counted_without_listing_it(numbers: list[int]) -> None:
    whole = FrameRange.of(numbers)
    assert count_of(str(whole)) == len(whole)


def test_speed_is_measured_where_enough_was_done_and_estimated_where_not() -> None:
    busy = Counts(ready=80, leased=4, done=16)
    measured = pace(busy, rendered=16, spent=32 * SECOND, recent=30, window=60 * SECOND)
    assert (measured.per_frame, measured.per_second, measured.left) == (2.0, 0.5, 168.0)
    estimated = pace(busy, rendered=16, spent=1600 * SECOND, recent=1, window=60 * SECOND)
    assert (estimated.per_frame, estimated.per_second, estimated.left) == (100.0, 0.04, 2100.0)
    unknown = pace(Counts(ready=5), 0, 0, 0, 60 * SECOND)
    assert (unknown.per_frame, unknown.per_second, unknown.left) == (None, 0.0, None)
    assert pace(Counts(done=5), 5, SECOND, 5, SECOND).left == 0
