"""Decode a picture wholly, and say what is in it. Runs in the limited child only."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from farm.pictures.exr import check_exr
from farm.pictures.facts import Facts
from farm.pictures.kinds import Kind, kind
from farm.pictures.thumbnail import write_thumbnail

MOST_PIXELS = 300_000_000
"""The largest picture that is decoded, in pixels: 16k × 16k and a bit."""

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "SGI", "JPEG2000")
SKETCH = 4
"""Pixels of a sketch, each way."""

GRAIN = 16
"""Single pixels of a picture that are kept, each way."""

_BAND = 256
"""Rows hashed at once: small against the picture itself."""


def look(path: Path, thumbnail: Path | None = None) -> Facts:
    """Check a file, and make its thumbnail if it can be decoded.

    Args:
        path: the file.
        thumbnail: where the thumbnail goes; None: none is wanted.
    """
    if path.stat().st_size == 0:
        return Facts(False, "The file is empty.")
    match kind(path):
        case Kind.EXR:
            return check_exr(path)
        case Kind.PILLOW:
            return _decoded(path, thumbnail)
        case Kind.OTHER:
            return Facts(True, "Files of this kind are not looked at.")


def _decoded(path: Path, thumbnail: Path | None) -> Facts:
    return opened(path, lambda image: facts(image, thumbnail))


def opened(path: Path, look_at: Callable[[Image.Image], Facts]) -> Facts:
    """Return what is found by looking at a picture, or why it can't be opened or decoded.

    Args:
        path: the file; Pillow must know its kind.
        look_at: what looks at it.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=_formats(path)) as image:
                return look_at(image)
        except UnidentifiedImageError:
            return Facts(False, "This is no picture, or its beginning is damaged.")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
            return Facts(False, f"The picture is larger than {MOST_PIXELS:,} pixels or the memory for it.")
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
            # Pillow's decoders raise all of these for damaged files.
            return Facts(False, f"The picture can't be decoded: {error}.")


def _formats(path: Path) -> tuple[str, ...]:
    """Return what a file may be: nearly any bytes pass as a Targa, so only one by name may be one."""
    return ("TGA",) if path.suffix.lower() == ".tga" else FORMATS


def facts(image: Image.Image, thumbnail: Path | None = None) -> Facts:
    """Decode a picture, and return what is in it; `thumbnail`: where that goes."""
    if image.width * image.height > MOST_PIXELS:
        raise Image.DecompressionBombError
    image.load()
    if thumbnail is not None:
        write_thumbnail(image, thumbnail)
    return Facts(
        True,
        width=image.width,
        height=image.height,
        channels=len(image.getbands()),
        pixels=pixel_hash(image),
        sketch=sketch(image),
        grain=grain(image),
        uniform=uniform(image),
        thumbnail=thumbnail is not None,
    )


def pixel_hash(image: Image.Image) -> str:
    """Return the SHA-256 (hex) of mode, size and decoded pixels.

    Pillow decodes three channels of 16 bits to 8, so differences below that are not seen.
    """
    digest = hashlib.sha256(f"{image.mode} {image.width} {image.height}\n".encode())
    for top in range(0, image.height, _BAND):
        digest.update(image.crop((0, top, image.width, min(top + _BAND, image.height))).tobytes())
    return digest.hexdigest()


def sketch(image: Image.Image) -> str:
    """Return the means of a picture's sixteenths, as hex; of 16 bits, there is none."""
    if image.mode not in ("L", "LA", "P", "RGB", "RGBA"):
        return ""
    plain = image.convert("RGB") if image.mode == "P" else image
    small = plain.resize((SKETCH, SKETCH), Image.Resampling.BOX, reducing_gap=1.0)
    return small.convert("RGB").tobytes().hex()


def grain(image: Image.Image) -> str:
    """Return single pixels of a picture, evenly spread, as hex; of 16 bits, there are none."""
    if image.mode not in ("L", "LA", "P", "RGB", "RGBA"):
        return ""
    return image.resize((GRAIN, GRAIN), Image.Resampling.NEAREST).convert("RGB").tobytes().hex()


def uniform(image: Image.Image) -> bool:
    """Tell whether all pixels are equal: black, or the one colour of a missing world."""
    bands = [image.getchannel(band) for band in image.getbands()] if len(image.getbands()) > 1 else [image]
    return all(low == high for low, high in (band.getextrema() for band in bands))
