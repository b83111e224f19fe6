"""Small pictures for lists."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

SIDE = 320
"""The longer side, in pixels."""

_QUALITY = 80
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N"}


def write_thumbnail(image: Image.Image, target: Path) -> None:
    """Write a WebP picture of at most 320×320 pixels."""
    small = _shrunk(image)
    small.save(target, "WEBP", quality=_QUALITY, method=2)


def _shrunk(image: Image.Image) -> Image.Image:
    flat = _flat(image)
    # A copy is resized, since the picture itself is hashed after this.
    small = flat.copy() if flat is image else flat
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return small


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture with 8 bits per channel, with alpha if it has one."""
    if image.mode in _DEEP:
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode == "F":
        return image.point(lambda value: value * 255).convert("L").convert("RGB")
    alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    wanted = "RGBA" if alpha else "RGB"
    return image if image.mode == wanted else image.convert(wanted)
