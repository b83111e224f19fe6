"""Put OpenEXR tiles together: all parts, layers and channels, bit by bit, with the first tile's header.

Of files that :mod:`farm.pictures.exrfile` reads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from farm.pictures.boxes import Box, CannotJoinError, Cut
from farm.pictures.exr import DamagedError, Part
from farm.pictures.exrfile import BYTES, LINES, RLE, ExrFile, Row, packed


def join_exr(tiles: Sequence[Path], cut: Cut, target: Path) -> None:
    """Write an EXR from its tiles.

    Raises:
        CannotJoinError: they are no tiles of one picture, or packed in another way.
    """
    files: list[ExrFile] = []
    try:
        for tile in tiles:
            files.append(file := ExrFile(tile))
            if any(part.tiled or part.compression() == RLE for part in file.parts):
                raise CannotJoinError(f"“{tile.name}” is a tiled EXR, or packed by RLE: such can't be put together.")
        if any(_alike(file) != _alike(files[0]) for file in files):
            raise CannotJoinError(f"The tiles of “{target.name}” differ in size, layers or channels.")
        with target.open("wb") as out:
            _write(files, cut, out)
    except (struct.error, IndexError, DamagedError) as error:
        raise CannotJoinError(f"A tile of “{target.name}” is damaged: {error}.") from error
    finally:
        for file in files:
            file.stream.close()


def _write(files: list[ExrFile], cut: Cut, out: BinaryIO) -> None:
    first = files[0]
    out.write(first.header())
    tables = out.tell()
    out.write(bytes(8 * sum(map(len, first.offsets))))
    offsets: list[int] = []
    for number, part in enumerate(first.parts):
        for top, data in _blocks(files, number, part, cut):
            offsets.append(out.tell())
            head = struct.pack("<i", number) if first.multipart else b""
            out.write(head + struct.pack("<iI", top, len(data)) + data)
    out.seek(tables)
    out.write(struct.pack(f"<{len(offsets)}Q", *offsets))


def _blocks(files: list[ExrFile], number: int, part: Part, cut: Cut) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a part of the whole picture: first row, packed bytes."""
    (width, height), compression = part.size(), part.compression()
    row = Row(width, tuple(BYTES[kind] for kind in part.channels().values()))
    boxes = cut(width, height)
    lines, origin = LINES[compression], part.box()[1]
    for place, top in enumerate(range(0, height, lines)):
        bottom = min(top + lines, height)
        size = (bottom - top) * row.bytes
        whole = bytearray(size)
        for file, box in zip(files, boxes, strict=True):
            if box.top < bottom and box.bottom > top:
                _paste(whole, file.block(number, place, size), row, box, top, bottom)
        yield origin + top, packed(bytes(whole)) if compression else bytes(whole)


def _paste(whole: bytearray, data: bytes, row: Row, box: Box, top: int, bottom: int) -> None:
    for line in range(max(top, box.top) - top, min(bottom, box.bottom) - top):
        at = line * row.bytes
        for start, end in row.spans(box.left, box.right):
            whole[at + start : at + end] = data[at + start : at + end]


def _alike(file: ExrFile) -> list[object]:
    """Return what the tiles of one picture have in common."""
    return [(part.box(), list(part.channels().items()), part.compression()) for part in file.parts]
