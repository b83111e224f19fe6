"""Results of frames that nobody rendered: small, valid, and of other bytes for each attempt."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import tarfile
import zlib
from dataclasses import dataclass
from functools import lru_cache

from farm.methods.sleep.picture import png

_END = 12
"""Bytes of a PNG's last chunk."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A result tar as it rides inside a report, its hash, and that of the file in it, if there is one."""

    inline: str
    sha256: str
    content: str


def packed(picture: int, attempt: int, *, size: int = 0, colour: int = 0) -> Packed:
    """Return the result of a picture.

    Args:
        picture: the renderer's number; the file's name follows it.
        attempt: which its bytes tell: so it is known whose came out.
        size: bytes that the file has at least.
        colour: of its pixels: a number as the `sleep` method's pictures have.
    """
    data, tar = _marked(_plain(size, colour), attempt), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as target:
        info = tarfile.TarInfo(f"output/{picture:04d}.png")
        info.size = len(data)
        target.addfile(info, io.BytesIO(data))
    # The end of a tar is two empty blocks; what pads it to 10 KB would only travel.
    whole = tar.getvalue()[: 512 + -(-len(data) // 512) * 512 + 1024]
    return Packed(base64.b64encode(whole).decode(), hashlib.sha256(whole).hexdigest(), hashlib.sha256(data).hexdigest())


@lru_cache(maxsize=8)
def _plain(size: int, colour: int) -> bytes:
    return png(colour, size)


def _marked(plain: bytes, attempt: int) -> bytes:
    """Return a picture with a remark in it: other bytes for each attempt, without painting each anew."""
    said = b"tEXt" + f"Comment\0attempt {attempt}".encode()
    remark = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
    end = len(plain) - _END
    return plain[:end] + remark + plain[end:]
