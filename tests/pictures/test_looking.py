"""What the checks of pictures find, and that nothing they are given harms."""

from __future__ import annotations

import random
import struct
import warnings
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farm.pictures.compare import Likeness, compare
from farm.pictures.decode import look
from farm.pictures.exr import MAGIC
from farm.pictures.facts import Facts


def gradient(size: tuple[int, int] = (400, 200), mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


@pytest.mark.parametrize(
    ("name", "mode", "channels"),
    [
        ("a.png", "RGB", 3), ("a.png", "RGBA", 4), ("a.png", "L", 1), ("a.png", "I;16", 1), ("a.png", "P", 1),
        ("a.jpg", "RGB", 3), ("a.tiff", "CMYK", 4), ("a.tif", "F", 1), ("a.webp", "RGB", 3), ("a.bmp", "RGB", 3),
        ("a.tga", "RGBA", 4), ("a.tif", "I;16", 1),
    ],
)  # fmt: skip
def test_a_whole_picture_is_described_and_gets_a_thumbnail(tmp_path, name, mode, channels):
    image = gradient()
    image = image.convert("I").point(lambda v: v * 256).convert("I;16") if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / name)
    facts = look(tmp_path / name, tmp_path / "t.webp")
    assert facts.ok, facts.message
    assert (facts.width, facts.height, facts.channels, facts.uniform) == (400, 200, channels, False)
    with Image.open(tmp_path / "t.webp") as small:
        assert small.size == (320, 160)
        assert small.format == "WEBP"
        low, high = small.convert("L").getextrema()
        assert low < 40
        assert high > 215


def test_equal_pixels_in_different_files_have_one_hash(tmp_path):
    gradient().save(tmp_path / "a.png", compress_level=1)
    gradient().save(tmp_path / "b.png", compress_level=9)
    changed = gradient()
    changed.putpixel((0, 0), (9, 9, 9))
    changed.save(tmp_path / "c.png")
    a, b, c = (look(tmp_path / f"{n}.png") for n in "abc")
    assert a.pixels == b.pixels != c.pixels
    assert compare({"x": a}, {"x": b}) is Likeness.EQUAL
    assert compare({"x": a}, {"x": c}) is Likeness.DIFFERENT
    assert compare({"x": a}, {"y": a}) is Likeness.DIFFERENT
    assert compare({"x": Facts(True)}, {"x": Facts(True)}) is Likeness.UNKNOWN


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_picture_of_one_colour_is_flagged_but_good(tmp_path, mode):
    Image.new(mode, (50, 50)).save(tmp_path / "black.png")
    facts = look(tmp_path / "black.png")
    assert facts.ok
    assert facts.uniform


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.9])
def test_a_truncated_picture_is_refused(tmp_path, name, part):
    noise = Image.frombytes("RGB", (120, 80), random.Random(1).randbytes(120 * 80 * 3))
    noise.save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * part)])
    facts = look(tmp_path / name, tmp_path / "t.webp")
    assert not facts.ok
    assert facts.message


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    facts = look(tmp_path / "bomb.png")
    assert not facts.ok
    assert "larger than" in facts.message


def test_a_file_that_is_no_picture_is_only_asked_not_to_be_empty(tmp_path):
    (tmp_path / "cache.bphys").write_bytes(b"x")
    (tmp_path / "empty.bphys").write_bytes(b"")
    assert look(tmp_path / "cache.bphys").ok
    assert not look(tmp_path / "empty.bphys").ok


def test_text_under_a_picture_name_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("Error: out of memory")
    assert not look(tmp_path / "a.png").ok


@given(st.binary(max_size=300), st.sampled_from(["a.png", "a.jpg", "a.tif", "a.webp", "a.exr", "a.tga", "a.bin"]))
def test_no_bytes_make_the_check_fail(tmp_path_factory, data, name):
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert isinstance(look(path), Facts)


def exr(height: int = 40, rows: int = 16, block: bytes = b"p" * 100, date: bytes = b"today") -> bytes:
    """Write a scan-line EXR of our own: ZIP packing, blocks of noise."""

    def attribute(name: str, kind: str, data: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(data)) + data

    channels = b"".join(c + b"\0" + struct.pack("<iBxxxii", 1, 0, 1, 1) for c in (b"B", b"G", b"R")) + b"\0"
    window = struct.pack("<iiii", 0, 0, 63, height - 1)
    head = MAGIC + struct.pack("<I", 2) + attribute("channels", "chlist", channels)
    head += attribute("compression", "compression", b"\3") + attribute("dataWindow", "box2i", window)
    head += attribute("Date", "string", date) + b"\0"
    count = -(-height // rows)
    blocks = [struct.pack("<iI", i * rows, len(block)) + block for i in range(count)]
    start = len(head) + 8 * count
    offsets = [start + sum(map(len, blocks[:i])) for i in range(count)]
    return head + struct.pack(f"<{count}Q", *offsets) + b"".join(blocks)


def test_a_whole_exr_is_described_without_being_decoded(tmp_path):
    (tmp_path / "a.exr").write_bytes(exr())
    facts = look(tmp_path / "a.exr", tmp_path / "t.webp")
    assert facts.ok, facts.message
    assert (facts.width, facts.height, facts.channels, facts.thumbnail) == (64, 40, 3, False)
    assert "Only header" in facts.message


def test_the_hash_of_an_exr_is_of_its_pixels_not_of_its_date(tmp_path):
    for name, data in {"a": exr(), "b": exr(date=b"never"), "c": exr(block=b"q" * 100)}.items():
        (tmp_path / f"{name}.exr").write_bytes(data)
    a, b, c = (look(tmp_path / f"{n}.exr") for n in "abc")
    assert a.pixels == b.pixels != c.pixels


def test_an_exr_that_breaks_off_anywhere_is_refused(tmp_path):
    data = exr()
    for length in range(0, len(data), 7):
        (tmp_path / "a.exr").write_bytes(data[:length])
        assert not look(tmp_path / "a.exr").ok, length


def test_an_exr_with_unwritten_offsets_is_refused(tmp_path):
    data = exr()
    at = data.index(b"p" * 100) - 8 - 8
    (tmp_path / "a.exr").write_bytes(data[:at] + bytes(8) + data[at + 8 :])
    assert not look(tmp_path / "a.exr").ok


def test_a_blender_made_exr_is_read(tmp_path):
    found = sorted(Path("/usr/share").glob("**/*.exr")) if Path("/usr/share/blender").exists() else []
    for path in found[:4]:
        assert look(path).ok, (path, look(path))
