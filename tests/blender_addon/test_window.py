"""The add-on in a real window, clicked by xdotool. Drawn by the processor, so it takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from tests.bench.redraws import sending
from tests.blender_addon import tour
from tests.blenders import blenders
from tests.farm.farm import Farm


@pytest.fixture
def program() -> Offered:
    found = next((b for b in blenders() if b.launcher.kind == "program"), None)
    if found is None:
        pytest.skip("the bpy package has no windows")
    return found


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_an_artist_connects_is_told_what_is_missing_renders_watches_and_cancels(
    program: Offered, tmp_path: Path
) -> None:
    tour.go(program, tmp_path)
    assert len(list(tmp_path.glob("addon-*.webp"))) == 5


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_escape_in_the_middle_of_an_upload_ends_it_and_leaves_no_half_job(
    program: Offered, farm: Farm, tmp_path: Path
) -> None:
    with sending(program, tmp_path / "artist", farm, 4) as window:
        window.until(lambda state: state["stage"] == "Sending", "files are sent", 120)
        window.do("mousemove", 420, 400)
        window.do("key", "Escape")
        state = window.until(lambda state: not state["sending"], "it has stopped")
        assert state["said"] == "Stopped: nothing is left on the farm."
        assert state["trouble"] == ""
    assert [job.state for job in farm.client.jobs().jobs] == ["canceled"]
