"""Put tiles together without loss: each file is as large as the whole picture, and holds one tile of it.

Only where a tile is counts, so what a renderer does by place (dithering, noise) is as in the whole picture.
What else the file holds (colour spaces, names of objects) is that of the first.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

from farm.pictures.boxes import CannotJoinError, Cut
from farm.pictures.decode import MOST_PIXELS
from farm.pictures.joinexr import join_exr
from farm.pictures.joinpng import join_png

_BY_SUFFIX = {".png": join_png, ".exr": join_exr}

_PLAIN = {".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".tga": "TGA"}
"""Formats without loss that Pillow writes as it read them, with 8 bits per channel."""

_DAMAGED = (
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
    *(ValueError, SyntaxError, OverflowError, EOFError, IndexError, struct.error, zlib.error),
)
"""What decoders raise beside OSError."""

JOINED = (*_BY_SUFFIX, *_PLAIN)
"""Suffixes of files that can be put together."""


def join(tiles: Sequence[Path], cut: Cut, target: Path) -> None:
    """Write a picture from its tiles.

    Args:
        tiles: the files, in the order of their tiles.
        cut: says which part of the picture each holds.
        target: the picture; of the same kind.

    Raises:
        CannotJoinError: they are no tiles of one picture, or damaged.
    """
    suffix = target.suffix.lower()
    joined = _BY_SUFFIX.get(suffix, _join_plain)
    if suffix not in JOINED:
        raise CannotJoinError(f"“{target.name}” can't be put together: only {', '.join(JOINED)} can be, without loss.")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            joined(tiles, cut, target)
        except OSError as error:
            if error.errno is not None:
                raise  # the disk's, and no decoder's
            raise CannotJoinError(f"A tile of “{target.name}” can't be read: {error}.") from error
        except _DAMAGED as error:
            raise CannotJoinError(f"A tile of “{target.name}” can't be read: {error}.") from error


def _join_plain(tiles: Sequence[Path], cut: Cut, target: Path) -> None:
    kind = _PLAIN[target.suffix.lower()]
    with Image.open(tiles[0], formats=[kind]) as first:
        if isinstance(first, TiffImageFile) and max(first.tag_v2.get(BITSPERSAMPLE, (8,))) > 8:
            raise CannotJoinError(f"“{target.name}” has more than 8 bits per channel; write PNG or OpenEXR for that.")
        whole = Image.new(first.mode, first.size)
    boxes = cut(*whole.size)
    for path, box in zip(tiles, boxes, strict=True):
        with Image.open(path, formats=[kind]) as tile:
            if (tile.mode, tile.size) != (whole.mode, whole.size):
                raise CannotJoinError(f"The tiles of “{target.name}” differ in size or channels.")
            place = (box.left, box.top, box.right, box.bottom)
            whole.paste(tile.crop(place), place)
    whole.save(target, kind)
