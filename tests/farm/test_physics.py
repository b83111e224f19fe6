"""What simulates comes out as it was played at home: real Blenders, killed slaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.blender.inspect import inspect
from farm.words.states import FrameState, JobState
from tests.blenders import run_inside, two
from tests.farm.artist import Artist, pixels, start_slave
from tests.farm.farm import running

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("a farm of Blenders")]

MADE = Path(__file__).parent / "make_physics.py"


@pytest.mark.parametrize("index", [0, pytest.param(1, marks=pytest.mark.soak)], ids=["program", "package"])
def test_what_simulates_is_found_and_rendered_as_it_was_played_at_home_though_its_slave_is_killed(
    tmp_path: Path, index: int
) -> None:
    found = two()
    if index >= len(found):
        pytest.skip("There is no Blender program on this machine.")
    blender, place = found[index], tmp_path / "artist"
    run_inside(blender, MADE, tmp_path / "scratch", str(place))
    fall, baked = place / "shots" / "fall.blend", place / "shots" / "baked.blend"
    kinds = [what.split(" of ")[0] for what in inspect(fall, [blender]).scene.physics]
    expected = {"rigid bodies", "cloth", "soft body", "dynamic paint", "particles", "hair dynamics"}
    more = set() if blender.launcher.kind == "program" else {"simulation zone"}
    assert set(kinds) == expected | more
    assert len(kinds) == len(expected | more), "particles that stand still are none"
    water = place / "shots" / "water.blend"
    assert not water.exists() or inspect(water, [blender]).scene.physics == ("fluid or smoke of “Tank”",)
    left = inspect(baked, [blender]).scene.physics
    # “Bake all” leaves hair out, and the paint's cache on disk has the .blend's former name.
    assert left == ("dynamic paint of “Canvas”", "hair dynamics of “Fur”")

    with running(tmp_path, quick=True) as farm:
        artist = Artist(farm, blender, tmp_path / "at_home")
        refused = artist.says("submit", fall, "--anyway")
        assert refused.code != 0
        assert "rigid bodies of “Scene”" in refused.words
        assert "--order in_order" in refused.words
        job = artist.submits(fall, "--anyway", "--order", "in_order", "--frames", "3-12x3,10-11")
        slave = start_slave(farm, "ws01", blender)
        farm.done_frames(job, 2, 90)
        slave.kill()
        start_slave(farm, "ws02", blender, slots="2")
        assert farm.ended(job, 120).state is JobState.DONE, farm.client.job(job).message
        assert artist.says("fetch", job, tmp_path / "pictures").code == 0
        rendered = [3, 6, 9, 10, 11, 12]
        order = sorted(rendered, key=lambda n: farm.client.frame(job, n).attempts[-1].issued)
        assert order == rendered
        assert farm.audit() == []
    for number in rendered:
        ours, home = tmp_path / "pictures" / f"fall_{number:04d}.png", place / "home" / f"home_{number:04d}.png"
        assert pixels(ours) == pixels(home), number
    assert pixels(place / "home" / "home_0003.png") != pixels(place / "home" / "home_0012.png"), "it falls"


@pytest.mark.parametrize("index", [pytest.param(0, marks=pytest.mark.soak), 1], ids=["program", "package"])
def test_a_slave_bakes_and_all_render_it_as_it_was_played_at_home_though_the_first_is_killed(
    tmp_path: Path, index: int
) -> None:
    found = two()
    if index >= len(found):
        pytest.skip("There is no Blender program on this machine.")
    blender, place = found[index], tmp_path / "artist"
    run_inside(blender, MADE, tmp_path / "scratch", str(place), "bald")
    fall = place / "shots" / "fall.blend"
    sent = fall.read_bytes()
    with running(tmp_path, quick=True) as farm:
        artist = Artist(farm, blender, tmp_path / "at_home")
        refused = artist.says("submit", fall, "--anyway")
        assert refused.code != 0
        assert "Let a slave bake it first (--bake)" in refused.words
        job = artist.submits(fall, "--anyway", "--bake", "--frames", "3-9x3,11-12")
        bake = job - 1
        assert farm.client.job(job).waiting == [f"Its frames wait for {farm.client.job(bake).address}."]
        slave = start_slave(farm, "ws01", blender)
        begun = {FrameState.LEASED, FrameState.DONE}
        farm.until(lambda: farm.client.frame(bake, 12).state in begun, 90, "the bake has begun")
        slave.kill()
        start_slave(farm, "ws02", blender)
        start_slave(farm, "ws03", blender)
        assert farm.ended(job, 180).state is JobState.DONE, farm.client.job(job).message
        assert artist.says("fetch", job, tmp_path / "pictures").code == 0
        views = [farm.client.job(number) for number in (bake, job)]
        assert {view.pinned for view in views} == {blender.offer.version}
        assert farm.audit() == []
    for number in (3, 6, 9, 11, 12):
        ours, home = tmp_path / "pictures" / f"fall_{number:04d}.png", place / "home" / f"home_{number:04d}.png"
        assert pixels(ours) == pixels(home), number
    assert fall.read_bytes() == sent
