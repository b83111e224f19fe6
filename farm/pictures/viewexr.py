"""Show a layer of an OpenEXR picture on a screen: exposure, then the curve of sRGB; not the scene's own view transform.

Each number is looked up by 16 bits of it: all of a half, the upper ones of a float: steps below 1 %.
So Pillow makes the whole picture, without a library for floating-point pictures.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image

from farm.pictures.boxes import Box, CannotJoinError
from farm.pictures.exr import DamagedError, Part, read_parts
from farm.pictures.exrfile import ExrFile

_COLOURS = (("R", "G", "B"), ("X", "Y", "Z"), ("U", "V"))
"""Channels that make a colour, by the last part of their names."""

_UNIT = 1.0 / 255


def layers(path: Path) -> list[str]:
    """Return the names of a picture's layers, as a person chooses one; what it is made of comes first.

    Raises:
        DamagedError: this is no EXR.
    """
    return _layers(read_parts(path))


def _layers(parts: Sequence[Part]) -> list[str]:
    found = [name for part in parts for name in _groups(part)]
    return sorted(
        dict.fromkeys(found), key=lambda name: (bool(name) and not name.endswith("Combined"), found.index(name))
    )


def beauty(parts: Sequence[Part]) -> tuple[int, list[str]]:
    """Return the part, and the channels in it, of what a picture is made of: the first of its layers."""
    name = _layers(parts)[0]
    return next((number, groups[name]) for number, part in enumerate(parts) if name in (groups := _groups(part)))


def show(path: Path, layer: str, exposure: float) -> Image.Image:
    """Return a layer as an 8-bit picture.

    Args:
        path: the file.
        layer: one of :func:`layers`.
        exposure: in stops; 0 is as it was rendered.

    Raises:
        CannotJoinError: it has no such layer, is damaged, or packed in another way than by ZIP.
    """
    file = ExrFile(path)
    try:
        number, channels = _place(file.parts, layer, path)
        part = file.parts[number]
        kinds, size = part.channels(), part.size()
        found: list[bytearray] = [bytearray() for _ in channels]
        places = [list(kinds).index(channel) for channel in channels]
        for row in file.rows(number, Box(0, 0, *size)):
            for plane, place in zip(found, places, strict=True):
                plane += row[place]
    except (struct.error, IndexError, DamagedError) as error:
        raise CannotJoinError(f"“{path.name}” is a damaged EXR: {error}.") from error
    finally:
        file.stream.close()
    return shown([(kinds[name], data) for name, data in zip(channels, found, strict=True)], size, exposure)


def shown(planes: Sequence[tuple[str, bytearray]], size: tuple[int, int], exposure: float = 0) -> Image.Image:
    """Return channels of light as an 8-bit picture.

    Args:
        planes: one to three channels, each with its type and its bytes.
        size: width and height.
        exposure: in stops.
    """
    made = [_plane(kind, data, size, exposure) for kind, data in planes]
    return Image.merge("RGB", [made[min(n, len(made) - 1)] for n in range(3)])


def _place(parts: Sequence[Part], layer: str, path: Path) -> tuple[int, list[str]]:
    for number, part in enumerate(parts):
        channels = _groups(part).get(layer)
        if channels:
            return number, channels
    raise CannotJoinError(f"“{path.name}” has no layer “{layer[:60]}”.")


def _groups(part: Part) -> dict[str, list[str]]:
    """Return the channels that make a picture, by layer: three of a colour, two, or a single one."""
    own = part.attributes.get("name", b"").decode("latin-1")
    found: dict[str, dict[str, str]] = {}
    for channel in part.channels():
        layer, _, last = channel.rpartition(".")
        found.setdefault(layer or (own if own != channel else ""), {})[last] = channel
    return {layer: chosen for layer, has in found.items() if (chosen := _chosen(has))}


def _chosen(has: dict[str, str]) -> list[str]:
    for names in _COLOURS:
        if all(name in has for name in names):
            return [has[name] for name in names]
    return [next(iter(has.values()))]


def _plane(kind: str, data: bytearray, size: tuple[int, int], exposure: float) -> Image.Image:
    upper = bytes(data) if kind == "half" else _upper(data)
    return Image.frombytes("I;16", size, upper).convert("I").point(_curve(kind, exposure), "L")


def _upper(data: bytearray) -> bytes:
    """Return the upper 16 of each 32 bits, which are the lower bytes' neighbours in a file."""
    made = bytearray(len(data) // 2)
    made[0::2], made[1::2] = data[2::4], data[3::4]
    return bytes(made)


@lru_cache(8)
def _curve(kind: str, exposure: float) -> list[int]:
    """Return the screen's byte for each 16 bits of a number."""
    gain = 2.0**exposure
    return [_screen(_number(kind, bits) * gain) for bits in range(65536)]


def _number(kind: str, bits: int) -> float:
    if kind == "half":
        return float(struct.unpack("<e", struct.pack("<H", bits))[0])
    if kind == "float":
        return float(struct.unpack("<f", struct.pack("<HH", 0, bits))[0])
    return float(bits << 16)


def _screen(light: float) -> int:
    """Return light as sRGB writes it (IEC 61966-2-1), 0 to 255."""
    if not light > 0:  # NaN, too
        return 0
    if light >= 1 or math.isinf(light):
        return 255
    return round((12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055) / _UNIT)
