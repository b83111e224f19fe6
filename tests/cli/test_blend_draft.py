"""What the command finds in a real .blend before anything is sent."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cli.connect import client_settings
from farm.cli.demoscene import chosen_blender, scene
from farm.cli.draft import Draft
from farm.cli.onlymissing import only_missing
from farm.cli.sources import draft_for
from farm.words.errors import Refused
from tests.cli.conftest import Run

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the demo's project, made by a real Blender."""
    place = tmp_path_factory.mktemp("project") / "film"
    shutil.copytree(scene(chosen_blender(client_settings())).parent, place)
    return place


def _draft(blend: Path, frames: str | None = None, **wishes: Any) -> Draft:
    return draft_for(blend, None, frames, wishes, {}, newer=False, settings=client_settings(), kept=ExitStack())


def test_range_scene_engine_and_files_come_from_the_file(project: Path) -> None:
    draft = _draft(project / "demo.blend")
    assert (draft.frames, draft.settings["scene"], draft.requires.engine) == ("1-24", "Turntable", "CYCLES")
    assert {file.path for file in draft.files} == {"demo.blend", "library/shapes.blend", "textures/rings.png"}
    assert (draft.problems, draft.values["name"]) == ([], "demo")


def test_the_persons_wishes_beat_the_file(project: Path) -> None:
    draft = _draft(project / "demo.blend", "5-9x2", samples="4")
    assert (draft.frames, draft.settings["samples"]) == ("5-9x2", 4)


def test_only_frames_without_a_picture_are_asked_for(project: Path, tmp_path: Path) -> None:
    draft = _draft(project / "demo.blend", "1-6")
    assert draft.picture is not None
    for frame in (1, 2, 4):
        (tmp_path / draft.picture.of(frame)).write_bytes(b"a picture")
    (tmp_path / draft.picture.of(5)).touch()
    assert only_missing(draft, tmp_path).frames == "3,5-6"
    other = _draft(project / "demo.blend", "1-4", format="JPEG")
    (tmp_path / draft.picture.of(3)).with_suffix(".jpg").write_bytes(b"a picture")
    with pytest.raises(Refused, match="All 4 pictures are in"):
        only_missing(other, tmp_path)
    with pytest.raises(Refused, match="not known here"):
        only_missing(replace(draft, picture=None), tmp_path)


def test_all_that_is_wrong_is_said_at_once(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "film"
    shutil.copytree(project, copy)
    (copy / "textures" / "rings.png").unlink()
    text = " ".join(_draft(copy / "demo.blend", scene="Nowhere", samples="none", colour="red").problems)
    assert "Nowhere" in text
    assert "samples" in text
    assert "colour" in text
    assert "rings.png" in " ".join(_draft(copy / "demo.blend").problems)


@pytest.fixture
def submit(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return `distren submit`, with a token for a server that is not there: nothing may be asked of it."""
    monkeypatch.setenv("DISTREN_TOKEN", "x")
    monkeypatch.setenv("DISTREN_SERVER", "http://127.0.0.1:9")
    return lambda *words: run("submit", *words)


def test_a_truncated_file_is_refused_before_the_server_is_asked(submit: Run, project: Path, tmp_path: Path) -> None:
    whole = (project / "demo.blend").read_bytes()
    (tmp_path / "cut.blend").write_bytes(whole[: len(whole) // 2])
    result = submit(tmp_path / "cut.blend")
    assert (result.exit_code, "cut.blend" in result.stderr) == (6, True), result.output


def test_a_file_of_a_newer_blender_is_refused_with_what_is_needed(submit: Run, project: Path, tmp_path: Path) -> None:
    whole = (project / "demo.blend").read_bytes()
    if not whole.startswith(b"BLENDER-v"):
        pytest.skip("this Blender compresses what it saves")
    (tmp_path / "new.blend").write_bytes(b"BLENDER-v999" + whole[12:])
    result = submit(tmp_path / "new.blend")
    assert (result.exit_code, "9.99" in result.stderr) == (6, True), result.output


def test_what_is_no_blend_is_refused(submit: Run, tmp_path: Path) -> None:
    (tmp_path / "picture.blend").write_bytes(b"\x89PNG" * 100)
    assert submit(tmp_path / "picture.blend").exit_code == 6
    assert submit(tmp_path / "nothing.blend").exit_code == 6
