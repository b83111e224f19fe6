"""The one form of a package: an uncompressed tar that depends on names and bytes only.

First `distrenjob.xml`, then all files by their names; times, owners and modes are always the same.
"""

from __future__ import annotations

import tarfile
from typing import BinaryIO

from farm.package.hashing import CHUNK


def header(path: str, size: int) -> bytes:
    """Return a file's header.

    Args:
        path: its path in the job.
        size: its bytes.
    """
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return what follows a file of this size."""
    return bytes(-size % tarfile.BLOCKSIZE)


def ending(length: int) -> bytes:
    """Return the end of a tar.

    Args:
        length: bytes before it.
    """
    rest = length + 2 * tarfile.BLOCKSIZE
    return bytes(2 * tarfile.BLOCKSIZE + -rest % tarfile.RECORDSIZE)


def write_file(target: BinaryIO, path: str, size: int, source: BinaryIO) -> int:
    """Write a file with its header; return the bytes that were written."""
    head = header(path, size)
    target.write(head)
    left = size
    while left and (piece := source.read(min(CHUNK, left))):
        target.write(piece)
        left -= len(piece)
    if left:
        raise OSError(f"{path} became shorter while it was packed")
    target.write(padding(size))
    return len(head) + size + len(padding(size))
