"""Which Blender renders a job, with real Blenders."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PIL import Image

from farm.methods.base import PART, Offered
from farm.protocol.slaves import Renderer
from farm.words.states import JobState
from tests.blenders import run_inside, two
from tests.farm.artist import Artist, metadata, renderer
from tests.farm.farm import Farm
from tests.methods.test_addons import addons
from tests.methods.test_provision import only_index

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("a farm of Blenders")]

HALF = """
import bpy
bl_info = {"name": "Half the size", "blender": (3, 0, 0), "version": (1, 5, 0)}

@bpy.app.handlers.persistent
def halve(*_):
    for scene in bpy.data.scenes:
        scene.render.resolution_percentage //= 2

def register():
    bpy.app.handlers.load_post.append(halve)
"""

MADE = Path(__file__).parent / "make_project.py"


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Shots that the older Blender wrote."""
    run_inside(two()[0], MADE, tmp_path / "scratch", str(tmp_path))
    return tmp_path / "project" / "shots"


def test_a_job_waits_and_says_why_until_its_owner_agrees_to_a_newer_blender(
    lite_farm: Farm, shots: Path, tmp_path: Path
) -> None:
    old, new = two()
    artist = Artist(lite_farm, old, tmp_path / "home")
    slave(lite_farm, "ws01", new)
    lite_farm.until(lambda: lite_farm.client.slaves()[0].offers, 60, "the slave has logged in")
    line, have = ".".join(old.offer.version.split(".")[:2]), new.offer.version
    refused = artist.says("submit", shots / "film.blend", "--frames", "1-3")
    assert f"1 has {have}: use it, install {line}, or wait." in refused.words
    job = artist.submits(shots / "film.blend", "--frames", "1-3", "--anyway")
    view = lite_farm.client.job(job)
    assert (view.pinned, view.counts.ready) == ("", 3)
    assert f"1 has {have}: use it, install {line}, or wait." in view.waiting[0]
    artist.says("set", job, "newer=yes")
    view = lite_farm.ended(job, 120)
    assert (view.state, view.pinned, view.waiting) == (JobState.DONE, have, [])
    assert have in artist.says("show", job).words
    artist.says("fetch", job, tmp_path / "out")
    pictures = sorted((tmp_path / "out").rglob("*.png"))
    assert len(pictures) == 3
    assert all(metadata(picture) for picture in pictures)


def test_add_ons_that_a_job_lists_are_enabled_and_no_others(lite_farm: Farm, shots: Path, tmp_path: Path) -> None:
    old = two()[0]
    artist = Artist(lite_farm, old, tmp_path / "home")
    slave(lite_farm, "ws01", old, addons=str(addons(tmp_path / "addons", {"half.py": HALF})))
    lite_farm.until(lambda: lite_farm.client.slaves()[0].offers, 60, "the slave has logged in")
    refused = artist.says("submit", shots / "film.blend", "--frames", "1", "--addon", "half=2.0")
    assert "there is half 1.5.0: use it, put the add-on into a slave's add-on folder, or wait." in refused.words
    halved = artist.submits(shots / "film.blend", "--frames", "1", "--addon", "half=1.5.0")
    whole = artist.submits(shots / "film.blend", "--frames", "1")
    sizes = []
    for job in (halved, whole):
        assert lite_farm.ended(job, 120).state is JobState.DONE
        artist.says("fetch", job, tmp_path / str(job))
        (picture,) = (tmp_path / str(job)).rglob("*.png")
        with Image.open(picture) as image:
            sizes.append(image.size)
    assert sizes[0] == (sizes[1][0] // 2, sizes[1][1] // 2)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_slave_installs_the_blender_that_a_job_waits_for(lite_farm: Farm, shots: Path, tmp_path: Path) -> None:
    old, new = two()
    run_inside(new, MADE, tmp_path / "scratch", str(tmp_path / "new"))
    artist = Artist(lite_farm, new, tmp_path / "home")
    slave(lite_farm, "ws01", old, provision="true")
    lite_farm.until(lambda: lite_farm.client.slaves()[0].offers, 60, "the slave has logged in")
    line = ".".join(new.offer.version.split(".")[:2])
    hardware = lite_farm.client.slaves()[0].hardware
    assert hardware is not None
    assert Renderer(method="blender", version=line) in hardware.installs
    job = artist.submits(tmp_path / "new" / "project" / "shots" / "film.blend", "--frames", "1-2")
    assert "ws01: installs it as soon as nothing else renders there." in lite_farm.client.job(job).waiting
    view = lite_farm.ended(job, 900)
    assert view.state is JobState.DONE
    assert view.pinned.startswith(f"{line}.")
    assert {offer.version for offer in lite_farm.client.slaves()[0].offers} == {old.offer.version, view.pinned}


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_slave_that_is_killed_while_it_installs_leaves_nothing_and_begins_anew(
    lite_farm: Farm, shots: Path, tmp_path: Path
) -> None:
    old, new = two()
    run_inside(new, MADE, tmp_path / "scratch", str(tmp_path / "new"))
    artist = Artist(lite_farm, new, tmp_path / "home")
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as silent:
        only_index(patch, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        slave(lite_farm, "ws01", old, provision="true")
        lite_farm.until(lambda: lite_farm.client.slaves()[0].offers, 60, "the slave has logged in")
        shot = tmp_path / "new" / "project" / "shots" / "film.blend"
        job = artist.submits(shot, "--frames", "1-2")
        lite_farm.until(lambda: parts(lite_farm), 120, "it installs")
        lite_farm.slaves["ws01"].kill()
    (broken_off,) = parts(lite_farm)
    slave(lite_farm, "ws01", old, provision="true")
    lite_farm.until(lambda: broken_off not in parts(lite_farm), 60, "what was left is removed")
    view = lite_farm.ended(job, 900)
    assert (view.state, view.counts.done, parts(lite_farm)) == (JobState.DONE, 2, [])


def parts(farm: Farm) -> list[Path]:
    """Return what is half-installed."""
    return list((farm.folder / "ws01" / "state").glob(f"*/installed/*{PART}*"))


def slave(farm: Farm, name: str, blender: Offered, **settings: str) -> None:
    farm.start_slave(name, methods="blender", **renderer(blender), **settings)
