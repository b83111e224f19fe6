"""What simulates, by the add-on: baked here, baked on the farm, or in order on one slave; and a video with sound."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from farm.methods.base import Offered
from tests.blender_addon.conftest import HERE, Play
from tests.blenders import run_inside
from tests.farm.artist import pixels, start_slave
from tests.farm.farm import Farm


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_what_simulates_comes_out_as_it_was_played_at_home_in_each_way_that_the_panel_offers(
    blender: Offered, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    art, sounding, came = tmp_path / "art", tmp_path / "sounding", tmp_path / "came"
    sounding.mkdir()
    scenes = HERE.parent / "farm"
    run_inside(blender, scenes / "make_physics.py", tmp_path / "scratch", str(art), "bald")
    run_inside(blender, scenes / "make_sounding.py", tmp_path / "scratch", str(sounding))
    start_slave(farm, "ws01", blender, methods="blender,video")
    said = play("make_simulated.py", farm.url, invite, art / "shots" / "fall.blend", sounding / "shot.blend", came)
    for asked in ("in_order", "bake", "asks"):
        assert "cloth of “Flag”" in said[asked], "no way touches the artist's file"
    for way in ("in_order", "bake", "now"):
        for number in (3, 6, 9, 11, 12):
            home = pixels(art / "home" / f"home_{number:04d}.png")
            assert pixels(came / way / f"fall_{number:04d}.png") == home, (way, number)
    argv = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(came / "sounding" / "shot.mp4")]
    streams = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)["streams"]
    assert {stream["codec_name"] for stream in streams} == {"h264", "aac"}
