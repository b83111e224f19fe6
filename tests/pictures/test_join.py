"""Pictures that were cut up are put together to the bit; what reads them is another program, or written anew here."""

from __future__ import annotations

import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from PIL import Image

from farm.pictures.boxes import Box, CannotJoinError
from farm.pictures.exr import check_exr
from farm.pictures.join import join

WIDTH, HEIGHT = 37, 41
BOXES = [Box(0, 0, 20, 17), Box(20, 0, 37, 17), Box(0, 17, 20, 41), Box(20, 17, 37, 41)]


def cut(width: int, height: int) -> list[Box]:
    assert (width, height) == (WIDTH, HEIGHT)
    return BOXES


def noise(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def only(data: bytes, box: Box, size: int) -> bytes:
    """Return rows of pixels of some bytes, of which all but those in a box are zero."""
    out = bytearray(len(data))
    for y in range(box.top, box.bottom):
        start, end = (y * WIDTH + box.left) * size, (y * WIDTH + box.right) * size
        out[start:end] = data[start:end]
    return bytes(out)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, data: bytes, size: int, depth: int, colour: int) -> Path:
    rows = b"".join(b"\0" + data[y * WIDTH * size : (y + 1) * WIDTH * size] for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    more = chunk(b"sRGB", b"\0") + chunk(b"tEXt", b"Camera\0Left")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def decoded(path: Path, pixels: str) -> bytes:
    """Return what ffmpeg reads."""
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", pixels, "-"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("pixels", "size", "depth", "colour"),
    [
        ("gray", 1, 8, 0),
        ("rgb24", 3, 8, 2),
        ("ya8", 2, 8, 4),
        ("rgba", 4, 8, 6),
        ("rgb48be", 6, 16, 2),
        ("rgba64be", 8, 16, 6),
    ],
)
def test_a_png_is_what_it_was_before_it_was_cut(
    tmp_path: Path, pixels: str, size: int, depth: int, colour: int
) -> None:
    data = noise(WIDTH * HEIGHT * size)
    tiles = [png(tmp_path / f"{n}.png", only(data, box, size), size, depth, colour) for n, box in enumerate(BOXES)]
    join(tiles, cut, tmp_path / "whole.png")
    assert decoded(tmp_path / "whole.png", pixels) == data
    with Image.open(tmp_path / "whole.png") as image:
        image.load()
        assert image.info["Camera"] == "Left"
        assert image.info["srgb"] == 0


@pytest.mark.parametrize("packed", ["none", "zip1", "zip16"])
@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("form", ["gbrpf32le", "gbrapf32le"])
def test_an_exr_is_what_it_was_before_it_was_cut(tmp_path: Path, packed: str, kind: str, form: str) -> None:
    planes = 4 if "a" in form else 3
    # Values that half floats hold exactly.
    values = [struct.pack(f"<{WIDTH * HEIGHT}f", *(n / 8 for n in noise(WIDTH * HEIGHT, p))) for p in range(planes)]

    def made(name: str, box: Box | None) -> Path:
        data = b"".join(only(plane, box, 4) if box else plane for plane in values)
        argv = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", form, "-s", f"{WIDTH}x{HEIGHT}", "-i", "-"]
        argv += ["-c:v", "exr", "-compression", packed, "-format", kind, str(tmp_path / name)]
        subprocess.run(argv, input=data, check=True)
        return tmp_path / name

    whole = made("whole.exr", None)
    join([made(f"{n}.exr", box) for n, box in enumerate(BOXES)], cut, tmp_path / "joined.exr")
    assert decoded(tmp_path / "joined.exr", form) == decoded(whole, form)
    assert check_exr(tmp_path / "joined.exr").ok
    assert check_exr(tmp_path / "joined.exr").channels == planes


@pytest.mark.parametrize("name", ["a.tif", "a.bmp", "a.tga"])
def test_plain_pictures_are_put_together(tmp_path: Path, name: str) -> None:
    whole = Image.frombytes("RGB", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 3))
    tiles = []
    for number, box in enumerate(BOXES):
        place = (box.left, box.top, box.right, box.bottom)
        tile = Image.new("RGB", whole.size)
        tile.paste(whole.crop(place), place)
        tiles.append(tmp_path / f"{number}{name}")
        tile.save(tiles[-1])
    join(tiles, cut, tmp_path / name)
    with Image.open(tmp_path / name) as joined:
        assert joined.tobytes() == whole.tobytes()


@pytest.mark.parametrize("end", [0, 7, 8, 30, 60, 90])
def test_damaged_tiles_are_refused_by_name(tmp_path: Path, end: int) -> None:
    whole = png(tmp_path / "0.png", bytes(WIDTH * HEIGHT), 1, 8, 0)
    (tmp_path / "1.png").write_bytes(whole.read_bytes()[:end])
    exr = tmp_path / "0.exr"
    argv = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", f"{WIDTH}x{HEIGHT}", "-i", "-"]
    subprocess.run([*argv, str(exr)], input=bytes(WIDTH * HEIGHT * 12), check=True)
    (tmp_path / "1.exr").write_bytes(exr.read_bytes()[: end * 4])
    for suffix in ("png", "exr"):
        with pytest.raises(CannotJoinError, match=f"1.{suffix}"):
            join(
                [tmp_path / f"0.{suffix}", tmp_path / f"1.{suffix}"],
                lambda _w, _h: BOXES[:2],
                tmp_path / f"whole.{suffix}",
            )


def test_what_can_not_be_put_together_without_loss_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    with pytest.raises(CannotJoinError, match="without loss"):
        join([tmp_path / "a.jpg"], cut, tmp_path / "whole.jpg")
    png(tmp_path / "a.png", bytes(WIDTH * HEIGHT), 1, 8, 0)
    png(tmp_path / "b.png", bytes(WIDTH * HEIGHT * 3), 3, 8, 2)
    with pytest.raises(CannotJoinError, match="differ"):
        join([tmp_path / "a.png", tmp_path / "b.png"], lambda _w, _h: BOXES[:2], tmp_path / "whole.png")
