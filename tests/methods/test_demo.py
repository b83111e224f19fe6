from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from farm.methods.blender import demo
from farm.methods.blender.inspect import inspect
from tests.blenders import run_inside

pytestmark = pytest.mark.blender


def test_the_demo_is_a_project_with_texture_library_and_moving_camera(blender: Offered, tmp_path: Path) -> None:
    script = Path(demo.__file__).parent / "make_scene.py"
    run_inside(blender, script, tmp_path / "scratch", str(tmp_path / "show"))
    found = inspect(tmp_path / "show" / "demo.blend", [blender])
    assert {f.path for f in found.files} == {"demo.blend", "library/shapes.blend", "textures/rings.png"}
    assert found.missing == ()
    assert found.problems({}) == found.warnings({}) == []
    scene = found.scene
    assert (scene.resolution_x, scene.resolution_y, scene.engine, scene.denoised) == (480, 270, "CYCLES", False)
    assert scene.frames == "1-24"
    assert found.engine({}) == "CYCLES", "it must render where Blender was built without a denoiser"
    assert not list((tmp_path / "show").rglob("*.blend1"))
