"""A file's bytes, on their way to a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from farm.client.patience import OnBytes
from farm.package.hashing import CHUNK
from farm.words.errors import LengthMismatch


def chunks(path: Path, part: range, on_bytes: OnBytes) -> Iterator[bytes]:
    """Yield a part of a file.

    Args:
        path: the file.
        part: which of its bytes.
        on_bytes: is told of bytes that were sent.

    Raises:
        LengthMismatch: the file has become longer or shorter.
    """
    left = len(part)
    with path.open("rb") as stream:
        stream.seek(part.start)
        while left and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
            on_bytes(len(chunk))
        if left or stream.read(1):
            raise LengthMismatch(f"“{path.name}” changed while it was sent.", hint="Save it, then submit again.")
