"""Results of frames that nobody rendered: small, valid, and of other bytes for each frame."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from dataclasses import dataclass

from farm.methods.sleep.picture import png


@dataclass(frozen=True, slots=True)
class Packed:
    """A result tar as it rides inside a report, and its hash."""

    inline: str
    sha256: str


def packed(picture: int, size: int = 0) -> Packed:
    """Return the result of a picture.

    Args:
        picture: the renderer's number; the file's name and pixels follow it.
        size: bytes that the file has at least.
    """
    data, tar = png(picture, size), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as target:
        info = tarfile.TarInfo(f"output/{picture:04d}.png")
        info.size = len(data)
        target.addfile(info, io.BytesIO(data))
    # The end of a tar is two empty blocks; what pads it to 10 KB would only travel.
    whole = tar.getvalue()[: 512 + -(-len(data) // 512) * 512 + 1024]
    return Packed(base64.b64encode(whole).decode(), hashlib.sha256(whole).hexdigest())
