"""Small pictures of few colours, as PNG. Pillow could write them, too, but would stay in the server's memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int, int]
"""Red, green, blue, opacity; 0 to 255."""


def png(cells: bytes, columns: int, colours: Sequence[Colour], scale: int = 1) -> bytes:
    """Return a picture of square cells.

    Args:
        cells: the number of each one's colour, row by row, from the left.
        columns: cells in a row.
        colours: at most 256.
        scale: pixels along a cell's side.

    The format: PNG specification, third edition, sections 5 and 11 (palette, no filter).
    """
    rows = [_wide(cells[at : at + columns].ljust(columns, b"\0"), scale) for at in range(0, len(cells), columns)]
    lines = b"".join((b"\0" + row) * scale for row in rows)
    head = struct.pack(">IIBBBBB", columns * scale, len(rows) * scale, 8, 3, 0, 0, 0)
    parts = [
        (b"IHDR", head),
        (b"PLTE", b"".join(bytes(colour[:3]) for colour in colours)),
        (b"tRNS", bytes(colour[3] for colour in colours)),
        (b"IDAT", zlib.compress(lines, 6)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _wide(row: bytes, scale: int) -> bytes:
    wide = bytearray(len(row) * scale)
    for at in range(scale):
        wide[at::scale] = row
    return bytes(wide)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
