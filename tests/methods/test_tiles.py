"""Tiles of real renderers, put together by a real `image` session, are the whole picture to the bit."""

from __future__ import annotations

import struct
import subprocess
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from operator import sub
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from blender_addon import tiling
from farm.methods.base import Method, MethodConfig, Offered
from farm.methods.blender.method import BlenderMethod
from farm.methods.image.method import ImageMethod
from farm.methods.povray.method import PovrayMethod
from farm.methods.tiles import tile_frames
from farm.pictures.boxes import Box
from farm.pictures.exr import MULTIPART, check_exr, read_flags, read_headers
from farm.pictures.join import join
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.words.errors import BadFrameRange, BadSetting
from farm.words.ranges import FrameRange
from tests.blenders import run_inside
from tests.methods.talk import Child

SCENE = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 }
background { rgb <0.2, 0.3, 0.5> }
#include "ball.inc"
plane { y, -1 pigment { checker rgb 0.2 rgb 0.9 } finish { reflection 0.2 } }
"""
BALL = "sphere { <clock, 0, 0>, 1 pigment { rgb <1, 0.3, 0.1> } finish { phong 0.8 reflection 0.2 } }\n"


PLAIN = "scene.render.use_compositing"
NAME = "finished_0001.exr"
LAST_BITS = 1e-5
"""Cycles denoises sums of samples, and divides them later: measured up to 3.2e-6 beside the denoiser of pictures."""


class Sessions:
    """Start sessions on a job's tree."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root = root
        self._scratch = scratch
        self._count = 0

    @contextmanager
    def opened(self, method: Method, offered: Offered, source: str = "", **settings: Any) -> Iterator[Child]:
        self._count += 1
        scratch = self._scratch / str(self._count)
        scratch.mkdir(parents=True)
        sheet = JobSheet(
            job=1, revision=1, address="", name="", method=method.name, version="", newer=True, engine="",
            settings=settings, source=source, limits=Limits(), files=[],
        )  # fmt: skip
        with Child(method.launch(offered, sheet, self.root, scratch), scratch / "log") as child:
            opened = child.ask(child.opening)
            assert opened["event"] == "opened", opened
            yield child

    def render(self, child: Child, number: int, place: str, depends: tuple[str, ...] = ()) -> dict[str, Any]:
        output = self.root / place
        output.mkdir(parents=True, exist_ok=True)
        facts = {"picture": number, "number": number, "attempt": 1, "depends": list(depends)}
        done = child.ask({"do": "render", "output": str(output), **facts})
        assert done["event"] == "done", f"{done} {child.log.read_text()[-2000:]}"
        if done.get("preview"):
            Path(done["preview"]).unlink()  # the slave makes the thumbnail of it
        return done

    def joined(self, grid: str, tiles: list[int], place: str) -> list[Path]:
        """Put the tiles together that lie under `depends`; return the picture's files."""
        folders = tuple(f"depends/home/1/{tile}" for tile in tiles)
        with self.opened(ImageMethod(), ImageMethod().offers(MethodConfig())[0], tiles=grid) as child:
            return [Path(file) for file in self.render(child, 1, place, folders)["files"]]


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    (tmp_path / "root").mkdir()
    return Sessions(tmp_path / "root", tmp_path / "scratch")


def pixels(path: Path) -> object:
    """Return what two files share exactly if they hold the same."""
    if path.suffix != ".exr":
        with Image.open(path) as image:
            return image.mode, image.size, image.tobytes()
    plain = path.with_name(f"plain-{path.name}")
    join([path], lambda width, height: [Box(0, 0, width, height)], plain)  # packed by the same hand
    return check_exr(plain).pixels


def floats(path: Path) -> array[float]:
    """Return all values of an OpenEXR of 32 bits that is not packed."""
    with path.open("rb") as stream:
        flags = read_flags(stream)
        (part,) = read_headers(stream, flags)
        offsets = struct.unpack(f"<{part.blocks()}Q", stream.read(8 * part.blocks()))
    data, before = path.read_bytes(), 8 + 4 * bool(flags & MULTIPART)
    row = 4 * part.size()[0] * len(part.channels())
    return array("f", b"".join(data[at + before : at + before + row] for at in offsets))


def denoises(blender: Offered) -> bool:
    return any("OIDN" in engine for engine in blender.offer.engines)


@pytest.mark.blender
@pytest.mark.parametrize("form", ["PNG", "OPEN_EXR_MULTILAYER"])
def test_tiles_of_blender_are_the_whole_picture(
    sessions: Sessions, blender: Offered, form: str, tmp_path: Path
) -> None:
    run_inside(
        blender, Path(__file__).parent / "make_tiled.py", tmp_path / "making", str(sessions.root / "tiled.blend")
    )
    method, settings = BlenderMethod(), {"format": form, "viewed": True}
    with sessions.opened(method, blender, "tiled.blend", **settings) as child:
        for picture in (1, 2):
            sessions.render(child, picture, f"whole/{picture}")
    grid = "3x2"
    tiles = tile_frames(FrameRange.parse("1-2"), grid)
    with sessions.opened(method, blender, "tiled.blend", tiles=grid, **settings) as child:
        for number in [n for numbers in tiles for n in numbers][::-1]:
            done = sessions.render(child, number, f"depends/home/1/{number}")
    assert set(map(tuple, done["pictures"].values())) <= {(97, 66, 3), (97, 66, 4), (97, 66, 0)}
    for picture, numbers in zip((1, 2), tiles, strict=True):
        files = sessions.joined(grid, list(numbers), f"joined/{picture}")
        names = sorted(file.relative_to(sessions.root / f"joined/{picture}").as_posix() for file in files)
        wholes = sessions.root / f"whole/{picture}"
        assert names == sorted(p.relative_to(wholes).as_posix() for p in wholes.rglob("*.[ep][xn][rg]"))
        assert len(names) == (1 if form == "PNG" else 2)
        for name in names:
            assert pixels(sessions.root / f"joined/{picture}" / name) == pixels(wholes / name)
    first, second = (
        pixels(sessions.root / f"whole/{picture}" / names[0].replace("2", str(picture))) for picture in (1, 2)
    )
    assert first != second


@pytest.mark.blender
def test_what_must_see_the_whole_picture_sees_it_once_its_tiles_are_together(
    sessions: Sessions, blender: Offered, tmp_path: Path
) -> None:
    run_inside(
        blender, Path(__file__).parent / "make_finished.py", tmp_path / "making", str(sessions.root / "shot.blend")
    )
    method, grid = BlenderMethod(), "3x2"
    with sessions.opened(method, blender, "shot.blend") as child:
        sessions.render(child, 1, "whole")
    with sessions.opened(method, blender, "shot.blend", denoising=False, **{PLAIN: False}) as child:
        sessions.render(child, 1, "plain")
    (tiles,) = tile_frames(FrameRange.parse("1"), grid)
    with sessions.opened(method, blender, "shot.blend", stage="render", tiles=grid) as child:
        for number in tiles:
            sessions.render(child, number, f"depends/home/1/{number}")
    sessions.joined(grid, list(tiles), "depends/home/2/1")
    with sessions.opened(method, blender, "shot.blend", stage="finish") as child:
        sessions.render(child, 1, "finished", ("depends/home/2/1",))
    with sessions.opened(method, blender, "shot.blend", stage="finish", format="JPEG") as child:
        sessions.render(child, 1, "small", ("depends/home/2/1",))
        with pytest.raises(AssertionError, match="waits for 0"):
            sessions.render(child, 2, "nothing")
    whole, plain, finished = (floats(sessions.root / place / NAME) for place in ("whole", "plain", "finished"))
    assert max(map(abs, map(sub, whole, plain))) > 0.1
    assert max(map(abs, map(sub, whole, finished))) < (LAST_BITS if denoises(blender) else 1e-30)
    with Image.open(sessions.root / "small" / NAME.replace(".exr", ".jpg")) as small:
        assert small.size == (97, 66)


@pytest.mark.blender
def test_without_a_second_stage_such_tiles_are_refused(sessions: Sessions, blender: Offered, tmp_path: Path) -> None:
    run_inside(
        blender, Path(__file__).parent / "make_finished.py", tmp_path / "making", str(sessions.root / "shot.blend")
    )
    with (
        pytest.raises(AssertionError, match="compositor looks over a tile's edge"),
        sessions.opened(BlenderMethod(), blender, "shot.blend", tiles="2x2"),
    ):
        pass


@pytest.mark.parametrize("settings", [{"bits": 16, "antialiasing": True}, {"format": "OPEN_EXR"}])
def test_tiles_of_povray_are_the_whole_picture(sessions: Sessions, settings: dict[str, Any]) -> None:
    (sessions.root / "main.pov").write_text(SCENE)
    (sessions.root / "ball.inc").write_text(BALL)
    method, size = PovrayMethod(), {"width": 100, "height": 70}
    offered = method.offers(MethodConfig())[0]
    with sessions.opened(method, offered, "main.pov", job_first=1, job_last=3, **size, **settings) as child:
        sessions.render(child, 2, "whole")
    grid, tiles = "3x2", [2 + 10_000 * tile for tile in range(6)]
    facts = {"tiles": grid, "job_first": 1, "job_last": 50_003}
    with sessions.opened(method, offered, "main.pov", **facts, **size, **settings) as child:
        for number in tiles:
            sessions.render(child, number, f"depends/home/1/{number}")
    (joined,) = sessions.joined(grid, tiles, "joined")
    (whole,) = (sessions.root / "whole").iterdir()
    assert joined.name == whole.name
    assert pixels(joined) == pixels(whole)
    if joined.suffix == ".png":
        raw = [subprocess.run(["ffmpeg", "-v", "error", "-i", p, "-f", "rawvideo", "-"], capture_output=True).stdout
               for p in (joined, whole)]  # fmt: skip
        assert raw[0] == raw[1]
        assert len(raw[0]) == 100 * 70 * 6


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("global_settings { radiosity { count 50 } }", "radiosity"),
        ("global_settings { photons { count 1000 } }", "photons"),
        ("light_source { 0, 1 area_light x, y, 3, 3 jitter }", "jitter"),
    ],
)
def test_a_scene_of_which_tiles_differ_is_refused_with_the_reason(sessions: Sessions, text: str, word: str) -> None:
    (sessions.root / "main.pov").write_text(f'{SCENE}\n// radiosity {{ }}\n#declare T = "photons {{";\n')
    (sessions.root / "ball.inc").write_text(f"{BALL}{text}\n")
    method = PovrayMethod()
    with (
        pytest.raises(AssertionError, match=word),
        sessions.opened(method, method.offers(MethodConfig())[0], "main.pov", tiles="2x2", width=64, height=64),
    ):
        pass


@pytest.mark.parametrize(("grid", "words"), [("70x1", "finer"), ("4x4", "smaller than 32x32"), ("2by2", "no tiles")])
def test_tiles_that_are_too_small_or_none_are_refused(sessions: Sessions, grid: str, words: str) -> None:
    (sessions.root / "main.pov").write_text(SCENE)
    method = PovrayMethod()
    with (
        pytest.raises(AssertionError, match=words),
        sessions.opened(method, method.offers(MethodConfig())[0], "main.pov", tiles=grid, width=64, height=64),
    ):
        pass


def test_an_image_frame_says_what_is_wrong_with_its_tiles(sessions: Sessions) -> None:
    for number, name in ((1, "a.png"), (10_001, "b.png")):
        folder = sessions.root / f"depends/home/1/{number}"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    with pytest.raises(AssertionError, match="different files"):
        sessions.joined("2x1", [1, 10_001], "out")
    with pytest.raises(AssertionError, match="has 4, but the frame waits for 2"):
        sessions.joined("2x2", [1, 10_001], "out")
    with pytest.raises(AssertionError, match="nothing to combine"):
        sessions.joined("2x2", [], "out")


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 12), st.integers(1, 12))
def test_tiles_cover_each_pixel_once(width: int, height: int, columns: int, rows: int) -> None:
    if columns > width or rows > height:
        with pytest.raises(ValueError, match="finer"):
            tiling.boxes(f"{columns}x{rows}", width, height)
        return
    boxes = tiling.boxes(f"{columns}x{rows}", width, height)
    assert len(boxes) == columns * rows
    assert all(left < right and top < bottom for left, top, right, bottom in boxes)
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == width * height
    assert len({(x, y) for left, top, right, bottom in boxes for x, y in ((left, top),)}) == len(boxes)


def test_frames_of_tiles_are_numbered_like_those_of_sets() -> None:
    assert [list(n) for n in tile_frames(FrameRange.parse("3,9"), "2x1")] == [[3, 10_003], [9, 10_009]]
    assert [list(n) for n in tile_frames(FrameRange.parse("10000"), "2x1")] == [[10_000, 110_000]]
    assert tiling.place({"tiles": "2x1"}, 10_009) == (9, 1)
    with pytest.raises(BadFrameRange, match="above"):
        tile_frames(FrameRange.parse("1"), "20x20")
    with pytest.raises(BadSetting, match="no tiles"):
        tile_frames(FrameRange.parse("1"), "0x3")
