from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.package.paths import checked, checked_all
from farm.words.errors import UnsafePackage


@pytest.mark.parametrize(
    "path",
    ["shot.blend", "tex/wood 1.png", "ünïcode/日本.exr", "a.b/c..d", "frames/<UDIM>.png".replace("<UDIM>", "1001")],
)
def test_an_artists_usual_paths_are_admitted(path: str) -> None:
    assert checked(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "a//b", "./a", "a/", "C:/x", "c:x", "a\\b", "a\0b", "a\nb", "aux.png",
     "x/NUL", "com1", "trailing.", "trailing ", "a" * 256, "\udc80"],
)  # fmt: skip
def test_a_path_that_leads_out_or_that_windows_cannot_hold_is_refused(path: str) -> None:
    with pytest.raises(UnsafePackage):
        checked(path)


@given(st.text(max_size=60))
def test_what_is_admitted_stays_inside(path: str) -> None:
    try:
        checked(path)
    except UnsafePackage:
        return
    assert not path.startswith("/")
    assert ".." not in path.split("/")


@pytest.mark.parametrize("paths", [["a.png", "A.png"], ["a", "a"], ["tex", "tex/a.png"], ["Tex/b.png", "tex"]])
def test_paths_that_collide_on_another_system_are_refused(paths: list[str]) -> None:
    with pytest.raises(UnsafePackage):
        checked_all(paths)
