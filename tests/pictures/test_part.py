"""A tile of a picture, as spot checks compare it: whatever the file is like around it."""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from blender_addon.tiling import boxes
from farm.pictures.checker import Checker, Limits
from farm.pictures.part import part
from tests.pictures.exrs import Layer, exr

SIZE = WIDTH, HEIGHT = 37, 41
TILE = "4x4/6"


def noise(seed: int) -> list[float]:
    return [n / 64 for n in random.Random(seed).randbytes(WIDTH * HEIGHT)]


LAYERS = Layer(
    SIZE,
    {
        "View.Combined.B": ("half", noise(1)),
        "View.Combined.G": ("half", noise(2)),
        "View.Combined.R": ("half", noise(3)),
        "View.Depth.Z": ("float", noise(4)),
        "View.IndexOB.X": ("uint", noise(5)),
    },
)


def written(folder: Path, name: str, *layers: Layer) -> Path:
    path = folder / f"{name}.exr"
    path.write_bytes(exr(*layers))
    return path


def only(layer: Layer, tile: str) -> Layer:
    """Return a layer as a slave renders one tile of it: all else is empty."""
    left, top, right, bottom = boxes(tile.partition("/")[0], *SIZE)[int(tile.partition("/")[2])]

    def cut(values: Sequence[float]) -> list[float]:
        inside = (left <= at % WIDTH < right and top <= at // WIDTH < bottom for at in range(WIDTH * HEIGHT))
        return [value if there else 0 for value, there in zip(values, inside, strict=True)]

    return replace(layer, channels={name: (kind, cut(values)) for name, (kind, values) in layer.channels.items()})


@pytest.mark.parametrize(
    "how",
    [
        {"compression": 2},
        {"compression": 3},
        {"tile": (16, 8)},
        {"tile": (64, 64), "compression": 3},
        {"more": {"Date": b"today"}},
    ],
)
def test_the_same_pixels_are_the_same_however_a_file_lays_them_out(tmp_path: Path, how: dict[str, object]) -> None:
    plain, other = written(tmp_path, "a", LAYERS), written(tmp_path, "b", replace(LAYERS, **how))
    for tile in ("", TILE, "4x4/0", "4x4/15"):
        one, two = part(plain, tile), part(other, tile)
        assert one.ok, one.message
        assert one.pixels == two.pixels
        assert (one.sketch, one.grain) == (two.sketch, two.grain)
        assert all((one.sketch, one.grain))
        assert one.channels == 5
    assert len({part(plain, f"4x4/{n}").pixels for n in range(16)}) == 16


def test_tiles_are_read_as_another_program_reads_them(tmp_path: Path) -> None:
    shown = Layer(SIZE, {"R": ("float", noise(1)), "G": ("float", noise(2)), "B": ("float", noise(3))}, tile=(16, 8))
    argv = ["ffmpeg", "-v", "error", "-i", str(written(tmp_path, "t", shown)), "-f", "rawvideo"]
    found = subprocess.run([*argv, "-pix_fmt", "gbrpf32le", "-"], capture_output=True, check=True).stdout
    planes = b"".join(struct.pack(f"<{WIDTH * HEIGHT}f", *shown.channels[name][1]) for name in "GBR")
    assert found == planes


@pytest.mark.parametrize("packing", ["none", "rle", "zip1", "zip16"])
@pytest.mark.parametrize("kind", ["half", "float"])
def test_files_of_another_program_are_unpacked_whatever_way_they_are_packed(
    tmp_path: Path, packing: str, kind: str
) -> None:
    # Runs of equal values and noise by turns.
    values = [value if at // 7 % 2 else 0.5 for at, value in enumerate(noise(1) + noise(2) + noise(3))]
    argv = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", f"{WIDTH}x{HEIGHT}", "-i", "-"]
    path = tmp_path / "a.exr"
    argv += ["-c:v", "exr", "-compression", packing, "-format", kind, str(path)]
    subprocess.run(argv, input=struct.pack(f"<{len(values)}f", *values), check=True)
    count = WIDTH * HEIGHT
    ours = {name: (kind, values[n * count : (n + 1) * count]) for n, name in enumerate("GBR")}
    assert part(path, TILE).pixels == part(written(tmp_path, "b", Layer(SIZE, ours)), TILE).pixels  # type: ignore[arg-type]


def test_a_tile_that_was_rendered_alone_is_that_of_the_whole_picture_and_no_other(tmp_path: Path) -> None:
    whole, alone = written(tmp_path, "whole", LAYERS), written(tmp_path, "alone", only(LAYERS, TILE))
    assert part(whole, TILE).pixels == part(alone, TILE).pixels
    assert part(whole, "4x4/7").pixels != part(alone, "4x4/7").pixels
    assert part(whole, "").pixels != part(alone, "").pixels


@pytest.mark.parametrize("channel", LAYERS.channels)
def test_a_single_pixel_of_any_channel_counts_within_the_tile_and_none_outside_of_it(
    tmp_path: Path, channel: str
) -> None:
    left, top, right, bottom = boxes("4x4", *SIZE)[6]
    whole = part(written(tmp_path, "whole", LAYERS), TILE).pixels
    for x, y, counts in ((left, top, True), (right - 1, bottom - 1, True), (right, top, False), (left, bottom, False)):
        kind, values = LAYERS.channels[channel]
        changed = [*values]
        changed[y * WIDTH + x] += 1
        other = replace(LAYERS, channels={**LAYERS.channels, channel: (kind, changed)})
        assert (part(written(tmp_path, "other", other), TILE).pixels != whole) == counts


def test_all_parts_count_with_their_names_and_channels(tmp_path: Path) -> None:
    left, right = replace(LAYERS, name="left"), replace(LAYERS, name="right", tile=(16, 16), compression=3)
    both = part(written(tmp_path, "both", left, right), TILE)
    assert (both.ok, both.channels) == (True, 10)
    hashes = {both.pixels}
    for wrong in (
        [right, left],
        [left, only(right, "4x4/0")],
        [left, replace(right, channels={f"x{name}": it for name, it in right.channels.items()})],
    ):
        hashes.add(part(written(tmp_path, "wrong", *wrong), TILE).pixels)
    assert len(hashes) == 4


def test_what_is_packed_with_losses_has_no_tiles_but_is_known_as_a_whole(tmp_path: Path) -> None:
    lossy = written(tmp_path, "dwaa", replace(LAYERS, compression=8))
    cut, whole = part(lossy, TILE), part(lossy, "")
    assert (cut.ok, cut.pixels, cut.grain) == (True, None, "")
    assert "packed" in cut.message
    assert whole.ok
    assert whole.pixels


def test_damaged_files_and_bombs_are_refused_and_harm_nothing(tmp_path: Path) -> None:
    good = exr(replace(LAYERS, compression=3))
    bad = tmp_path / "bad.exr"
    for cut in range(0, len(good), 97):
        bad.write_bytes(good[:cut])
        assert not part(bad, "").ok
    large = Layer((20_000, 20_000), {"Y": ("half", [])})
    bad.write_bytes(b"\x76\x2f\x31\x01\2\0\0\0" + large.header(several=False) + bytes(8 * 20_000))
    assert "larger than" in part(bad, TILE).message
    spoilt = bytearray(good)
    spoilt[-40:] = bytes(40)
    bad.write_bytes(spoilt)
    assert not part(bad, "").ok
    assert part(bad, "4x4/0").ok, "what lies elsewhere is not looked at"


@pytest.mark.anyio
async def test_a_block_that_unpacks_to_more_than_the_child_may_have_ends_there(tmp_path: Path) -> None:
    names = {f"c{n:03}": ("float", [0.0]) for n in range(200)}
    wide = Layer((250_000, 1), names, compression=3)  # type: ignore[arg-type]
    path = tmp_path / "bomb.exr"
    head = b"\x76\x2f\x31\x01\2\0\0\0" + wide.header(several=False)
    block = bytes(4) + struct.pack("<I", 9) + b"no zlib!!"
    path.write_bytes(head + struct.pack("<Q", len(head) + 8) + block)
    Image.linear_gradient("L").save(tmp_path / "small.png")
    async with Checker(limits=Limits(memory_bytes=300 << 20)) as checker:
        assert not (await checker.part(path, "")).ok
        assert (await checker.part(tmp_path / "small.png", TILE)).ok
