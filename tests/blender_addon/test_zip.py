"""The zip that artists install, and the listing by which Blender keeps it current."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

import blender_addon
from blender_addon.version import VERSION
from farm import __version__
from farm.package.addon import MANIFEST, NAME, addon, main, sources
from tests.blenders import blenders


def test_manifest_bl_info_and_project_have_one_version() -> None:
    manifest = tomllib.loads((sources() / MANIFEST).read_text())
    assert manifest["version"] == VERSION == __version__
    assert ".".join(map(str, blender_addon.bl_info["version"])) == __version__
    assert blender_addon.bl_info["name"] == manifest["name"]


def test_old_blenders_can_read_its_bl_info_without_running_it() -> None:
    tree = ast.parse((sources() / "__init__.py").read_text())
    values = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "bl_info"]
    assert ast.literal_eval(values[0]) == blender_addon.bl_info


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    main(str(tmp_path / "one"))
    addon.cache_clear()
    main(str(tmp_path / "two"))
    assert (tmp_path / "one" / NAME).read_bytes() == (tmp_path / "two" / NAME).read_bytes()


def test_it_holds_one_folder_with_nothing_but_sources() -> None:
    with zipfile.ZipFile(io.BytesIO(addon().zip)) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"distren"}
    assert all(name.endswith((".py", ".toml")) for name in names)
    assert len(addon().zip) < 200_000


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    main(str(tmp_path))
    return tmp_path


@pytest.mark.blender
def test_blender_itself_finds_zip_and_listing_valid(packaged: Path, tmp_path: Path) -> None:
    python = next(b for b in blenders() if b.launcher.kind == "bpy").launcher.program
    tool = next(
        python.parents[1].glob("lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    )
    done = subprocess.run([python, tool, "validate", str(packaged / NAME)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    ours = json.loads((packaged / "index.json").read_text())
    (packaged / "index.json").unlink()
    subprocess.run([python, tool, "server-generate", "--repo-dir", str(packaged)], check=True, timeout=60)
    assert json.loads((packaged / "index.json").read_text()) == ours
