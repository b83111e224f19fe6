"""Which file of a frame is its picture, and a folder in which ffmpeg finds all of them by number."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from farm.methods.inside.trouble import Trouble

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".tga", ".exr")
_SEEN = ".view.png"
"""Ends the names of pictures that a renderer wrote through its view transform, beside those that can't be shown."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Numbered pictures: ffmpeg's pattern, how many, whether they are transparent in places, and linear."""

    pattern: str
    count: int
    alpha: bool
    linear: bool


def chosen(folders: list[Path]) -> list[Path]:
    """Return one picture of each frame: the one through the view transform, else the first beside no other.

    Raises:
        Trouble: a frame has none, or they are of several kinds.
    """
    pictures = [_main(folder) for folder in folders]
    kinds = {picture.suffix.lower() for picture in pictures}
    if len(kinds) > 1:
        raise Trouble(f"The pictures are of several kinds: {', '.join(sorted(kinds))}.")
    return pictures


def linked(pictures: list[Path], folder: Path) -> Sequence:
    """Number pictures without gaps, by links in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    suffix = pictures[0].suffix.lower()
    for place, picture in enumerate(pictures):
        (folder / f"{place:08d}{suffix}").symlink_to(picture.absolute())
    alpha = any(_transparent(picture) for picture in (pictures[0], pictures[-1]))
    return Sequence(str(folder / f"%08d{suffix}"), len(pictures), alpha, suffix == ".exr")


def _main(folder: Path) -> Path:
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in _SUFFIXES]
    if not found:
        raise Trouble(f"Frame {folder.name} has no picture.")
    depth = len(folder.parts)
    return min(found, key=lambda path: (not path.name.endswith(_SEEN), len(path.parts) - depth, path.name))


def _transparent(picture: Path) -> bool:
    """Tell whether a picture has alpha; those that Pillow does not know are taken for opaque."""
    try:
        with Image.open(picture) as image:
            return "A" in image.getbands()
    except (UnidentifiedImageError, OSError):
        return False
