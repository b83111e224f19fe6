"""What honest slaves of strangers draw passes its spot checks, with real renderers: whatever it is that they drew."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import MakeInvite, Register
from farm.protocol.slaveviews import SlaveView
from farm.words.states import JobState
from tests.blenders import run_inside, two
from tests.farm.artist import start_slave, submit_unchecked
from tests.farm.farm import PASSPHRASE, Farm, running
from tests.farm.test_povray import submit

pytestmark = pytest.mark.timeout(600)

GLOW = """#version 3.7;
global_settings { assumed_gamma 1 RADIOSITY }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 }
plane { y, -1 pigment { checker rgb 0.2 rgb 0.9 } }
sphere { 0, 1 pigment { rgb <1, 0.3, 0.1> } finish { phong 0.8 } }
"""


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm of strangers, with a key for eve's slave."""
    with running(tmp_path, profile="open", registration="invite", quick=True) as farm:
        invite = farm.client.make_invite(MakeInvite()).code
        with farm.asking() as client:
            granted = client.register(Register(name="eve", passphrase=PASSPHRASE, invite=invite))
        with FarmClient(farm.url, granted.token) as eve:
            farm.keys["eves"] = eve.make_slave_key("eves")
        yield farm


def judged(farm: Farm, count: int) -> SlaveView:
    """Wait until all checks of eve's slave have ended."""

    def all_over() -> SlaveView | None:
        (view,) = [slave for slave in farm.client.slaves() if slave.name == "eves"]
        over = view.reliability
        return view if over and over.passed + over.undecided >= count else None

    return farm.until(all_over, 240, f"{count} checks have ended")


def test_tiles_whole_pictures_and_exr_of_povray_pass_and_radiosity_convicts_nobody(farm: Farm, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    farm.start_slave("eves", methods="povray", cores="2")
    jobs = []
    for radiosity, settings in (
        ("", {}),
        ("", {"format": "OPEN_EXR"}),
        ("radiosity { count 100 error_bound 0.2 }", {}),
    ):
        (folder / "main.pov").write_text(GLOW.replace("RADIOSITY", radiosity))
        jobs.append(submit(farm, folder, width=160, height=160, **settings))
    assert {farm.ended(job, 120).state for job in jobs} == {JobState.DONE}
    for name in ("ws01", "ws02"):
        farm.start_slave(name, methods="povray", cores="1")
    over = judged(farm, 3).reliability
    assert over is not None
    assert over.passed >= 2, "one with radiosity may differ: undecided, for others drew it with one thread"
    assert farm.audit() == []


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.parametrize("which", [0, 1])
def test_eevee_and_exr_of_blender_pass(farm: Farm, which: int, tmp_path: Path) -> None:
    blender = two()[which]
    shots = tmp_path / "project" / "shots"
    shots.mkdir(parents=True)
    run_inside(blender, Path(__file__).parent / "make_drawn.py", tmp_path / "scratch", str(shots))
    start_slave(farm, "eves", blender)
    eevee = next(engine for engine in blender.offer.engines if "EEVEE" in engine)
    plain, layers = (submit_unchecked(farm.client, shots / f"{name}.blend", blender) for name in ("cycles", "layers"))
    for job in (plain, layers):
        assert farm.ended(job, 240).state is JobState.DONE, farm.client.frame(job, 1).message
    # Only now: on processors it takes minutes to compile what EEVEE draws with, and there is one slot.
    drawn = submit_unchecked(farm.client, shots / "eevee.blend", blender, engine=eevee)
    assert farm.ended(drawn, 240).state is JobState.DONE, farm.client.frame(drawn, 1).message
    start_slave(farm, "ws01", blender)
    over = judged(farm, 6).reliability
    assert over is not None
    assert (over.passed, over.undecided) == (6, 0)
    with contextlib.closing(sqlite3.connect(farm.folder / "server" / "distren.sqlite3")) as database:
        tiles = database.execute("SELECT job, tile FROM spotcheck").fetchall()
    assert {job for job, tile in tiles if tile} == {plain, layers}
