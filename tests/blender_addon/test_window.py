"""The add-on in a real window, clicked by xdotool. Drawn by the processor, so it takes minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.methods.base import Offered
from tests.bench.redraws import sending
from tests.blender_addon import tour
from tests.blenders import blenders
from tests.farm.farm import Farm

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program() -> Offered:
    found = next((b for b in blenders() if b.launcher.kind == "program"), None)
    if found is None:
        pytest.skip("the bpy package has no windows")
    return found


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_an_artist_clicks_through_all_that_the_panel_has(program: Offered, tmp_path: Path) -> None:
    tour.go(program, tmp_path)
    taken = {path.name for path in tmp_path.glob("addon-*.webp")}
    assert taken == {path.name for path in (ROOT / "docs" / "images").glob("addon-*.webp")}


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


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_server_that_dies_in_the_middle_of_an_upload_leaves_a_panel_that_says_so(
    program: Offered, farm: Farm, tmp_path: Path
) -> None:
    with sending(program, tmp_path / "artist", farm, 4) as window:
        window.until(lambda state: state["stage"] == "Sending", "files are sent", 120)
        farm.server.kill()
        state = window.until(lambda state: state["broken"], "the panel has Go on", 120)
        assert "refused" in state["trouble"] or "broke off" in state["trouble"]
        window.rest()  # it is not frozen
    farm.start_server()
    assert [job.state for job in farm.client.jobs().jobs] == ["receiving"]


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_closing_blender_in_the_middle_of_an_upload_leaves_no_half_job(
    program: Offered, farm: Farm, tmp_path: Path
) -> None:
    with sending(program, tmp_path / "artist", farm, 8) as window:
        window.until(lambda state: state["stage"] == "Sending", "files are sent", 120)
        window.quit()
    assert [job.state for job in farm.client.jobs().jobs] == ["canceled"]


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_login_that_is_void_in_the_middle_of_an_upload_is_said(program: Offered, farm: Farm, tmp_path: Path) -> None:
    with sending(program, tmp_path / "artist", farm, 8) as window:
        window.until(lambda state: state["stage"] == "Sending", "files are sent", 120)
        tokens = next((window.home / ".config").rglob("tokens.json"))
        token = next(iter(json.loads(tokens.read_text())["servers"].values()))["token"]
        FarmClient(farm.url, token).logout()
        state = window.until(lambda state: not state["sending"], "the upload has ended", 120)
        assert "Your login has ended. Log in again." in state["trouble"]
        assert state["user"] == ""
