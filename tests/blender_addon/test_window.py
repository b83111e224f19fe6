"""The add-on in a real window, clicked by xdotool. Drawn by the processor, so it takes minutes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.methods.base import Offered
from farm.package.addon import NAME, main
from farm.words.errors import Unauthenticated
from tests.bench.redraws import sending
from tests.blender_addon import tour
from tests.blender_addon.conftest import HERE
from tests.blender_addon.returns import NEWER, Newcomer
from tests.blender_addon.window import window
from tests.blenders import blenders, run_inside
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
    shown = {path.name for path in (ROOT / "docs" / "images").glob("addon-*.webp")}
    assert taken == (shown if os.environ.get(NEWER) else shown - {"addon-allow.webp"})


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
        FarmClient(farm.url, kept(window.home)).logout()
        state = window.until(lambda state: not state["sending"], "the upload has ended", 120)
        assert "Your login has ended. Log in again." in state["trouble"]
        assert state["user"] == ""


def kept(home: Path) -> str:
    """Return the token of the login that is kept in an artist's home folder."""
    tokens = next((home / ".config").rglob("tokens.json"))
    return str(next(iter(json.loads(tokens.read_text())["servers"].values()))["token"])


@pytest.fixture
def newer() -> Path:
    """A program of Blender 4.2 or newer, with windows."""
    if not (named := os.environ.get(NEWER)):
        pytest.skip(f"{NEWER} names no Blender 4.2 or newer that has windows")
    return Path(named)


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_where_blender_asks_for_online_access_allow_is_one_click_and_all_goes_on_from_there(
    newer: Path, farm: Farm, tmp_path: Path
) -> None:
    art, home = tmp_path / "art", tmp_path / "home"
    run_inside(blenders()[0], HERE.parent / "farm" / "make_project.py", tmp_path / "made", str(art))
    main(str(tmp_path / "dist"))
    home.mkdir()
    with window(newer, art / "project" / "shots" / "film.blend", tmp_path / "dist" / NAME, home) as opened:
        newcomer = Newcomer(opened, farm, tmp_path)
        newcomer.walk()
        newcomer.connect()
        newcomer.register()
        opened.press("distren.submit")
        state = opened.until(lambda state: state["findings"], "it is said that no slave is there")
        assert "slave" in " ".join(state["findings"])
        opened.press("distren.send_anyway")
        opened.until(lambda state: state["jobs"], "the job is on the farm")
        opened.press("Cancel")
        opened.until(lambda state: state["jobs"][0][1] == "canceled", "the job is canceled")
        token = kept(home)
        opened.preferences()
        newcomer.log_out()
        with pytest.raises(Unauthenticated), FarmClient(farm.url, token) as client:
            client.me()
        opened.press("Connect")
        opened.until(lambda state: state["answered"], "the server has answered")
        newcomer.log_in()
        assert kept(home) != token
    assert [job.state for job in farm.client.jobs().jobs] == ["canceled"]
