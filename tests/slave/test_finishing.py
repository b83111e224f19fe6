"""What a slave sees when it looks at a frame's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from farm.pictures.checker import Checker
from farm.slave.finishing import Looked, look
from farm.slave.opened import Done, Shape

pytestmark = pytest.mark.anyio


def picture(path: Path, size: tuple[int, int] = (64, 36), colour: str = "red", dot: bool = True) -> Path:
    image = Image.new("RGB", size, colour)
    if dot:
        image.paste("white", (0, 0, size[0] // 2, size[1] // 2))
    image.save(path)
    return path


async def looked_at(done: Done, folder: Path) -> Looked:
    async with Checker() as checker:
        return await look(checker, done, folder)


def frame(files: dict[str, Path], **more: object) -> Done:
    return Done(files, 1.0, 1.0, 0.0, 1, **more)  # type: ignore[arg-type]


async def test_a_picture_of_another_size_is_a_bad_file_and_one_beside_it_may_have_any(tmp_path: Path) -> None:
    files = {"a.png": picture(tmp_path / "a.png"), "mask.png": picture(tmp_path / "mask.png", (8, 8))}
    good = await looked_at(frame(files, pictures={"a.png": Shape(64, 36, 3)}), tmp_path)
    assert all(facts.ok for facts in good.values())
    bad = await looked_at(frame(files, pictures={"a.png": Shape(128, 72, 3)}), tmp_path)
    assert (bad["a.png"].ok, bad["mask.png"].ok) == (False, True)
    assert "64x36 pixels large, not 128x72" in bad["a.png"].message


async def test_the_thumbnail_is_the_pictures_not_that_of_a_file_beside_it(tmp_path: Path) -> None:
    files = {
        "a/aa.png": picture(tmp_path / "aa.png", colour="blue"),
        "a.png": picture(tmp_path / "a.png", colour="blue"),
        "z/shot.png": picture(tmp_path / "z.png", colour="lime"),
    }
    looked = await looked_at(frame(files, pictures={"z/shot.png": Shape()}), tmp_path)
    assert next(iter(looked)) == "z/shot.png"
    with Image.open(tmp_path / "thumbnail.webp") as thumbnail:
        red, green, blue = thumbnail.convert("RGB").getpixel((60, 30))  # type: ignore[misc]
    assert green > red + blue


async def test_a_preview_shows_a_picture_that_can_not_be_decoded_and_whether_it_has_one_colour(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.hdr").write_bytes(b"#?RADIANCE of some kind")
    files = {"a.hdr": tmp_path / "a.hdr", "pass.png": picture(tmp_path / "pass.png")}
    for dot in (True, False):
        shown = picture(tmp_path / "preview.jpg", colour="blue", dot=dot)
        looked = await looked_at(frame(files, pictures={"a.hdr": Shape(64, 36)}, preview=shown), tmp_path)
        assert looked.keys() == files.keys(), "a preview is no file of the frame"
        assert (looked["a.hdr"].thumbnail, looked["a.hdr"].uniform) == (True, not dot)
        assert not looked["pass.png"].thumbnail


async def test_a_broken_preview_costs_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "preview.jpg").write_bytes(b"no picture")
    files = {"a.png": picture(tmp_path / "a.png")}
    looked = await looked_at(frame(files, preview=tmp_path / "preview.jpg"), tmp_path)
    assert (looked["a.png"].ok, looked["a.png"].thumbnail) == (True, True)
