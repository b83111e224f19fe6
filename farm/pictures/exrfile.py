"""The pixels of an OpenEXR file: scan lines or tiles, without compression, or with RLE, ZIP or ZIPS.

A block of these is one stream of runs, or of zlib's, of differences between bytes (OpenEXR, "Reading and Writing Image
Files": ImfRle, ImfZip). Pillow computes them, many at once.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from farm.pictures.boxes import Box, CannotJoinError, OtherPackingError
from farm.pictures.decode import MOST_PIXELS
from farm.pictures.exr import DEEP, MULTIPART, DamagedError, Part, read_flags, read_headers

RLE = 1
"""Compression by runs of equal bytes."""

LINES = {0: 1, RLE: 1, 2: 1, 3: 16}
"""Rows per block, by compression: none, RLE, ZIPS, ZIP."""

BYTES = {"uint": 4, "half": 2, "float": 4}


class ExrFile:
    """One EXR: where its header ends, and where the blocks of its parts are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.stream = path.open("rb")
        try:
            flags = read_flags(self.stream)
            self.multipart = bool(flags & MULTIPART)
            self.parts = read_headers(self.stream, flags)
            _check(flags, self.parts, path)
            self.end = self.stream.tell()
            self.offsets = [struct.unpack(f"<{n}Q", self.stream.read(8 * n)) for n in (p.blocks() for p in self.parts)]
        except (DamagedError, ValueError, struct.error) as error:
            self.stream.close()
            raise CannotJoinError(f"“{path.name}” is a damaged EXR: {error}.") from error
        except CannotJoinError:
            self.stream.close()
            raise

    def header(self) -> bytes:
        """Return all bytes before the table of blocks."""
        self.stream.seek(0)
        return self.stream.read(self.end)

    def block(self, part: int, place: int, size: int) -> bytes:
        """Return the bytes of a block of rows, unpacked."""
        start = self.offsets[part][place] + 4 * self.multipart + (16 if self.parts[part].tiled else 4)
        if start > self.size:
            raise CannotJoinError(f"“{self.path.name}” is a damaged EXR: a block lies behind its end.")
        self.stream.seek(start)
        length = int.from_bytes(self.stream.read(4), "little")
        data = self.stream.read(min(length, size))
        if len(data) == size:
            return data  # packing would have made it larger
        return _unpacked(data, size, self.path, self.parts[part].compression())

    def rows(self, part: int, box: Box) -> Iterator[list[bytes]]:
        """Yield some pixels of a part, row by row: the bytes of each channel.

        Only blocks in which some of them lie are unpacked, one row of blocks at a time.

        Args:
            part: its number.
            box: which pixels.

        Raises:
            CannotJoinError, IndexError: a block is damaged, or is not there.
        """
        has = self.parts[part]
        (width, height), (across, down) = has.size(), has.cell()
        columns = range(box.left // across, -(-box.right // across))
        for band in range(box.top // down, -(-box.bottom // down)):
            top, bottom = band * down, min((band + 1) * down, height)
            first = band * -(-width // across)
            cells = [self._cell(part, first + n, n * across, bottom - top) for n in columns]
            for line in range(max(top, box.top) - top, min(bottom, box.bottom) - top):
                parts = [cell.line(line, box.left, box.right) for cell in cells]
                yield parts[0] if len(parts) == 1 else [b"".join(one) for one in zip(*parts, strict=True)]

    def _cell(self, part: int, place: int, left: int, height: int) -> Cell:
        has = self.parts[part]
        width = min(has.cell()[0], has.size()[0] - left)
        row = Row(width, tuple(BYTES[kind] for kind in has.channels().values()))
        return Cell(self.block(part, place, height * row.bytes), row, left)


@dataclass(frozen=True, slots=True)
class Row:
    """How a row of pixels lies in a block: bytes of a pixel per channel, one channel after the other."""

    width: int
    sizes: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """The bytes of a row."""
        return self.width * sum(self.sizes)

    def spans(self, left: int, right: int) -> Iterator[tuple[int, int]]:
        """Yield where some pixels lie in a row."""
        at = 0
        for size in self.sizes:
            yield at + left * size, at + right * size
            at += self.width * size


@dataclass(frozen=True, slots=True)
class Cell:
    """A block, unpacked; `left`: the column of the picture with which it begins."""

    data: bytes
    row: Row
    left: int

    def line(self, line: int, left: int, right: int) -> list[bytes]:
        """Return of one of its rows what lies between two columns of the picture, by channel."""
        at, width = line * self.row.bytes, self.row.width
        spans = self.row.spans(max(left - self.left, 0), min(right - self.left, width))
        return [self.data[at + start : at + end] for start, end in spans]


def packed(data: bytes) -> bytes:
    """Return a block as ZIP has it; as it is if that is not shorter."""
    apart = data[0::2] + data[1::2]
    here = Image.frombytes("L", (len(apart), 1), apart)
    steps = ImageChops.subtract_modulo(here.crop((1, 0, len(apart), 1)), here.crop((0, 0, len(apart) - 1, 1)))
    made = zlib.compress(apart[:1] + steps.tobytes().translate(_PLUS), 4)
    return made if len(made) < len(data) else data


def _unpacked(data: bytes, size: int, path: Path, compression: int) -> bytes:
    try:
        steps = _runs(data, size) if compression == RLE else zlib.decompressobj().decompress(data, size + 1)
    except (zlib.error, IndexError) as error:
        raise CannotJoinError(f"“{path.name}” is a damaged EXR: {error}.") from error
    if len(steps) != size:
        raise CannotJoinError(f"“{path.name}” is a damaged EXR: a block has the wrong length.")
    apart = _summed(steps[:1] + steps[1:].translate(_MINUS))
    half, out = (size + 1) // 2, bytearray(size)
    out[0::2], out[1::2] = apart[:half], apart[half:]
    return bytes(out)


def _runs(data: bytes, size: int) -> bytes:
    """Return what runs stand for: a count below zero comes before so many bytes, another before one to be repeated.

    Args:
        data: the runs.
        size: bytes after which it is enough.
    """
    out, at = bytearray(), 0
    while at < len(data) and len(out) <= size:
        count = data[at]
        if count > 127:
            out += data[at + 1 : at + 257 - count]
            at += 257 - count
        else:
            out += data[at + 1 : at + 2] * (count + 1)
            at += 2
    return bytes(out)


def _summed(steps: bytes) -> bytes:
    """Return the running sums of bytes (modulo 256): of 2, then of 4, 8 … at once."""
    sums, size, reach = Image.frombytes("L", (len(steps), 1), steps), len(steps), 1
    while reach < size:
        further = ImageChops.add_modulo(sums.crop((reach, 0, size, 1)), sums.crop((0, 0, size - reach, 1)))
        sums.paste(further, (reach, 0))
        reach *= 2
    return sums.tobytes()


_PLUS = bytes((n + 128) % 256 for n in range(256))
_MINUS = _PLUS
"""To and from differences that ZIP stores around 128: modulo 256, the same."""


def _check(flags: int, parts: list[Part], path: Path) -> None:
    if flags & DEEP:
        raise OtherPackingError(f"“{path.name}” is a deep EXR, which is not read here.")
    for part in parts:
        width, height = part.size()
        if width * height > MOST_PIXELS:
            raise CannotJoinError(f"“{path.name}” is larger than {MOST_PIXELS:,} pixels.")
        if part.compression() not in LINES:
            raise OtherPackingError(f"“{path.name}” is packed by another way than ZIP or RLE, which are read here.")
        if not all(kind in BYTES for kind in part.channels().values()) or part.thinned():
            raise OtherPackingError(f"“{path.name}” has channels of a kind that is not read here.")
