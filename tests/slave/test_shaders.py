"""Compiled shaders on a disk that fills up: real Blenders, drawing by Mesa."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from farm.methods.base import Offered
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.slave.shaders import SHADERS, kept
from tests.blenders import run_inside, two
from tests.disks import fill, small_disk
from tests.methods.talk import Child

MB = 1024 * 1024
INDEX = Path("mesa_shader_cache") / "index"


def drawn(blender: Offered, folder: Path, shaders: dict[str, str]) -> bytes:
    """Have Workbench draw a frame in a session; return its pixels."""
    folder.mkdir()
    sheet = JobSheet(
        job=1, revision=1, address="", name="", method="blender", version="", newer=True, engine="", files=[],
        settings={"engine": "BLENDER_WORKBENCH", "resolution_x": 64, "resolution_y": 36}, source="scene.blend",
        limits=Limits(),
    )  # fmt: skip
    launch = BlenderMethod().launch(blender, sheet, folder.parent, folder)
    with Child(replace(launch, env={**launch.env, **shaders}), folder / "log") as child:
        assert child.ask(child.opening)["event"] == "opened"
        order = {"do": "render", "attempt": 1, "picture": 1, "number": 1, "output": str(folder / "out")}
        done = child.ask(order)
    assert done["event"] == "done", done
    with Image.open(done["files"][0]) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.blender
def test_a_disk_that_is_full_of_shaders_or_gets_so_costs_no_picture(tmp_path: Path) -> None:
    blender = two()[0]
    run_inside(blender, Path(__file__).parent / "make_large.py", tmp_path / "making", str(tmp_path / "scene.blend"))
    with small_disk(tmp_path / "disk", 20 * MB) as disk:
        variables = kept(disk / "shaders")
        fill(disk / "ballast")
        late = drawn(blender, tmp_path / "late", variables)
        assert (disk / "shaders" / INDEX).stat().st_blocks * 512 >= (disk / "shaders" / INDEX).stat().st_size
        (disk / "ballast").unlink()
        assert drawn(blender, tmp_path / "roomy", variables) == late
        assert [p for p in (disk / "shaders").rglob("*") if p.is_file() and p.name != "index"], "they are kept"
        fill(disk / "ballast")
        none = kept(disk / "others")
        assert SHADERS not in none
        assert drawn(blender, tmp_path / "none", none) == late


def test_no_link_that_a_renderer_left_is_followed(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("mine")
    for n, name in enumerate((INDEX, INDEX.parent)):
        shaders = tmp_path / f"shaders{n}"
        link = shaders / name
        link.parent.mkdir(parents=True)
        link.symlink_to(own if n == 0 else tmp_path)
        assert SHADERS not in kept(shaders)
    assert own.read_text() == "mine"
    assert not (tmp_path / "index").exists()


def test_an_index_that_is_there_keeps_its_bytes(tmp_path: Path) -> None:
    index = tmp_path / INDEX
    index.parent.mkdir()
    with index.open("wb") as file:
        file.write(b"some keys")
        os.truncate(file.fileno(), 1_310_728)
    assert kept(tmp_path) == {SHADERS: str(tmp_path)}
    assert index.read_bytes().startswith(b"some keys")
    assert index.stat().st_blocks * 512 >= index.stat().st_size == 1_310_728
