"""A slave that is measured by itself: real Blender, real POV-Ray, and work that comes in between."""

from __future__ import annotations

import contextlib
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from farm.client.usercalls import UserCalls
from farm.protocol.points import Cause, RatingView
from farm.protocol.slaveviews import Measuring
from farm.words.states import JobState
from tests.farm.farm import Farm
from tests.farm.test_povray import SCENE, submit


def unheard(farm: Farm) -> None:
    """Forget what slaves say of their machines' load: other tests keep this one busy, for which a slave would wait."""
    with contextlib.closing(sqlite3.connect(farm.folder / "server" / "distren.sqlite3", timeout=30)) as database:
        database.execute("CREATE TRIGGER unheard AFTER INSERT ON sample BEGIN DELETE FROM sample; END")


def measuring(farm: Farm) -> Measuring | None:
    """Return the benchmark that goes on."""
    return farm.client.slaves()[0].measuring


def rated(farm: Farm, method: str) -> RatingView | None:
    found = [one for one in UserCalls(farm.client).ratings("ws01") if one.method == method and one.over]
    return found[0] if found else None


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_an_idle_slave_is_measured_with_each_renderer_and_work_that_comes_meanwhile_goes_first(
    lite_farm: Farm, tmp_path: Path
) -> None:
    farm = lite_farm
    unheard(farm)
    farm.start_slave(methods="blender,povray", benchmark="auto")
    first = farm.until(lambda: measuring(farm), 300, "the slave is measured")
    assert first is not None
    assert (first.method, first.cause, first.frames) == ("blender", Cause.FIRST, 3)
    farm.until(lambda: farm.client.slaves()[0].running, 300, "a frame of the benchmark renders")
    scene = tmp_path / "scene"
    scene.mkdir()
    (scene / "main.pov").write_text(SCENE)
    job = submit(farm, scene)
    assert farm.ended(job, 300).state is JobState.DONE
    assert measuring(farm) is None
    assert rated(farm, "blender") is None
    for method in ("blender", "povray"):
        one = farm.until(partial(rated, farm, method), 900, f"it is rated with {method}")
        assert one is not None
        assert one.power is not None
        assert one.provisional
        assert one.cause is Cause.FIRST
    assert [(one.job, one.state) for one in farm.client.jobs().jobs] == [(job, JobState.DONE)]
