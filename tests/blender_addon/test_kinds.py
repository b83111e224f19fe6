"""All kinds of things that a .blend may depend on: sent by the add-on, rendered by a slave that has nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.methods.base import Offered
from tests.blender_addon.conftest import HERE, Play, names_sent
from tests.blenders import blenders, run_inside
from tests.farm.artist import pixels, rendered_at_home, start_slave
from tests.farm.farm import Farm

FRAMES = (2, 3)

# fmt: off
LACKING = {
    "3.4": {
        "shader_script", "alembic", "alembic_sequence", "usd", "usd_sequence", "bundled_asset",
        "bake_in_a_folder", "bake_beside_the_file", "bake_in_the_file",
    },
    "4.2": {"volume_of_a_fluid", "bake_in_the_file"},
    "4.5": {"volume_of_a_fluid"},
    "5.0": {"volume_of_a_fluid"},
    "5.2": {"volume_of_a_fluid"},
}
# fmt: on
"""What a Blender can't make here; `docs/reference/what-is-sent.md` has the reasons."""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A colour configuration of the artist's own, with a table that turns the picture around."""
    folder = tmp_path / "studio"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "turned.spi1d").write_text("Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{\n1.0\n0.1\n}\n")
    (folder / "config.ocio").write_text((HERE / "studio.ocio").read_text())
    monkeypatch.setenv("OCIO", str(folder / "config.ocio"))
    return folder


@pytest.mark.blender
@pytest.mark.timeout(900)
@pytest.mark.parametrize("paths", ["relative", pytest.param("absolute", marks=pytest.mark.soak)])
def test_every_kind_of_file_reaches_the_slave_and_the_picture_is_the_same(
    blender: Offered, paths: str, farm: Farm, invite: str, play: Play, studio: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = _made(blender, tmp_path, paths)
    assert set(made["lacking"]) == LACKING[blender.offer.version[:3]]
    job = play("make_sent.py", made["blend"], farm.url, invite, f"{FRAMES[0]}-{FRAMES[1]}")
    sent = names_sent(farm, job)
    lost = {kind: name for kind, names in made["needed"].items() for name in names if not any(name in s for s in sent)}
    assert lost == {}
    unused = [name for name in sent if name.endswith(("wave.0009.png", "skin.1009.png", "cloud_0009.vdb"))]
    told = [name for name in sent if "secret" in name or "/home/" in name]
    assert told + unused == [], "what else this artist has is nobody's business"
    rendered_at_home(blender, Path(made["blend"]), list(FRAMES), tmp_path / "at_home")
    with monkeypatch.context() as away, hidden(tmp_path / "artist", studio):
        away.delenv("OCIO")
        start_slave(farm, "ws01", blender, sandbox="required")
        view = farm.ended(job, 300)
    frames = farm.client.frames(job).frames
    assert view.state == "done", [frame.message for frame in frames]
    for file in farm.client.output(job).files:
        farm.client.fetch_file(job, file, tmp_path / Path(file.name).name)
    for name in (f"film_{frame:03}.png" for frame in FRAMES):
        assert _differing(tmp_path / name, tmp_path / "at_home" / name, made["cells"]) == []
        assert pixels(tmp_path / name) == pixels(tmp_path / "at_home" / name)


def _differing(one: Path, other: Path, cells: dict[str, list[int]]) -> list[str]:
    """Return the kinds whose cells are not the same in two pictures."""
    with Image.open(one) as here, Image.open(other) as there:
        return [
            kind
            for kind, (left, top, right, bottom) in cells.items()
            if here.crop((left, top, right, bottom)).tobytes() != there.crop((left, top, right, bottom)).tobytes()
        ]


def _made(blender: Offered, folder: Path, paths: str) -> Any:
    """Make the artist's folder; a Blender without smoke gets it from one that has it."""
    smoke = "" if blender.launcher.kind == "program" else str(folder / "smoke")
    if smoke:
        program = next((b for b in blenders() if b.launcher.kind == "program"), None)
        if program is None:
            pytest.skip("no Blender here can bake smoke")
        _make(program, folder / "smoke", paths, "")
    return _make(blender, folder / "artist", paths, smoke)


def _make(blender: Offered, folder: Path, paths: str, smoke: str) -> Any:
    answer = folder.with_suffix(".json")
    run_inside(blender, HERE / "make_kinds.py", folder.with_suffix(".made"), str(folder), str(answer), paths, smoke)
    return json.loads(answer.read_text())


@contextmanager
def hidden(*folders: Path) -> Iterator[None]:
    """Move folders away for a while: nobody can find them by their old names."""
    for folder in folders:
        folder.rename(folder.with_name(f"{folder.name}.away"))
    try:
        yield
    finally:
        for folder in folders:
            folder.with_name(f"{folder.name}.away").rename(folder)
