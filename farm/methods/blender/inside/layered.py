"""Read and write OpenEXR as Cycles' denoiser needs it: plain scan lines of 32-bit channels."""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any, Iterator, Mapping  # noqa: UP035  (this Python may be 3.10)

from farm.methods.inside.trouble import Trouble

_MULTIPART, _LONG_NAMES = 0x1000, 0x400
_FLOAT = 2
_LINES = {0: 1, 2: 1, 3: 16}
"""Rows per block, by compression: none, ZIPS, ZIP."""

_MAGIC = 20000630


class _Header:
    """One part: its attributes, and its channels by the order in which they lie in a block."""

    def __init__(self, attributes: dict[str, bytes]) -> None:
        self.attributes = attributes
        left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
        self.width: int = right - left + 1
        self.height: int = bottom - top + 1
        if self.width < 1 or self.height < 1:
            raise ValueError("it has no pixels")
        self.lines: int = _LINES.get(attributes["compression"][0], 0)
        self.channels = list(self._channels(attributes["channels"]))

    @staticmethod
    def _channels(data: bytes) -> Iterator[str]:
        at = 0
        while data[at]:
            end = data.index(b"\0", at)
            if struct.unpack_from("<i", data, end + 1) != (_FLOAT,):
                raise ValueError("a channel has not 32 bits")
            yield data[at:end].decode()
            at = end + 17

    @property
    def blocks(self) -> int:
        return -(-self.height // self.lines)


class Layered:
    """A picture of layers and passes, without loss, as tiles are put together.

    Args:
        path: the file.

    Raises:
        Trouble: it is none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            with open(path, "rb") as stream:
                self._data = stream.read()
            self._parts = list(self._headers())
        except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
            raise Trouble(f"“{os.path.basename(path)}” is no picture of layers to be finished: {error}") from error

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._parts[0].width, self._parts[0].height

    @property
    def texts(self) -> dict[str, str]:
        """What the file says beside its pixels, such as the names that Cryptomatte numbers."""
        of_parts = (part.attributes.items() for part in self._parts)
        return {k: v.decode("utf-8", "replace") for items in of_parts for k, v in items if k.startswith("cryptomatte/")}

    def channels(self, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Return channels whose names begin so, as arrays (numpy) from the lowest row to the highest.

        Raises:
            Trouble: the file is damaged, or packed otherwise.
        """
        found = {}
        try:
            at = self._tables
            for part in self._parts:
                offsets = struct.unpack_from(f"<{part.blocks}Q", self._data, at)
                at += 8 * part.blocks
                if any(name.startswith(wanted) for name in part.channels):
                    rows = self._rows(part, offsets)[::-1]
                    found.update({n: rows[:, i] for i, n in enumerate(part.channels) if n.startswith(wanted)})
        except (ValueError, IndexError, struct.error, zlib.error) as error:
            raise Trouble(f"“{os.path.basename(self._path)}” is damaged: {error}") from error
        return found

    def _headers(self) -> Iterator[_Header]:
        magic, version = struct.unpack_from("<ii", self._data)
        if magic != _MAGIC:
            raise ValueError("it is no OpenEXR")
        self._multipart = bool(version & _MULTIPART)
        at = 8
        while self._data[at]:
            attributes = {}
            while self._data[at]:
                name, at = self._text(at)
                _, at = self._text(at)
                size, at = struct.unpack_from("<I", self._data, at)[0], at + 4
                attributes[name], at = self._data[at : at + size], at + size
            header, at = _Header(attributes), at + 1
            if not header.lines:
                raise ValueError("it is packed otherwise than by ZIP")
            yield header
            if not self._multipart:
                break
        self._tables = at + self._multipart

    def _text(self, at: int) -> tuple[str, int]:
        end = self._data.index(b"\0", at)
        return self._data[at:end].decode("utf-8", "replace"), end + 1

    def _rows(self, part: _Header, offsets: tuple[int, ...]) -> Any:
        import numpy  # where there is a denoiser, there is this

        rows = numpy.empty((part.height, len(part.channels), part.width), "<f4")
        for place, offset in enumerate(offsets):
            first = place * part.lines
            count = min(part.lines, part.height - first)
            begin = offset + 4 * self._multipart + 4
            (size,) = struct.unpack_from("<i", self._data, begin)
            block = _unpacked(self._data[begin + 4 : begin + 4 + size], count * rows[0].nbytes, numpy)
            rows[first : first + count] = numpy.frombuffer(block, "<f4").reshape(count, *rows.shape[1:])
        return rows


def write(path: str, channels: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Write channels (numpy arrays, the lowest row first) as one part, without packing."""
    import numpy

    names = sorted(channels)
    height, width = channels[names[0]].shape
    listed = b"".join(name.encode() + b"\0" + struct.pack("<iB3xii", _FLOAT, 0, 1, 1) for name in names) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = [
        ("channels", "chlist", listed),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *((name, "string", text.encode()) for name, text in texts.items()),
    ]
    head = struct.pack("<ii", _MAGIC, 2 | _LONG_NAMES)
    for name, kind, value in attributes:
        head += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
    head += b"\0"
    rows = numpy.stack([channels[name][::-1] for name in names], axis=1).astype("<f4")
    line = rows[0].nbytes
    begin = len(head) + 8 * height
    with open(path, "wb") as out:
        out.write(head + struct.pack(f"<{height}Q", *(begin + row * (line + 8) for row in range(height))))
        for row in range(height):
            out.write(struct.pack("<ii", row, line) + rows[row].tobytes())


def _unpacked(data: bytes, size: int, numpy: Any) -> bytes:
    """Return a block as it was before ZIP: sums of differences, the second half between the first."""
    if len(data) == size:
        return data  # packing would have made it larger
    steps = numpy.frombuffer(zlib.decompress(data), numpy.uint8).astype(numpy.int64)
    if len(steps) != size:
        raise ValueError("a block has the wrong length")
    steps[1:] -= 128
    sums = numpy.cumsum(steps).astype(numpy.uint8)
    block, half = numpy.empty(size, numpy.uint8), (size + 1) // 2
    block[0::2], block[1::2] = sums[:half], sums[half:]
    plain: bytes = block.tobytes()
    return plain
