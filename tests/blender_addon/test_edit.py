"""An edit: its pictures, movies, clips, scenes and sounds travel to a slave that has nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from farm.methods.base import Offered
from tests.blender_addon.conftest import HERE, Play, names_sent
from tests.blender_addon.test_kinds import hidden
from tests.blenders import run_inside
from tests.farm.artist import pixels, rendered_at_home, start_slave
from tests.farm.farm import Farm

BLACK = 10
"""What is as dark is nothing that was painted."""


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("paths", ["relative", "absolute"])
def test_strips_of_all_kinds_reach_the_slave_and_the_picture_is_the_same(
    blender: Offered, paths: str, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    answer, artist, home = tmp_path / "made.json", tmp_path / "artist", tmp_path / "at_home"
    run_inside(blender, HERE / "make_edit.py", tmp_path / "made", str(artist), str(answer), paths, "")
    made = json.loads(answer.read_text())
    frames = [frame for seen in made["seen"].values() for frame in seen]
    job = play("make_sent.py", made["blend"], farm.url, invite, f"1-{max(frames)}")
    sent = names_sent(farm, job)
    assert [name for name in made["needed"] if not any(name in one for one in sent)] == []
    rendered_at_home(blender, Path(made["blend"]), frames, home)
    with hidden(artist):
        start_slave(farm, "ws01", blender, sandbox="required")
        view = farm.ended(job, 300)
    assert view.state == "done", [frame.message for frame in farm.client.frames(job).frames]
    for file in farm.client.output(job).files:
        farm.client.fetch_file(job, file, tmp_path / Path(file.name).name)
    for frame in frames:
        name = f"film_{frame:03}.png"
        assert pixels(tmp_path / name) == pixels(home / name)
        with Image.open(home / name) as picture:
            assert picture.convert("L").getextrema()[1] > BLACK, f"frame {frame} shows nothing, so it proves nothing"
