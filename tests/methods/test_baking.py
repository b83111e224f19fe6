"""Bake what simulates, and render any frame of it alone: real Blenders."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from farm.methods.blender.bake import bake
from farm.methods.blender.header import Header
from farm.methods.blender.inspect import inspect
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup
from tests.blenders import run_inside
from tests.farm.artist import pixels
from tests.methods.talk import Child

pytestmark = pytest.mark.blender

MAKE = Path(__file__).parents[1] / "farm" / "make_physics.py"
PLAY = Path(__file__).parent / "make_played.py"
LAST = 12


def test_a_baked_simulation_looks_in_a_frame_alone_as_it_did_when_it_was_played(
    blender: Offered, tmp_path: Path
) -> None:
    place, told = tmp_path / "artist", []
    run_inside(blender, MAKE, tmp_path / "scratch", str(place))
    fall, played = place / "shots" / "fall.blend", tmp_path / "played.png"
    hair = ("hair dynamics of “Fur”",)
    assert bake(fall, [blender], lambda *_: None).scene.physics == hair
    run_inside(blender, PLAY, tmp_path / "scratch", f"{fall}1", str(fall), str(played), str(LAST))
    assert inspect(fall, [blender]).scene.physics
    assert bake(fall, [blender], lambda frame, last: told.append((frame, last))).scene.physics == ()
    assert (LAST, LAST) in told
    assert max(told) == (LAST, LAST), "what nobody renders is not simulated"
    assert fall.with_suffix(".blend1").is_file()
    found = inspect(fall, [blender])
    assert (found.scene.physics, found.missing) == ((), ())

    texts = {"address": "", "name": "x", "method": "blender", "version": "", "engine": "", "source": "shots/fall.blend"}
    sheet = JobSheet(**texts, job=1, revision=1, newer=True, settings={}, limits=Limits(), files=[])
    scratch = tmp_path / "session"
    scratch.mkdir()
    with Child(BlenderMethod().launch(blender, sheet, place, scratch), tmp_path / "log") as child:
        assert child.ask(child.opening)["event"] == "opened"
        order = {"do": "render", "attempt": 1, "picture": LAST, "number": LAST, "output": str(tmp_path / "out")}
        done = child.ask(order)
    assert pixels(Path(done["files"][0])) == pixels(played)


def test_a_file_of_another_version_is_not_baked_for_it_would_be_changed(
    blender: Offered, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.methods.blender.bake.read_header", lambda _: Header("3.3", ()))
    with pytest.raises(NotASetup, match=r"of Blender 3\.3"):
        bake(shots / "shots" / "plain.blend", [blender], lambda *_: None)
