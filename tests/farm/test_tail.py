"""A real Blender's output is read while it renders: in a real browser, and by the command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import Artist, start_slave
from tests.farm.farm import PASSPHRASE, Farm

pytestmark = pytest.mark.soak

SCENE = """
import bpy, sys
scene = bpy.context.scene
scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
scene.cycles.samples, scene.cycles.use_adaptive_sampling, scene.cycles.use_denoising = 4000, False, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 640, 360, 100
scene.frame_start = scene.frame_end = 1
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def test_what_blender_says_is_read_while_it_renders(lite_farm: Farm, tmp_path: Path) -> None:
    farm, blender = lite_farm, blenders()[0]
    (tmp_path / "make.py").write_text(SCENE)
    run_inside(blender, tmp_path / "make.py", tmp_path / "made", "--", str(tmp_path / "long.blend"))
    artist = Artist(farm, blender, tmp_path / "home")
    start_slave(farm, "ws01", blender)
    job = artist.submits(tmp_path / "long.blend", "--frames", "1")
    farm.reached(job, JobState.RENDERING, 120)
    with artist.starts("logs", f"{job}/1", "--follow") as command, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{farm.url}/login")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Passphrase").fill(PASSPHRASE.get_secret_value())
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Farm").wait_for()
        page.goto(f"{farm.url}/jobs/{job}/1")
        said = page.locator("#saying pre")
        said.get_by_text("Sample").wait_for(timeout=120_000)
        first = said.inner_text()
        page.wait_for_function("before => document.querySelector('#saying pre').innerText !== before", arg=first)
        page.screenshot(path=str(tmp_path / "tail.png"))
        assert said.inner_text().startswith(first[:100])
        farm.client.command(job, "cancel")
        out, _ = command.communicate(timeout=60)
        assert command.returncode == 0
        assert out.count("Sample") > 1
        lines = out.splitlines()
        assert len(lines) == len(set(lines))
        browser.close()
