from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.outputs import Written, clashes, numbered, places, setting, still, unfit
from farm.package.outputs import Outputs, Place, read_outputs
from farm.package.paths import checked
from farm.words.errors import BadSetting


def written(path: str, home: str, name: str = "a_", suffix: str = ".png", user: str = "Somebody") -> Written:
    return Written(user, path, home, name, suffix)


PARTS = st.text(st.sampled_from("abAB. :_-*é"), min_size=1, max_size=6)
ROOTS = st.sampled_from(["//", "//../", "/", "C:\\", "\\\\nas\\share\\", "/tmp/con/"])
FOLDERS = st.builds(lambda root, parts: root + "".join(f"{p}/" for p in parts), ROOTS, st.lists(PARTS, max_size=3))
WRITTEN = FOLDERS.map(lambda path: written(path, path.rstrip("/\\") or path))


@given(st.lists(WRITTEN, min_size=1, max_size=8))
def test_each_place_gets_a_folder_that_can_travel_and_leads_back_to_it(found: list[Written]) -> None:
    told = places(found)
    outputs = read_outputs({"outputs": json.dumps({"places": told})})
    assert told[0]["folder"] == ""
    for one in told[1:]:
        if one["home"] != told[0]["home"]:
            assert checked(one["folder"])
    for one in told:
        name = f"{one['folder']}/x.png".lstrip("/")
        assert outputs.home(name) == (one["home"], "x.png")
    assert len({one["folder"].casefold() for one in told}) == len({one["home"] for one in told})


@pytest.mark.parametrize(
    ("path", "home", "folder"),
    [
        ("//../passes/", "/film/passes", "passes"),
        ("//passes/deep/", "/film/shots/passes/deep", "passes/deep"),
        ("//", "/film/shots", "shots"),
        ("/mnt/nas/mattes/", "/mnt/nas/mattes", "mattes"),
        ("\\\\nas\\films\\mattes\\", "\\\\nas\\films\\mattes", "mattes"),
        ("C:\\mattes/", "C:\\mattes", "mattes"),
        ("//../pictures/", "/film/pictures", ""),
        ("/a:b/", "/a:b", "a_b"),
    ],
)
def test_folders_are_called_as_an_artist_expects(path: str, home: str, folder: str) -> None:
    own = written("//../pictures/", "/film/pictures")
    assert places([own, written(path, home)])[-1]["folder"] == folder


def test_folders_of_one_name_stay_apart() -> None:
    found = [written("//", "/film"), written("/a/x/", "/a/x"), written("/b/X/", "/b/X"), written("//x/y/", "/film/x/y")]
    assert [one["folder"] for one in places(found)] == ["", "x", "X-2", "x-3/y"]


@pytest.mark.parametrize(
    ("name", "suffix", "file"),
    [
        ("shot_", ".png", "shot_0007.png"),
        ("", ".jpg", "0007.jpg"),
        ("a_##_b_###_x", ".exr", "a_##_b_007_x.exr"),
        ("deep/a_#", "", "deep/a_7"),
        ("shot_####.png", ".png", "shot_0007.png"),
        ("{fps:#.##}_##", ".png", "{fps:#.##}_07.png"),
        ("##/x", ".png", "##/x0007.png"),
    ],
)
def test_names_are_numbered_as_blender_does(name: str, suffix: str, file: str) -> None:
    assert numbered(written("//", "/film", name, suffix), 7) == file


def test_who_writes_over_whom_is_named_once() -> None:
    one, two = written("//p/", "/p", "x/a_", user="One"), written("/p/x/", "/p/x", "A_####", user="Two")
    assert clashes([one, two, written("//p/", "/p", "b_")], (1, 250)) == [
        "One and Two would write the same file: /p/x/A_0001.png."
    ]
    short, long = written("//", "/p", "a_#", user="One"), written("//", "/p", "a_##", user="Two")
    assert clashes([short, long], (1, 9)) == []
    assert clashes([short, long], (1, 10)) == ["One and Two would write the same file: /p/a_10.png."]
    assert clashes([one, one], (1,)) == []
    assert "One, twice, would" in clashes([one, written("//p/", "/p", "x/a_#### ".strip(), user="One")], (1,))[0]


@pytest.mark.parametrize(("name", "good"), [("a_", True), ("a:b_", False), ("con.####", False), ("../a", False)])
def test_names_that_some_systems_cannot_hold_are_refused(name: str, good: bool) -> None:
    assert (unfit([written("//", "/film", name)]) == []) is good


@pytest.mark.parametrize(
    ("path", "frames"),
    [
        ("//film.mp4", "//film_"),
        ("//film_##.MKV", "//film_##"),
        ("//film_.avi", "//film_"),
        ("//out/", "//out/"),
        ("//v1.2", "//v1.2"),
        ("//.mp4", "//"),
    ],
)
def test_frames_of_a_video_are_called_after_it(path: str, frames: str) -> None:
    assert still(path) == frames


def test_a_setting_that_would_be_too_long_is_left_out() -> None:
    one = written("//", "/film")
    assert read_outputs({"outputs": setting([one], "FFMPEG")}) == Outputs((Place("//", "", "/film"),), "FFMPEG")
    assert setting([written(f"/{n}" * 9, f"/{n}" * 9) for n in range(10_000, 10_200)], "") == ""


@pytest.mark.parametrize(
    "text", ["[", "[]", '{"places": 3}', '{"places": [{"path": "", "folder": "../x", "home": ""}]}']
)
def test_a_setting_that_leads_outside_is_refused(text: str) -> None:
    with pytest.raises(BadSetting):
        read_outputs({"outputs": text})
