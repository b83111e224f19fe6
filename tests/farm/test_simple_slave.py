"""The slave of the docs, which anybody may translate, against a real server and a real Blender."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from farm.protocol.jobs import JobView
from farm.words.states import FrameState, JobState, SlaveState
from tests.blenders import blenders
from tests.farm.farm import Farm, Process, running

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("a farm of Blenders")]

SLAVE = Path(__file__).parents[2] / "docs" / "reference" / "simple_slave.py"
SAVE = """
import bpy, sys
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
scene.render.resolution_x, scene.render.resolution_y = {size}
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def made(program: Path, blend: Path, size: tuple[int, int]) -> Path:
    """Have Blender save a cube."""
    script = blend.with_suffix(".py")
    script.write_text(SAVE.format(size=size))
    argv = [str(program), "-b", "--factory-startup", "--python", str(script), "--", str(blend)]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    return blend


def submitted(farm: Farm, blend: Path, frames: str) -> int:
    words = ["submit", str(blend), "--frames", frames, "--server", farm.url, "--json", "--order", "any"]
    person = Process("person", words, {"DISTREN_TOKEN": farm.token}, farm.folder)
    assert person.popen.wait(120) == 0, farm.logs()
    return farm.client.jobs().jobs[0].job


def test_the_slave_of_the_docs_is_short_and_renders_real_jobs_over_a_restart_of_the_server(tmp_path: Path) -> None:
    assert len(SLAVE.read_text().splitlines()) <= 100
    program = next((b.launcher.program for b in blenders() if b.launcher.kind == "program"), None)
    if program is None:
        pytest.skip("SimpleSlave starts a Blender program, and there is none here.")
    small, large = (made(program, tmp_path / f"{n}.blend", s) for n, s in (("small", (64, 36)), ("large", (640, 360))))
    with running(tmp_path, quick=True) as farm:
        key = farm.client.make_slave_key("simple")
        argv = [sys.executable, str(SLAVE), farm.url, key.key, key.password, str(program)]
        with (farm.folder / "simple.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as slave:
            try:
                farm.until(lambda: farm.client.slaves()[0].state is SlaveState.IDLE, 120, "the slave has logged in")
                first = submitted(farm, small, "1-3")
                farm.done_frames(first, 1, 120)
                farm.server.kill()
                farm.start_server()
                second = submitted(farm, large, "7")
                for job, size in ((first, (64, 36)), (second, (640, 360))):
                    check(farm, farm.ended(job, 180), size)
                assert slave.poll() is None, farm.logs()
            finally:
                slave.kill()


def check(farm: Farm, view: JobView, size: tuple[int, int]) -> None:
    assert view.state is JobState.DONE, farm.logs()
    frames = farm.client.frames(view.job).frames
    assert all(frame.state is FrameState.DONE and len(frame.attempts) <= 1 for frame in frames)
    for file in farm.output(view.job):
        home = farm.folder / "home" / file.name
        farm.client.fetch_file(view.job, file, home)
        assert Image.open(io.BytesIO(home.read_bytes())).size == size
