"""Put PNG tiles together, of 8 or 16 bits per channel.

Pillow has no pictures of 16 bits and several channels. But its decoder takes either byte of a value: so the upper
and the lower ones are put together apart. All else in the file (colour space, texts) is the first tile's, as it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageChops

from farm.pictures.boxes import Box, CannotJoinError, Cut
from farm.pictures.decode import MOST_PIXELS

_SIGN = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}
_UP = 2
"""The filter of all rows: the difference from the row above (PNG specification, 9.2)."""

_LONGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a PNG's header says, and all chunks before the pixels and after them."""

    width: int
    height: int
    depth: int
    colour: int
    before: list[tuple[bytes, bytes]]
    after: list[tuple[bytes, bytes]]

    @property
    def alike(self) -> tuple[int, int, int, int]:
        """What the tiles of one picture have in common."""
        return self.width, self.height, self.depth, self.colour


def join_png(tiles: Sequence[Path], cut: Cut, target: Path) -> None:
    """Write a PNG from its tiles.

    Raises:
        CannotJoinError: they are no tiles of one picture.
    """
    layouts = [_layout(path) for path in tiles]
    first = layouts[0]
    if any(layout.alike != first.alike for layout in layouts):
        raise CannotJoinError(f"The tiles of “{target.name}” differ in size, channels or depth.")
    if first.depth not in (8, 16) or first.colour not in _CHANNELS:
        raise CannotJoinError(f"“{target.name}” has a palette, or less than 8 bits per channel.")
    boxes = cut(first.width, first.height)
    if first.depth == 8:
        rows = _planes(tiles, boxes, first, "")
    else:
        data = bytearray(2 * first.width * first.height * _CHANNELS[first.colour])
        data[0::2], data[1::2] = (_planes(tiles, boxes, first, end) for end in (";16B", ";16L"))
        rows = bytes(data)
    with target.open("wb") as stream:
        _write(stream, first, _filtered(rows, first.height))


def _planes(tiles: Sequence[Path], boxes: list[Box], layout: _Layout, end: str) -> bytes:
    """Return one byte of each value of the whole picture: with `;16B` the upper, with `;16L` the lower ones."""
    mode = _MODES[layout.colour]
    whole = Image.new(mode, (layout.width, layout.height))
    for path, box in zip(tiles, boxes, strict=True):
        place = (box.left, box.top, box.right, box.bottom)
        with Image.open(path, formats=["PNG"]) as tile:
            if end:
                _choose(tile, mode, end)
            tile.load()
            if tile.mode != mode:
                raise CannotJoinError(f"“{path.name}” is of a kind of PNG that can't be put together ({tile.mode}).")
            whole.paste(tile.crop(place), place)
    return whole.tobytes()


def _choose(tile: Image.Image, mode: str, end: str) -> None:
    """Have Pillow decode either byte of values with 16 bits."""
    if mode in ("L", "LA"):
        raise CannotJoinError("A grey PNG of 16 bits can't be put together; write RGB, or OpenEXR.")
    tile.tile = [part._replace(args=mode + end) for part in tile.tile]  # type: ignore[attr-defined]


def _filtered(rows: bytes, height: int) -> bytes:
    wide = len(rows) // height
    here = Image.frombytes("L", (wide, height), rows)
    above = Image.new("L", (wide, height))
    above.paste(here.crop((0, 0, wide, height - 1)), (0, 1))
    steps = ImageChops.subtract_modulo(here, above)
    out = Image.new("L", (wide + 1, height), _UP)
    out.paste(steps, (1, 0))
    return out.tobytes()


def _layout(path: Path) -> _Layout:
    with path.open("rb") as stream:
        if stream.read(len(_SIGN)) != _SIGN:
            raise CannotJoinError(f"“{path.name}” is no PNG.")
        before: list[tuple[bytes, bytes]] = []
        after: list[tuple[bytes, bytes]] = []
        seen = False
        while (chunk := _chunk(stream, path))[0] != b"IEND":
            if chunk[0] == b"IDAT":
                seen = True
            else:
                (after if seen else before).append(chunk)
    if not before or before[0][0] != b"IHDR" or len(before[0][1]) != 13 or not seen:
        raise CannotJoinError(f"“{path.name}” is damaged.")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", before[0][1])
    if interlaced or not 0 < width * height <= MOST_PIXELS:
        raise CannotJoinError(f"“{path.name}” is interlaced, empty or too large.")
    return _Layout(width, height, depth, colour, before, after)


def _chunk(stream: BinaryIO, path: Path) -> tuple[bytes, bytes]:
    head = stream.read(8)
    if len(head) < 8:
        raise CannotJoinError(f"“{path.name}” breaks off.")
    size, kind = struct.unpack(">I4s", head)
    if kind == b"IDAT":
        stream.seek(size + 4, 1)
        return kind, b""
    if size > _LONGEST:
        raise CannotJoinError(f"“{path.name}” is damaged.")
    data = stream.read(size)
    stream.seek(4, 1)
    return kind, data


def _write(stream: BinaryIO, layout: _Layout, filtered: bytes) -> None:
    stream.write(_SIGN)
    for kind, data in (*layout.before, (b"IDAT", zlib.compress(filtered)), *layout.after, (b"IEND", b"")):
        stream.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
