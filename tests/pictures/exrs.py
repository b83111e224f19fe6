"""OpenEXR files of every layout, written by hand: scan lines or tiles, one part or several."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from farm.pictures.exrfile import packed

TYPES = {"uint": 0, "half": 1, "float": 2}
FORMATS = {"uint": "I", "half": "e", "float": "f"}


@dataclass
class Layer:
    """A part: each channel's type, and its values row by row."""

    size: tuple[int, int]
    channels: dict[str, tuple[Literal["uint", "half", "float"], Sequence[float]]]
    compression: int = 0
    tile: tuple[int, int] | None = None
    name: str = ""
    more: dict[str, bytes] = field(default_factory=dict)

    def cells(self) -> list[tuple[int, int, int, int]]:
        """Left, top, width and height of each block."""
        width, height = self.size
        across, down = self.tile or (width, {3: 16}.get(self.compression, 1))
        places = [(x, y) for y in range(0, height, down) for x in range(0, width, across)]
        return [(x, y, min(across, width - x), min(down, height - y)) for x, y in places]

    def pixels(self, cell: tuple[int, int, int, int]) -> bytes:
        left, top, width, height = cell
        out = b""
        for y in range(top, top + height):
            for kind, values in (self.channels[name] for name in sorted(self.channels)):
                at = y * self.size[0] + left
                row = values[at : at + width]
                form = f"<{width}{FORMATS[kind]}"
                out += struct.pack(form, *map(int, row)) if kind == "uint" else struct.pack(form, *row)
        return out

    def header(self, *, several: bool) -> bytes:
        width, height = self.size
        window = struct.pack("<iiii", 0, 0, width - 1, height - 1)
        listed = b"".join(
            name.encode() + b"\0" + struct.pack("<iBxxxii", TYPES[self.channels[name][0]], 0, 1, 1)
            for name in sorted(self.channels)
        )
        entries = {
            ("channels", "chlist"): listed + b"\0",
            ("compression", "compression"): bytes([self.compression]),
            ("dataWindow", "box2i"): window,
            ("displayWindow", "box2i"): window,
            ("lineOrder", "lineOrder"): b"\0",
            ("pixelAspectRatio", "float"): struct.pack("<f", 1),
            ("screenWindowCenter", "v2f"): bytes(8),
            ("screenWindowWidth", "float"): struct.pack("<f", 1),
            **{(name, "string"): data for name, data in self.more.items()},
        }
        if self.tile:
            entries["tiles", "tiledesc"] = struct.pack("<IIB", *self.tile, 0)
        if several:
            entries["name", "string"] = self.name.encode()
            entries["type", "string"] = b"tiledimage" if self.tile else b"scanlineimage"
            entries["chunkCount", "int"] = struct.pack("<i", len(self.cells()))
        text = (f"{n}\0{kind}\0".encode() + struct.pack("<I", len(data)) + data for (n, kind), data in entries.items())
        return b"".join(text) + b"\0"

    def block(self, cell: tuple[int, int, int, int], number: int | None) -> bytes:
        data = self.pixels(cell)
        data = packed(data) if self.compression else data
        head = b"" if number is None else struct.pack("<i", number)
        across, down = self.tile or (1, 1)
        place = struct.pack("<iiii", cell[0] // across, cell[1] // down, 0, 0) if self.tile else b""
        return head + (place or struct.pack("<i", cell[1])) + struct.pack("<I", len(data)) + data


def exr(*layers: Layer) -> bytes:
    """Write a file of these parts."""
    several = len(layers) > 1
    flags = 2 | (0x1000 if several else 0x200 if layers[0].tile else 0)
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", flags)
    head += b"".join(layer.header(several=several) for layer in layers) + (b"\0" if several else b"")
    blocks = [
        layer.block(cell, number if several else None) for number, layer in enumerate(layers) for cell in layer.cells()
    ]
    start = len(head) + 8 * len(blocks)
    offsets = [start + sum(map(len, blocks[:n])) for n in range(len(blocks))]
    return head + struct.pack(f"<{len(blocks)}Q", *offsets) + b"".join(blocks)
