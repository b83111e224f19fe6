"""What simulates, by the add-on: baked here, baked on the farm, or in order on one slave; and a video with sound."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from farm.methods.base import Offered
from tests.blender_addon.conftest import HERE, Play
from tests.blenders import run_inside
from tests.farm.artist import pixels, start_slave
from tests.farm.farm import Farm

SCENES = HERE.parent / "farm"


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_what_simulates_comes_out_as_it_was_played_at_home_in_each_way_that_the_panel_offers(
    blender: Offered, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    art, came = tmp_path / "art", tmp_path / "came"
    run_inside(blender, SCENES / "make_physics.py", tmp_path / "scratch", str(art), "bald")
    start_slave(farm, "ws01", blender)
    said = play("make_simulated.py", farm.url, invite, art / "shots" / "fall.blend", came)
    for asked in ("in_order", "bake", "asks"):
        assert "cloth of “Flag”" in said[asked], "no way touches the artist's file"
    for way in ("in_order", "bake", "now"):
        for number in (3, 6, 9, 11, 12):
            home = pixels(art / "home" / f"home_{number:04d}.png")
            assert pixels(came / way / f"fall_{number:04d}.png") == home, (way, number)


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_video_has_the_sound_of_the_scene(
    blender: Offered, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    run_inside(blender, SCENES / "make_sounding.py", tmp_path / "scratch", str(tmp_path))
    if not (tmp_path / "shot.blend").exists():
        pytest.skip(f"this bpy {blender.offer.version} is built without Audaspace, and knows no sounds")
    start_slave(farm, "ws01", blender, methods="blender,video")
    play("make_sounding.py", farm.url, invite, tmp_path / "shot.blend", tmp_path / "came")
    assert {stream["codec_name"] for stream in streams(tmp_path / "came" / "shot.mp4")} == {"h264", "aac"}


def streams(video: Path) -> list[dict[str, Any]]:
    """Return what is in a video, as ffprobe says it."""
    argv = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(video)]
    found: list[dict[str, Any]] = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)["streams"]
    return found
