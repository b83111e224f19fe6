"""Add-ons of a slave's owner, in real Blenders."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Launcher, Offered
from farm.methods.blender.addons import PROBE, names_in, with_addons
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, Offer
from tests.blenders import run_inside, two

ADDONS = {
    "broken.py": "raise ImportError('it needs studio_core')",
    "crashes.py": "import os\nbl_info = {'blender': (3, 0, 0), 'version': (1, 0)}\ndef register():\n    os.abort()",
    "studio_rig/__init__.py": "bl_info = {'name': 'Rig', 'blender': (3, 0, 0), 'version': (2, 1, 0)}\n"
    "def register():\n    pass",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return addons(tmp_path / "addons", ADDONS)


def addons(folder: Path, files: dict[str, str]) -> Path:
    """Write add-ons into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


SETTINGS = """
import bpy
bl_info = {"name": "House settings", "blender": (3, 0, 0), "version": (4, 0)}
def register():
    bpy.context.preferences.filepaths.texture_directory = "/textures-of-the-house"
"""

SHOW = """
import bpy
import sys
out, folder = sys.argv[-2:]
sys.path.append(INSIDE)
import addons
addons.enable(folder, "house_settings")
open(out, "w").write(bpy.context.preferences.filepaths.texture_directory)
"""


@pytest.mark.blender
@pytest.mark.parametrize("which", [0, 1])
def test_an_add_on_may_set_preferences_that_a_studios_files_count_on(tmp_path: Path, which: int) -> None:
    blender, folder = two()[which], addons(tmp_path / "addons", {"house_settings.py": SETTINGS})
    assert with_addons(blender, folder).offer.addons == ["house_settings=4.0"]
    script, out = tmp_path / "show.py", tmp_path / "out"
    script.write_text(SHOW.replace("INSIDE", repr(str(PROBE.parent))))
    run_inside(blender, script, tmp_path, str(out), str(folder))
    assert out.read_text() == "/textures-of-the-house"


@pytest.mark.blender
@pytest.mark.parametrize("which", [0, 1])
def test_a_blender_offers_the_add_ons_that_work_in_it_and_says_why_others_do_not(folder: Path, which: int) -> None:
    (folder / "no-name.py").touch()
    found = with_addons(two()[which], folder)
    assert (found.offer.addons, found.addons) == (["studio_rig=2.1.0"], folder)
    assert found.offer.cannot[-2:] == [
        "Add-on broken: it needs studio_core",
        "Add-on crashes: Blender crashed, or hung, when it was enabled.",
    ]


def test_only_python_packages_and_modules_are_add_ons(folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "read-me.py").touch()
    assert names_in(folder) == ["broken", "crashes", "studio_rig"]


def test_a_session_gets_just_the_add_ons_that_its_job_lists(folder: Path, tmp_path: Path) -> None:
    launcher = Launcher("program", Path("/opt/blender/blender"))
    offered = Offered(Offer(method="blender", version="4.5.2"), launcher, addons=folder)
    with_it = BlenderMethod().launch(offered, sheet("studio_rig=2.1.0"), tmp_path, tmp_path)
    assert with_it.open["addons"] == {"folder": str(folder), "names": ["studio_rig"]}
    assert folder in with_it.needs
    without = BlenderMethod().launch(offered, sheet(), tmp_path, tmp_path)
    assert "addons" not in without.open
    assert folder not in without.needs


def sheet(*addons: str) -> JobSheet:
    texts = {"address": "", "name": "x", "method": "blender", "version": "4.5", "engine": "", "source": "a.blend"}
    return JobSheet(
        **texts, job=1, revision=1, newer=False, settings={}, limits=Limits(), files=[], addons=list(addons)
    )
