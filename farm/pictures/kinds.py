"""Which kind of file this is, by its first bytes: suffixes lie."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """How a file is looked at."""

    PILLOW = "pillow"
    """Decoded whole."""
    EXR = "exr"
    """Header, table of offsets and last block are checked."""
    OTHER = "other"
    """Only that it is not empty."""


_PICTURES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"\x01\xda",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
)
_EXR = b"\x76\x2f\x31\x01"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".tga", ".rgb", ".sgi", ".jp2", ".j2c"}
_EXR_SUFFIXES = {".exr"}


def kind(path: Path) -> Kind:
    """Return how to look at a file; a picture by its name must be one."""
    with path.open("rb") as stream:
        head = stream.read(16)
    suffix = path.suffix.lower()
    if head.startswith(_EXR) or suffix in _EXR_SUFFIXES:
        return Kind.EXR
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or suffix in _SUFFIXES:
        return Kind.PILLOW
    return Kind.OTHER
