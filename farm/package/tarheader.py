"""Headers of tar members that are not trusted."""

from __future__ import annotations

import tarfile
from typing import Self

from farm.words.errors import UnsafePackage

LARGEST = 64 * 1024
"""The most bytes of one extended header (long names)."""

_EXTENDED = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


class Header(tarfile.TarInfo):
    """A header that can't make `tarfile` read gigabytes of names into memory, or go backwards."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header."""
        info = super().frombuf(buf, encoding, errors)
        if info.size < 0 or (info.type in _EXTENDED and info.size > LARGEST):
            raise UnsafePackage("The tarball holds a header of an absurd size.")
        return info
