"""What runs in Blender's Python must run in old ones, with nothing of ours or of PyPI's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [
        *ROOT.glob("blender_addon/**/*.py"),
        *ROOT.glob("farm/methods/blender/inside/*.py"),
        *ROOT.glob("farm/methods/inside/*.py"),
        *ROOT.glob("farm/methods/blender/demo/*.py"),
    ]
)
OF_BLENDER = {"bpy", "gpu", "mathutils", "_cycles"}
WITH_A_DENOISER = {"numpy"}
"""What Blenders have that can denoise; others never come to the functions that want it."""

OURS = {"blender_addon"}
"""What the renderer's own scripts share with the add-on."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_it_imports_only_the_standard_library_bpy_and_its_neighbours(path: Path) -> None:
    allowed = sys.stdlib_module_names | OF_BLENDER | (OURS if "inside" in path.parts else set())
    tree = ast.parse(path.read_text())
    at_once = {node for node in tree.body if isinstance(node, ast.Import)}
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            shared = "blender/inside" in path.as_posix() and name.startswith("farm.methods.inside.")
            later = "inside" in path.parts and node not in at_once and name in WITH_A_DENOISER
            assert shared or later or name.split(".")[0] in allowed, f"{path.name} imports {name}"


def test_python_3_10_can_read_it() -> None:
    options = ["-t=3.10-", "--no-tips", "--eval-annotations", "--violations"]
    vermin = Path(sys.executable).with_name("vermin")
    done = subprocess.run([vermin, *options, *FILES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
