"""Write a small PNG by hand: a gradient that differs from frame to frame."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 64, 36


def png(seed: int, size: int = 0, *, flat: bool = False) -> bytes:
    """Return a PNG of 64×36 pixels.

    Args:
        seed: another number gives other pixels.
        size: bytes that the file has at least; made up by a chunk that decoders skip.
        flat: all pixels are equal.
    """
    rows = b"".join(b"\0" + _row(y, seed, flat=flat) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    filler = [_chunk(b"fiLl", bytes(size))] if size else []
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), *filler, _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND")]
    )


def _row(y: int, seed: int, *, flat: bool) -> bytes:
    places = ((0, 0) if flat else (x, y) for x in range(WIDTH))
    return bytes(v % 256 for x, y in places for v in (x * 4, y * 7, seed * 5 + (seed >> 6) * 3))


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
