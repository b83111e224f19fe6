"""Check an OpenEXR file without decoding it: header, table of offsets, last block.

A renderer that was killed or whose disk filled up leaves an incomplete table of offsets,
or one that points beyond the file's end.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from farm.pictures.facts import Facts

MAGIC = b"\x76\x2f\x31\x01"
_TILED, DEEP, MULTIPART = 0x200, 0x800, 0x1000
_ROWS = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""Rows per block, by compression."""
_TYPES = {0: "uint", 1: "half", 2: "float"}
_SAID = "Only header, offsets and length of the EXR file were checked."
_MOST_BLOCKS = 10_000_000
_MOST_ATTRIBUTE = 64 * 1024 * 1024


class DamagedError(Exception):
    """The file is no whole EXR."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the pictures in a file: its header's entries, packed as the file holds them."""

    attributes: dict[str, bytes]
    tiled: bool

    def box(self) -> tuple[int, int, int, int]:
        """Return the window of pixels: left, top, right, bottom."""
        left, top, right, bottom = struct.unpack("<iiii", self._needed("dataWindow", 16))
        return left, top, right, bottom

    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        left, top, right, bottom = self.box()
        if right < left or bottom < top:
            raise DamagedError("its data window is empty")
        return right - left + 1, bottom - top + 1

    def channels(self) -> dict[str, str]:
        """Return the type of each channel: `half`, `float` (32 bits) or `uint`."""
        data, at, found = self._needed("channels", 1), 0, {}
        while at < len(data) and data[at]:
            end = data.index(b"\0", at)
            found[data[at:end].decode("latin-1")] = _TYPES.get(data[end + 1], "")
            at = end + 1 + 16
        return found

    def thinned(self) -> bool:
        """Tell whether a channel has not all pixels."""
        data, at = self._needed("channels", 1), 0
        while at < len(data) and data[at]:
            at = data.index(b"\0", at) + 17
            if data[at - 8 : at] != struct.pack("<ii", 1, 1):
                return True
        return False

    def compression(self) -> int:
        """Return how blocks are packed: 0 not at all, 2 ZIPS, 3 ZIP …"""
        return self._needed("compression", 1)[0]

    def blocks(self) -> int:
        """Return how many blocks of pixels there must be."""
        if "chunkCount" in self.attributes:
            return int(struct.unpack("<i", self._needed("chunkCount", 4))[0])
        (width, height), (across, down) = self.size(), self.cell()
        return -(-width // across) * -(-height // down)

    def cell(self) -> tuple[int, int]:
        """Return width and height of a block of pixels; those at the right and at the bottom may be smaller."""
        width, height = self.size()
        if not self.tiled:
            return width, _ROWS.get(self.compression(), 1)
        across, down, mode = struct.unpack("<IIB", self._needed("tiles", 9))
        if mode & 0xF or not across or not down:
            raise DamagedError("it has levels of tiles, which a renderer does not write")
        return min(across, width), min(down, height)

    def _needed(self, name: str, size: int) -> bytes:
        data = self.attributes.get(name, b"")
        if len(data) < size:
            raise DamagedError(f"its header lacks “{name}”")
        return data


def check_exr(path: Path) -> Facts:
    """Return what can be said of an EXR file without decoding it."""
    try:
        with path.open("rb") as stream:
            return _checked(stream, path.stat().st_size)
    except (DamagedError, ValueError, struct.error, OSError) as error:
        return Facts(False, f"The EXR file is damaged: {error}.")


def read_parts(path: Path) -> list[Part]:
    """Return the headers of an EXR file.

    Raises:
        DamagedError: it has none.
    """
    with path.open("rb") as stream:
        return read_headers(stream, read_flags(stream))


def read_flags(stream: BinaryIO) -> int:
    """Return the flags at the beginning of an EXR file: whether it is deep, tiled, of several parts.

    Raises:
        DamagedError: it is none.
    """
    magic, version = stream.read(4), stream.read(4)
    if magic != MAGIC or len(version) < 4:
        raise DamagedError("it does not begin like one")
    return int(struct.unpack("<I", version)[0])


def _checked(stream: BinaryIO, size: int) -> Facts:
    flags = read_flags(stream)
    parts = read_headers(stream, flags)
    width, height = parts[0].size()
    offsets = _offsets(stream, sum(part.blocks() for part in parts), size)
    _last_block(stream, max(offsets), size, flags, tiled=parts[0].tiled)
    pixels = _hash(stream, min(offsets), parts)
    return Facts(True, _SAID, width, height, sum(len(part.channels()) for part in parts), pixels)


def read_headers(stream: BinaryIO, flags: int) -> list[Part]:
    """Return the headers, which come behind the flags; the table of blocks comes next.

    Raises:
        DamagedError: there is none, or it does not end.
    """
    multipart, tiled = bool(flags & MULTIPART), bool(flags & _TILED)
    parts: list[Part] = []
    while True:
        attributes = _attributes(stream)
        if not attributes:
            if not parts:
                raise DamagedError("its header is empty")
            return parts
        kind = attributes.get("type", b"")
        parts.append(Part(attributes, tiled or b"tile" in kind))
        if not multipart:
            return parts


def _attributes(stream: BinaryIO) -> dict[str, bytes]:
    found = {}
    while name := _text(stream):
        _text(stream)
        (size,) = struct.unpack("<I", stream.read(4))
        if size > _MOST_ATTRIBUTE:
            raise DamagedError("an entry of its header is too large")
        found[name] = stream.read(size)
    return found


def _text(stream: BinaryIO) -> str:
    text = bytearray()
    while (byte := stream.read(1)) != b"\0":
        if not byte or len(text) > 255:
            raise DamagedError("its header does not end")
        text += byte
    return text.decode("latin-1")


def _offsets(stream: BinaryIO, count: int, size: int) -> list[int]:
    if not 0 < count <= _MOST_BLOCKS:
        raise DamagedError("it has no pixels, or too many")
    data = stream.read(8 * count)
    if len(data) < 8 * count:
        raise DamagedError("it breaks off before the first pixel")
    offsets = list(struct.unpack(f"<{count}Q", data))
    if min(offsets) < stream.tell() or max(offsets) >= size:
        raise DamagedError("pixels are missing")
    return offsets


def _last_block(stream: BinaryIO, offset: int, size: int, flags: int, *, tiled: bool) -> None:
    """Check that the block that begins last is in the file wholly."""
    if flags & DEEP:
        return
    head = (4 if flags & MULTIPART else 0) + (16 if tiled else 4)
    stream.seek(offset + head)
    (length,) = struct.unpack("<I", stream.read(4))
    if offset + head + 4 + length > size:
        raise DamagedError("its last pixels are missing")


def _hash(stream: BinaryIO, start: int, parts: list[Part]) -> str:
    """Hash the packed pixels: packing is deterministic, and the header holds dates and times."""
    layout = [(part.box(), part.attributes["channels"], part.attributes.get("compression")) for part in parts]
    digest = hashlib.sha256(repr(layout).encode())
    stream.seek(start)
    while chunk := stream.read(1024 * 1024):
        digest.update(chunk)
    return digest.hexdigest()
