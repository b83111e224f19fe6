"""Parameter files: read, checked, and what a frame is rendered with."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.methods.parameterfile import LARGEST, read_parameters
from farm.methods.parameters import checked_sets, merged
from farm.methods.registry import METHODS
from farm.protocol.jobs import ParameterSet
from farm.words.errors import BadSetting, DistrenError

BLENDER, POVRAY = (METHODS[name].describe() for name in ("blender", "povray"))

SHOTS = b"""
[[axes]]
left = { camera = "Left" }
right = { camera = "Right", "scene.cycles.max_bounces" = 4 }

[[axes]]
half = { resolution_percentage = 50 }
full = { resolution_percentage = 100, samples = 256 }

[sets.hero]
camera = "Hero"
frames = "10-12"

[frames."57,60"]
samples = 1024
"""


def test_a_file_names_sets_their_combinations_and_single_frames() -> None:
    sets = read_parameters(SHOTS, "shots.toml", BLENDER)
    assert [one.name for one in sets] == ["hero", "left-half", "left-full", "right-half", "right-full", ""]
    assert sets[0] == ParameterSet(name="hero", frames="10-12", settings={"camera": "Hero"})
    assert sets[4].settings == {
        "camera": "Right",
        "scene.cycles.max_bounces": 4,
        "resolution_percentage": 100,
        "samples": 256,
    }
    assert (sets[5].frames, sets[5].settings) == ("57,60", {"samples": 1024})


def test_json_says_the_same() -> None:
    told = {"sets": {"low": {"declare": {"Radius": 2, "Label": "a b"}, "quality": 3}}}
    (low,) = read_parameters(json.dumps(told).encode(), "low.JSON", POVRAY)
    assert low.settings == {"declare": 'Radius=2\nLabel="a b"', "quality": 3}


def test_a_frame_gets_the_settings_of_its_set_then_its_own() -> None:
    sets = read_parameters(SHOTS, "shots.toml", BLENDER)
    job = {"samples": 16, "camera": "Main"}
    assert merged(BLENDER, job, sets, "left-half", 1) == {**job, "camera": "Left", "resolution_percentage": 50}
    assert merged(BLENDER, job, sets, "hero", 57) == {"samples": 1024, "camera": "Hero"}
    assert merged(BLENDER, job, sets, "", 58) == job
    declared = merged(POVRAY, {"declare": "A=1\nB=2"}, [ParameterSet(name="x", settings={"declare": "B=3"})], "x", 1)
    assert declared == {"declare": "A=1\nB=3"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sets.a]\nsampels = 4", "shots.toml: set “a”: The method blender has no setting “sampels”."),
        ("[sets.a]\nsamples = 'many'", "shots.toml: set “a”: samples must be a whole number"),
        ("[sets.a]\nsamples = 1979-05-27", "shots.toml: set “a”: samples must be a whole number"),
        ('[sets.a]\nengine = "CYCLES"', "set “a”: “engine” is the same for all frames of a job."),
        ('[sets.a]\n"scene.render.filepath" = "/etc/x"', "no setting “scene.render.filepath”"),
        ('[sets.a]\n"scene.cycles.max_bounces" = {}', "scene.cycles.max_bounces must be a number, a text"),
        ('[sets.a]\n"scene.cycles.blur_glossy" = nan', "scene.cycles.blur_glossy must be a number"),
        ('[sets.a]\n"scene.cycles.__class__" = 1', "no setting “scene.cycles.__class__”"),
        ("[sets.a]\n[sets.A]", "shots.toml: set “A”: There are two of this name."),
        ("[sets.con]", "shots.toml: set “con”: It can't be a folder's name"),
        ('[sets."../x"]', "shots.toml: set “../x”: use letters and digits"),
        ("[sets.a]\nframes = '9-1'", "shots.toml: set “a”: “9-1” runs backwards."),
        ("[sets.a]\nframes = '1-2000000'", "set “a”: “1-2000000” goes beyond 1,048,574"),
        ("[frames.x]\nsamples = 1", "shots.toml: frames x: “x” is no frame range."),
        ("[set.a]", "shots.toml: “set” is unknown here."),
        ("sets = 3", "shots.toml: sets: this is no table"),
        ("[sets]\na = 3", "shots.toml: set “a”: this is no table"),
        ("[axes.a]", "axes: this is no list of tables."),
        ("", "shots.toml names no set."),
        ("[sets.a", "shots.toml: this is no TOML in UTF-8"),
        ("\xff", "shots.toml: this is no TOML in UTF-8"),
        ("a = " + "[" * 100_000, "shots.toml: this is no TOML in UTF-8"),
        ("#" * (LARGEST + 1), "the limit for a parameter file is 1,000,000"),
        ("".join("[[axes]]\n" + "".join(f"s{n}={{}}\n" for n in range(99)) for _ in range(99)), "more than 1,000 sets"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_set(text: str, words: str) -> None:
    with pytest.raises(BadSetting) as refused:
        read_parameters(text.encode("latin-1"), "shots.toml", BLENDER)
    assert words in refused.value.message


def test_a_set_has_a_name_or_frames() -> None:
    with pytest.raises(BadSetting, match="It has neither a name nor frames"):
        checked_sets(BLENDER, [ParameterSet(settings={})])


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FILE = st.dictionaries(st.sampled_from(["sets", "axes", "frames"]) | st.text(max_size=4), JSON, max_size=3)


@given(
    st.binary(max_size=200) | FILE.map(lambda told: json.dumps(told).encode()), st.sampled_from(["x.json", "x.toml"])
)
def test_any_bytes_are_read_or_refused_in_words(data: bytes, name: str) -> None:
    with contextlib.suppress(DistrenError):
        sets = read_parameters(data, name, POVRAY)
        assert sets == checked_sets(POVRAY, sets)
