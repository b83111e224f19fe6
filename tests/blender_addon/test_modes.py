"""A file as it is right now: never saved, in the middle of editing and sculpting."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from tests.blender_addon.conftest import Play, names_sent
from tests.farm.artist import pixels, rendered_at_home, start_slave
from tests.farm.farm import Farm


@pytest.mark.blender
@pytest.mark.timeout(600)
def test_what_is_edited_and_sculpted_right_now_is_rendered_and_stays_as_it_is(
    blender: Offered, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.blend", tmp_path / "after.blend"
    job, was, now = play("make_modes.py", farm.url, invite, before, after)
    assert was[:2] == ["", False]
    assert was[3:] == ["EDIT", "SCULPT"]
    assert now == was
    assert [name for name in names_sent(farm, job) if "secret" in name] == []
    assert farm.client.job(job).source == "unsaved/untitled.blend", "nobody learns where an artist's home is"
    start_slave(farm, "ws01", blender)
    assert farm.ended(job).state == "done"
    (file,) = farm.client.output(job).files
    farm.client.fetch_file(job, file, tmp_path / "farm.png")
    for blend in (before, after):
        rendered_at_home(blender, blend, [1], tmp_path / blend.stem)
    assert pixels(tmp_path / "farm.png") == pixels(tmp_path / "after" / "film_001.png")
    assert pixels(tmp_path / "farm.png") != pixels(tmp_path / "before" / "film_001.png")
