from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from farm.cli.draft import Draft, LocalFile, hashed, settings_given, wanted_frames
from farm.protocol.depends import Dependency
from farm.protocol.jobs import Requirement
from farm.words.errors import BadFrameRange, BadSetting, Malformed
from tests.cli.conftest import Run


def test_settings_come_from_options_and_pairs() -> None:
    assert settings_given(["a-b=1", "c=x=y"], {"samples": 4, "scene": None}) == {"a_b": "1", "c": "x=y", "samples": 4}


@pytest.mark.parametrize("pairs", [["samples"], ["=5"], ["a=1", "a=2"], ["samples=5"]])
def test_a_setting_that_is_none_or_given_twice_is_refused(pairs: list[str]) -> None:
    with pytest.raises(BadSetting):
        settings_given(pairs, {"samples": 4})


def test_the_persons_range_beats_the_files() -> None:
    assert wanted_frames("3,1,2", "1-250") == "1-3"
    assert wanted_frames(None, "1-250x2") == "1-249x2"


@pytest.mark.parametrize("text", ["", " ", ",", "1-", "5-1", "1-10x0", "0-9999999", "x", "1--5", "1" * 100])
def test_an_absurd_range_is_refused_before_anything_happens(run: Run, text: str) -> None:
    with pytest.raises(BadFrameRange):
        wanted_frames(text, None)


def test_files_are_hashed_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    counted: list[int] = []
    files = [LocalFile("x/a", tmp_path / "a"), LocalFile("b", tmp_path / "b", "1-5")]
    entries, paths = hashed(files, counted.append)
    assert [(e.path, e.size, e.frames) for e in entries] == [("x/a", 3, None), ("b", 3, "1-5")]
    assert paths[hashlib.sha256(b"one").hexdigest()] == tmp_path / "a"
    assert sum(counted) == 6


def test_a_value_that_does_not_fit_is_named() -> None:
    draft = Draft(Requirement(method="sleep"), {}, "1-3", values={"name": "n", "max_slaves": 0})
    with pytest.raises(Malformed, match="max-slaves"):
        draft.submission([])


def test_a_job_may_have_no_file_but_those_that_another_brings() -> None:
    draft = Draft(Requirement(method="povray"), {}, "1", source="scene.pov", values={"name": "n"})
    assert draft.submission([]).source == ""
    brought = replace(draft, values={"name": "n", "depends": [Dependency(on="12", overlay=True)]})
    assert brought.submission([]).source == "scene.pov"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["submit"], "Which file?"),
        (["submit", "--method", "sleep"], "Which frames?"),
        (["submit", "notes.txt"], "no file that DistRen renders"),
        (["submit", "--method", "sleep", "--frames", "9-1"], "backwards"),
        (["submit", "a.blend", "--resolution", "big"], "no resolution"),
        (["submit", "a.blend", "--set", "samples"], "sets nothing"),
    ],
)
def test_a_submission_without_sense_is_refused_without_a_server(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.setenv("DISTREN_TOKEN", "x")
    monkeypatch.setenv("DISTREN_SERVER", "http://127.0.0.1:9")
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_renderer_that_a_person_names_is_never_older_than_the_files() -> None:
    draft = Draft(Requirement(method="blender", version="4.5"), {}, "1")
    assert draft.needing("4.5.9", ["crowd=2.1"]).requires == Requirement(
        method="blender", version="4.5.9", addons=["crowd=2.1"]
    )
    assert draft.needing("5.0", []).requires.version == "5.0"
    assert draft.needing("", []).requires == draft.requires
    for wrong, said in (("4.2", "older than the 4.5"), ("4.4.9", "older"), ("4", "--version"), ("new", "--version")):
        with pytest.raises(Malformed, match=said):
            draft.needing(wrong, [])
    with pytest.raises(Malformed, match="--addon"):
        draft.needing("", ["../evil"])
    with pytest.raises(Malformed, match="--tags"):
        draft.needing("", [], ["no word"])
    assert draft.needing("", [], ["Fast"], "heavy").requires.tags == ["fast"]
