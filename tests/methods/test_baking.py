"""Bake what simulates, and render any frame of it alone: real Blenders."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from farm.methods.base import Offered
from farm.methods.blender.bake import bake
from farm.methods.blender.header import Header
from farm.methods.blender.inspect import inspect
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup
from tests.blenders import run_inside
from tests.farm.artist import pixels
from tests.methods.talk import Child

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.blender

MAKE = Path(__file__).parents[1] / "farm" / "make_physics.py"
PLAY = Path(__file__).parent / "make_played.py"
LAST = 12


def test_a_baked_simulation_looks_in_a_frame_alone_as_it_did_when_it_was_played(
    blender: Offered, tmp_path: Path
) -> None:
    place, told = tmp_path / "artist", []
    run_inside(blender, MAKE, tmp_path / "scratch", str(place))
    fall, played = place / "shots" / "fall.blend", tmp_path / "played.png"
    hair = ("hair dynamics of “Fur”",)
    assert bake(fall, [blender], lambda *_: None).scene.physics == hair
    run_inside(blender, PLAY, tmp_path / "scratch", f"{fall}1", str(fall), str(played), str(LAST))
    assert inspect(fall, [blender]).scene.physics
    assert bake(fall, [blender], lambda frame, last: told.append((frame, last))).scene.physics == ()
    assert (LAST, LAST) in told
    assert max(told) == (LAST, LAST), "what nobody renders is not simulated"
    assert fall.with_suffix(".blend1").is_file()
    found = inspect(fall, [blender])
    assert (found.scene.physics, found.missing) == ((), ())

    (rendered,) = session(blender, place, "shots/fall.blend", [LAST], tmp_path / "session")
    assert pixels(Path(rendered["files"][0])) == pixels(played)


def test_what_a_slave_bakes_is_a_job_in_which_any_frame_looks_as_it_was_played(
    blender: Offered, tmp_path: Path
) -> None:
    """Only the .blend and caches are its result, and in the .blend are the artist's own paths."""
    place, there = tmp_path / "artist", tmp_path / "slave"
    run_inside(blender, MAKE, tmp_path / "scratch", str(place), "bald")
    shutil.copytree(place, there)
    shutil.rmtree(place / "assets")
    relocate = {str(place): "."}
    for path in there.rglob("*"):
        path.chmod(0o444 if path.is_file() else 0o755)
    (baked,) = session(blender, there, "shots/fall.blend", [LAST], tmp_path / "bake", bake=True, relocate=relocate)
    assert baked["event"] == "done", baked
    names = take_over(tmp_path / "bake" / "out" / str(LAST), baked["files"], there)
    assert "shots/fall.blend" in names
    assert all(name.startswith("shots/") for name in names)
    assert any(name.startswith("shots/blendcache_fall/") for name in names)
    assert str(place).encode() in uncompressed(there / "shots" / "fall.blend")
    done = session(blender, there, "shots/fall.blend", [LAST, 3, 7], tmp_path / "render", relocate=relocate)
    for number, one in zip([LAST, 3, 7], done, strict=True):
        assert one["event"] == "done", one
        assert pixels(Path(one["files"][0])) == pixels(place / "home" / f"home_{number:04d}.png"), number


def test_what_can_not_be_baked_is_named(blender: Offered, tmp_path: Path) -> None:
    run_inside(blender, MAKE, tmp_path / "scratch", str(tmp_path / "artist"))
    (failed,) = session(blender, tmp_path / "artist", "shots/fall.blend", [3], tmp_path / "bake", bake=True)
    assert failed["class"] == "job"
    assert failed["message"].endswith("can't bake hair dynamics of “Fur”.")


@pytest.mark.soak
def test_fluid_looks_as_if_it_had_been_baked_at_home(blender: Offered, tmp_path: Path) -> None:
    place, there = tmp_path / "artist", tmp_path / "slave"
    run_inside(blender, MAKE, tmp_path / "scratch", str(place))
    water = place / "shots" / "water.blend"
    if not water.exists():
        pytest.skip("The simulator of fluids is broken in the bpy package.")
    shutil.copytree(place, there)
    (baked,) = session(blender, there, "shots/water.blend", [7], tmp_path / "bake", bake=True)
    take_over(tmp_path / "bake" / "out" / "7", baked["files"], there)
    assert bake(water, [blender], lambda *_: None).scene.physics == ()
    ours, home = (
        session(blender, root, "shots/water.blend", [7, 3], tmp_path / f"render-{root.name}") for root in (there, place)
    )
    looks = [[pixels(Path(one["files"][0])) for one in done] for done in (ours, home)]
    assert looks[0] == looks[1]
    assert looks[0][0] != looks[0][1]


def take_over(result: Path, files: list[str], root: Path) -> set[str]:
    """Lay a result over a job's files, and remove the rest of it; return the files' names."""
    names = {Path(file).relative_to(result).as_posix() for file in files}
    for name in names:
        (root / name).unlink(missing_ok=True)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (result / name).rename(root / name)
    shutil.rmtree(result)
    return names


def session(
    blender: Offered, root: Path, source: str, numbers: list[int], folder: Path, **settings: Any
) -> list[dict[str, Any]]:
    """Have a session open a file and do some frames; return how each ended."""
    texts = {"address": "", "name": "x", "method": "blender", "version": "", "engine": "", "source": source}
    sheet = JobSheet(**texts, job=1, revision=1, newer=True, settings=settings, limits=Limits(), files=[])
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    with Child(BlenderMethod().launch(blender, sheet, root, scratch), folder / "log") as child:
        assert child.ask(child.opening)["event"] == "opened"
        order = {"do": "render", "attempt": 1}
        outputs = ((number, str(folder / "out" / str(number))) for number in numbers)
        return [child.ask({**order, "picture": n, "number": n, "output": output}) for n, output in outputs]


def uncompressed(blend: Path) -> bytes:
    """Return what is in a .blend, of either of Blender's ways to compress it."""
    data = blend.read_bytes()
    return zstd.decompress(data) if data[:4] == b"\x28\xb5\x2f\xfd" else data


def test_a_file_of_another_version_is_not_baked_for_it_would_be_changed(
    blender: Offered, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.methods.blender.bake.read_header", lambda _: Header("3.3", ()))
    with pytest.raises(NotASetup, match=r"of Blender 3\.3"):
        bake(shots / "shots" / "plain.blend", [blender], lambda *_: None)
