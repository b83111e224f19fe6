from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.sequences import Sequence, Use, is_tiled, sequence_of, spans
from blender_addon.tree import common_root, drive_folder, place_in

NAMES = st.text(st.characters(categories=["L", "N"], include_characters="_- ."), min_size=1, max_size=12).filter(
    lambda t: t not in (".", "..")
)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=4).map(lambda p: "/" + "/".join(p)), min_size=1, max_size=6))
def test_places_are_below_the_root_and_lead_back(paths: list[str]) -> None:
    root = common_root(paths)
    for path in paths:
        place = place_in(root, path)
        assert not place.startswith(("/", "../"))
        assert os.path.normpath(f"{root.rstrip('/')}/{place}") == os.path.normpath(path)


def test_drives_get_folders_of_their_own() -> None:
    assert place_in("", r"D:\textures\wood.png") == "drive_d/textures/wood.png"
    assert place_in("", r"\\nas\share\a.png") == "drive_nas_share/a.png"
    assert drive_folder("C:") == "drive_c"


@pytest.mark.parametrize(
    ("name", "head", "digits", "tail"),
    [("a_001.png", "a_", 3, ".png"), ("12.exr", "", 2, ".exr"), ("v2_f0010_x.png", "v2_f", 4, "_x.png")],
)
def test_the_last_number_in_a_name_counts(name: str, head: str, digits: int, tail: str) -> None:
    assert sequence_of(f"/s/{name}") == Sequence("/s", head, digits, tail)


def test_a_name_without_a_number_is_no_sequence() -> None:
    assert sequence_of("/s/wood.png") is None
    assert is_tiled("skin.<UDIM>.png")
    assert not is_tiled("skin.1001.png")


@given(st.integers(0, 50), st.integers(1, 30), st.integers(0, 20), st.booleans(), st.integers(0, 200))
def test_a_frame_is_among_those_that_need_what_it_shows(
    start: int, duration: int, offset: int, cyclic: bool, frame: int
) -> None:
    use = Use(start, duration, offset, cyclic)
    span = use.frames(use.number(frame))
    assert offset < use.number(frame) <= offset + duration
    assert span is None or span[0] <= frame <= span[1]


@given(st.sets(st.integers(0, 60)))
def test_spans_name_each_number_once(numbers: set[int]) -> None:
    read: list[int] = []
    for part in filter(None, spans(list(numbers)).split(",")):
        first, _, last = part.partition("-")
        read += range(int(first), int(last or first) + 1)
    assert read == sorted(numbers)
