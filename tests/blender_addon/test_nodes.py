"""Nodes and engines of another add-on: a team's farm gets it with the job, and renders what it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from tests.blender_addon.conftest import Play, names_sent
from tests.farm.artist import pixels, rendered_at_home, start_slave
from tests.farm.farm import Farm


@pytest.mark.blender
@pytest.mark.timeout(600)
def test_the_add_on_that_nodes_or_an_engine_are_of_travels_with_the_job_but_not_to_strangers(
    blender: Offered, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    blend, picture = tmp_path / "moved.blend", tmp_path / "home.png"
    job, told, flat = play("make_nodes.py", farm.url, invite, blend, picture)
    assert "The add-on mover is not sent: this farm renders for strangers." in told
    assert "“Motion”" in told
    assert farm.client.job(flat).requires.engine == ""
    sent = [name.partition("distren-addons/")[2] for name in names_sent(farm, job) if "distren-addons/" in name]
    assert sorted(sent) == ["mover/__init__.py", "mover/parts.py"]
    start_slave(farm, "ws01", blender)
    for number, at_home in ((job, picture), (flat, Path(f"{picture}.flat.png"))):
        view = farm.ended(number)
        assert view.state == "done", [frame.message for frame in farm.client.frames(number).frames]
        (file,) = farm.client.output(number).files
        farm.client.fetch_file(number, file, tmp_path / f"{number}.png")
        assert pixels(tmp_path / f"{number}.png") == pixels(at_home)
    assert pixels(tmp_path / f"{flat}.png") != pixels(tmp_path / f"{job}.png")
    rendered_at_home(blender, blend, [2], tmp_path / "without")
    assert pixels(tmp_path / f"{job}.png") != pixels(tmp_path / "without" / "film_002.png")
