from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cli.changes import MEMBERS, parse_changes
from farm.protocol.jobs import JobChange
from farm.words.errors import BadFrameRange, BadSetting


def test_all_parts_of_a_change_are_understood_at_once() -> None:
    parts = ["priority=70", "frames+=251-300", "slaves+=ws07", "slaves-=ws03,ws04", "max-slaves=5", "project=film"]
    assert parse_changes([*parts, "comment=a=b", "name=shot"]) == JobChange(
        priority=70,
        add_frames="251-300",
        add_slaves=["ws07"],
        remove_slaves=["ws03", "ws04"],
        max_slaves=5,
        project="film",
        comment="a=b",
        name="shot",
    )


def test_slaves_may_be_named_in_several_parts() -> None:
    assert parse_changes(["slaves+=a", "slaves+=b,c"]).add_slaves == ["a", "b", "c"]


@pytest.mark.parametrize(
    "part", ["priority=high", "priority=101", "max-slaves=-1", "size=3", "frames=1-10", "priority", "=5", "slaves+=A B"]
)
def test_what_can_not_be_set_is_refused_by_name(part: str) -> None:
    with pytest.raises(BadSetting, match=part.replace("+", r"\+")[:4]):
        parse_changes([part])


def test_the_same_thing_twice_is_refused() -> None:
    with pytest.raises(BadSetting, match="twice"):
        parse_changes(["priority=1", "priority=2"])


def test_a_range_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(BadFrameRange, match="backwards"):
        parse_changes(["frames+=9-1"])


@given(st.sampled_from(["project=", "comment=", "name="]), st.text(max_size=100).map(str.strip))
def test_texts_arrive_as_they_are(key: str, text: str) -> None:
    assert getattr(parse_changes([key + text]), MEMBERS[key]) == text
