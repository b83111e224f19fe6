"""Read a tar as it arrives over HTTP, with bounded memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from farm.words.errors import Unavailable


class _Arriving(io.RawIOBase):
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            self._rest = self._rest or next(self._pieces, b"")
            if not self._rest:
                break
            part = self._rest[: size - len(taken)]
            taken += part
            self._rest = self._rest[len(part) :]
        return bytes(taken)


def unpacked(pieces: Iterator[bytes]) -> Iterator[tuple[str, int, BinaryIO]]:
    """Yield the plain files of a tar: name, size, and the bytes, to be read before the next is asked for.

    Raises:
        Unavailable: it broke off, or is no tar.
    """
    try:
        with tarfile.open(fileobj=cast(BinaryIO, _Arriving(pieces)), mode="r|") as tar:
            for member in tar:
                data = tar.extractfile(member) if member.isreg() else None
                if data is not None:
                    yield member.name, member.size, cast(BinaryIO, data)
    except (tarfile.TarError, EOFError) as error:
        raise Unavailable(f"A bundle did not arrive whole: {error}.", hint="Try again.") from error
