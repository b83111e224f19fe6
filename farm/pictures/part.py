"""A part of a picture, or all of it, decoded: what spot checks compare. Runs in the limited child only."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

from PIL import Image

from blender_addon.tiling import boxes
from farm.pictures.boxes import Box, CannotJoinError, OtherPackingError
from farm.pictures.decode import facts, grain, opened, sketch
from farm.pictures.exr import DamagedError, Part, check_exr
from farm.pictures.exrfile import ExrFile
from farm.pictures.facts import Facts
from farm.pictures.kinds import Kind, kind
from farm.pictures.viewexr import beauty, shown

WIDEST = 2048
"""Pixels of the longer side of what people see."""


def part(path: Path, tile: str) -> Facts:
    """Return facts of one tile of a picture, as if it were a picture of its own.

    Args:
        path: the file.
        tile: `grid/number`, such as `4x4/3`; empty: all of it.
    """
    if kind(path) is Kind.EXR:
        return _exr(path, tile)

    def cut(image: Image.Image) -> Facts:
        box = _box(tile, image.size)
        return facts(image.crop((box.left, box.top, box.right, box.bottom)) if tile else image)

    return opened(path, cut)


def show(path: Path, tile: str, target: Path) -> Facts:
    """Write a tile of a picture as people see it, as WebP; an EXR's light as sRGB.

    Args:
        path: the file.
        tile: as for :func:`part`.
        target: where it goes.
    """
    if kind(path) is Kind.EXR:
        file = ExrFile(path)
        with file.stream:
            return _written(_colours(file, tile), target)

    def cut(image: Image.Image) -> Facts:
        box = _box(tile, image.size)
        return _written(image.crop((box.left, box.top, box.right, box.bottom)), target)

    return opened(path, cut)


def _written(image: Image.Image, target: Path) -> Facts:
    plain = image.convert("RGBA" if image.mode in ("LA", "PA", "RGBA") else "RGB")
    plain.thumbnail((WIDEST, WIDEST))
    plain.save(target, "WEBP", quality=95, method=1)
    return Facts(True, width=plain.width, height=plain.height, channels=len(plain.getbands()), thumbnail=True)


def _colours(file: ExrFile, tile: str) -> Image.Image:
    """Return what the picture is made of, without its other layers."""
    number, names = beauty(file.parts)
    has = file.parts[number].channels()
    box, places = _box(tile, file.parts[number].size()), [list(has).index(name) for name in names]
    planes = [(has[name], bytearray()) for name in names]
    for row in file.rows(number, box):
        for (_, plane), place in zip(planes, places, strict=True):
            plane += row[place]
    return shown(planes, (box.right - box.left, box.bottom - box.top))


def _box(tile: str, size: tuple[int, int]) -> Box:
    grid, _, number = tile.partition("/")
    return Box(*boxes(grid, *size)[int(number)]) if tile else Box(0, 0, *size)


def _exr(path: Path, tile: str) -> Facts:
    """Return the same of an EXR. What can't be unpacked has no tiles, and the packed bytes stand for the whole."""
    try:
        file = ExrFile(path)
    except OtherPackingError as error:
        return Facts(True, str(error)) if tile else check_exr(path)
    except CannotJoinError as error:
        return Facts(False, str(error))
    with file.stream:
        try:
            return _unpacked(file, tile)
        except (CannotJoinError, DamagedError, struct.error, IndexError, ValueError) as error:
            return Facts(False, f"The EXR file is damaged: {error}.")


def _unpacked(file: ExrFile, tile: str) -> Facts:
    """Return facts of all parts, layers and channels of a file in one tile.

    The hash is of the channels' names and types, and of their pixels row by row: however they are packed, by which
    blocks, and whatever else the header says.
    """
    number, names = beauty(file.parts)
    planes = [(file.parts[number].channels()[name], bytearray()) for name in names]
    digest = hashlib.sha256()
    for at, one in enumerate(file.parts):
        box = _box(tile, one.size())
        digest.update(repr(_layout(one, box)).encode())
        kept = [list(one.channels()).index(name) for name in names] if at == number else []
        for row in file.rows(at, box):
            for channel in row:
                digest.update(channel)
            for (_, plane), place in zip(planes, kept, strict=False):
                plane += row[place]
    box = _box(tile, file.parts[number].size())
    size = box.right - box.left, box.bottom - box.top
    image = shown(planes, size)
    channels = sum(len(one.channels()) for one in file.parts)
    drawn = Facts(True, width=size[0], height=size[1], channels=channels, pixels=digest.hexdigest())
    return replace(drawn, sketch=sketch(image), grain=grain(image))


def _layout(part: Part, box: Box) -> tuple[object, ...]:
    """Return what must be the same besides the pixels."""
    return part.attributes.get("name"), list(part.channels().items()), box.right - box.left, box.bottom - box.top
