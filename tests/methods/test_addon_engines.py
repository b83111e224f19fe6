"""Engines of a third party, as add-ons bring them, in real Blenders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.methods.base import Offered
from farm.methods.blender.addons import with_addons
from farm.methods.blender.inspect import inspect
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from tests.blenders import run_inside
from tests.methods.talk import Child

pytestmark = pytest.mark.blender

HOUSE = """
import bpy
bl_info = {"name": "House", "blender": (3, 0, 0), "version": (1, 2)}

class House(bpy.types.RenderEngine):
    bl_idname, bl_label = "HOUSE", "House"
    def render(self, depsgraph):
        render = depsgraph.scene.render
        part = render.resolution_percentage / 100
        size = int(render.resolution_x * part), int(render.resolution_y * part)
        result = self.begin_result(0, 0, *size)
        red = depsgraph.scene.frame_current / 10
        if red == 0.8:
            raise ValueError("no eights")
        result.layers[0].passes["Combined"].rect = [[red, 0, 0, 1]] * (size[0] * size[1])
        self.end_result(result)

def register():
    bpy.utils.register_class(House)
"""
"""Fills the picture with a red that tells the frame, and breaks off frame 8."""

LIAR = HOUSE.replace("HOUSE", "LIAR").replace("[[red", "1 / 0 * [[red")
"""Registers an engine that can't render."""


@pytest.fixture
def addons(tmp_path: Path) -> Path:
    folder = tmp_path / "addons"
    folder.mkdir()
    (folder / "house.py").write_text(HOUSE)
    (folder / "liar.py").write_text(LIAR)
    return folder


@pytest.fixture
def blend(blender: Offered, addons: Path, tmp_path: Path) -> Path:
    run_inside(blender, Path(__file__).parent / "make_house.py", tmp_path, str(addons), str(tmp_path / "house.blend"))
    return tmp_path / "house.blend"


def opened(offered: Offered, blend: Path, engine: str) -> Child:
    """Start a session with a file of the engine open."""
    texts = {"address": "", "name": "x", "method": "blender", "version": "", "engine": engine, "source": blend.name}
    sheet = JobSheet(**texts, job=1, revision=1, newer=True, settings={}, limits=Limits(), files=[])
    launch = BlenderMethod().launch(offered, sheet, blend.parent, blend.parent)
    return Child(launch, blend.parent / "log")


def test_an_add_ons_engine_is_offered_if_it_renders_its_sessions_get_it_and_its_errors_fail_frames(
    blender: Offered, addons: Path, blend: Path, tmp_path: Path
) -> None:
    offered = with_addons(blender, addons)
    assert offered.engines == {"HOUSE": "house"}
    assert "HOUSE" in offered.offer.engines
    assert [text for text in offered.offer.cannot if text.startswith("LIAR of add-on liar: ")]
    with opened(offered, blend, "HOUSE") as child:
        assert child.ask(child.opening)["event"] == "opened"
        order: dict[str, Any] = {
            "do": "render",
            "attempt": 5,
            "picture": 5,
            "number": 5,
            "output": str(tmp_path / "out"),
        }
        done = child.ask(order)
        failed = child.ask({**order, "picture": 8, "number": 8})
    assert done["event"] == "done", done
    with Image.open(done["files"][0]) as picture:
        assert picture.convert("RGB").getpixel((3, 3)) == pytest.approx((128, 0, 0), abs=1)
    assert (failed["event"], failed["class"]) == ("failed", "job")
    assert failed["message"] == "The engine broke off frame 8: ValueError: no eights"


def test_a_file_of_an_engine_that_is_not_here_requires_it_and_is_not_rendered_by_another(
    blender: Offered, blend: Path
) -> None:
    assert inspect(blend, [blender]).engine({}) == "HOUSE"
    with opened(blender, blend, "") as child:
        failed = child.ask(child.opening)
    assert (failed["event"], failed["class"]) == ("failed", "job")
    assert "The scene “Scene” is rendered by HOUSE, which this Blender" in failed["message"]
