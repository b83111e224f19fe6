from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.api.blobs.byterange import parse
from farm.api.blobs.serving import naming
from farm.words.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-200", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("Bytes = 5 - 5", (5, 6)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("frames=1-2", None),
        ("nonsense", None),
    ],
)
def test_a_single_range_is_read_and_all_else_is_the_whole(header: str | None, expected: tuple[int, int] | None) -> None:
    assert parse(header, 100) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=-0", 100), ("bytes=-5", 0)])
def test_a_range_behind_the_end_is_refused(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse(header, size)


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}", fullmatch=True), st.integers(0, 1000))
def test_whatever_is_asked_for_lies_inside_of_the_file(header: str, size: int) -> None:
    try:
        found = parse(header, size)
    except RangeNotSatisfiable:
        return
    if found:
        assert 0 <= found[0] < found[1] <= size


@given(st.text(min_size=1))
def test_any_name_makes_headers_that_can_be_sent(name: str) -> None:
    for value in naming(name.encode("utf-8", "ignore").decode()).values():
        assert value.encode("latin-1").isascii()
        assert "\n" not in value
        assert "\r" not in value


def test_browsers_may_show_pictures_and_nothing_that_could_be_a_script() -> None:
    assert naming("passes/depth_0001.PNG")["content-type"] == "image/png"
    for name in ("x.svg", "x.html", "x.exr", "x"):
        assert naming(name)["content-type"] == "application/octet-stream"
        assert naming(name)["content-disposition"].startswith("attachment")
