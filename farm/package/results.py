"""A frame's result on its way: one tar with `output/…`, `thumbnail.webp` and `log.txt`."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from farm.package.paths import checked
from farm.package.tarheader import Header
from farm.words.errors import TooLarge, UnsafePackage

OUTPUT, THUMBNAIL, LOG = "output", "thumbnail", "log"
_SINGLE = {"thumbnail.webp": THUMBNAIL, "log.txt": LOG}

MEMBERS = 20_000
"""The most files that one frame's result may have: a bake brings some for each frame that it simulated."""

BUFFER = 256 * 1024
"""Bytes that are read at once; `tarfile`'s own 10 KB cost more than the hashing."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a result. `role` is output, thumbnail or log; `name` the artist's name of an output."""

    role: str
    name: str
    size: int
    data: IO[bytes]


def pack(target: BinaryIO, output: dict[str, Path], thumbnail: Path | None = None, log: Path | None = None) -> None:
    """Write a result tar that depends on the files' bytes and names only.

    Args:
        target: where the tar goes.
        output: the frame's files by the names that the artist wants to see.
        thumbnail: a small WebP picture.
        log: the end of the renderer's output.
    """
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(output):
            _add(tar, f"output/{checked(name)}", output[name])
        for name, path in (("thumbnail.webp", thumbnail), ("log.txt", log)):
            if path is not None:
                _add(tar, name, path)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    with path.open("rb") as data:
        info = tarfile.TarInfo(name)
        info.size = path.stat().st_size
        info.mode = 0o644
        tar.addfile(info, data)


def members(source: BinaryIO, limit: int) -> Iterator[Member]:
    """Read a result tar member by member, as a stream; each must be read before the next.

    Args:
        source: the tar.
        limit: the most bytes of all members together.

    Raises:
        UnsafePackage: no tar, or a member that is no plain file of a result.
        TooLarge: more bytes or members than allowed.
    """
    total = 0
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=BUFFER, tarinfo=Header) as tar:
            for count, info in enumerate(tar, 1):
                member = _member(tar, info)
                total += member.size
                if total > limit or count > MEMBERS:
                    raise TooLarge(f"The result is larger than {limit:,} bytes or {MEMBERS:,} files.")
                yield member
    except tarfile.TarError as error:
        raise UnsafePackage(f"The result is no readable tar: {error}.") from error


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if not info.isreg() or info.issparse() or info.size < 0:
        raise UnsafePackage(f"“{info.name[:120]}” in the result is no plain file.")
    if info.name in _SINGLE:
        role, name = _SINGLE[info.name], info.name
    elif info.name.startswith("output/"):
        role, name = OUTPUT, checked(info.name.removeprefix("output/"))
    else:
        raise UnsafePackage(f"“{info.name[:120]}” does not belong into a result.")
    data = tar.extractfile(info)
    assert data is not None
    return Member(role, name, info.size, data)
