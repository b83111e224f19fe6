"""Read a job's tarball member by member, as a stream: `.tar`, `.tar.gz` or `.tar.zst`.

The tar policy: regular files and folders only, under paths that are safe on every system;
limits on bytes, members, headers, and on how much a compressed one may grow.
"""

from __future__ import annotations

import gzip
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from farm.package.paths import checked
from farm.package.results import BUFFER, Member
from farm.package.tarheader import Header
from farm.words.errors import TooLarge, UnsafePackage

FILE = "file"
"""The role of a job's file."""

MEMBERS = 100_000
"""The most members that a job's tarball may have."""

GROWTH, FREE = 200, 64 * 1024 * 1024
"""How many times its size a tarball may grow, once it is larger than FREE bytes; scenes rarely grow 20 times."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z", b"Rar!": "rar"}


def entries(source: BinaryIO, limit: int) -> Iterator[Member]:
    """Read a job's tarball; each member must be read before the next.

    Args:
        source: the tarball, that can seek.
        limit: the most bytes of all members together.

    Raises:
        UnsafePackage: no tarball, a member that is no plain file or folder, or a bomb.
        TooLarge: more bytes or members than allowed.
    """
    total = 0
    with _readable(), tarfile.open(fileobj=_opened(source), mode="r|", bufsize=BUFFER, tarinfo=Header) as tar:
        for count, info in enumerate(tar, 1):
            if count > MEMBERS:
                raise TooLarge(f"The tarball has more than {MEMBERS:,} members.")
            member = _entry(tar, info)
            if member is None:
                continue
            total += member.size
            if total > limit:
                raise TooLarge(f"The tarball's files are more than the {limit:,} bytes that are left for them.")
            yield member


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError, ValueError) as error:
        raise UnsafePackage(f"This is no readable tarball: {error}.", hint="Pack it anew with tar.") from error


def _opened(source: BinaryIO) -> BinaryIO:
    head = source.read(6)
    source.seek(0)
    other = next((name for mark, name in _OTHERS.items() if head.startswith(mark)), None)
    if other:
        raise UnsafePackage(f"The tarball is compressed by {other}.", hint="Use .tar, .tar.gz or .tar.zst.")
    raw = _Counted(source)
    if head.startswith(_GZIP):
        return cast(BinaryIO, _Bounded(gzip.GzipFile(fileobj=cast(BinaryIO, raw)), raw))
    if head.startswith(_ZSTD):
        return cast(BinaryIO, _Bounded(zstd.ZstdFile(cast(BinaryIO, raw)), raw))
    return source


def _entry(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member | None:
    """Return a member that is a file; None for a folder."""
    name = info.name.removeprefix("./")
    if info.isdir():
        if name.rstrip("/") not in ("", "."):
            checked(name.rstrip("/"))
        return None
    if not info.isreg() or info.issparse():
        raise UnsafePackage(
            f"“{info.name[:120]}” in the tarball is no plain file.", hint="Links and devices don't belong into a job."
        )
    data = tar.extractfile(info)
    assert data is not None
    return Member(FILE, checked(name), info.size, cast(IO[bytes], _Data(data)))


class _Data:
    """A member's bytes; whoever reads them is told of a tarball that ends too early, in our words."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def read(self, size: int = -1) -> bytes:
        with _readable():
            return self._inner.read(size)


class _Counted:
    """Count the bytes that are read."""

    def __init__(self, source: BinaryIO) -> None:
        self.count = 0
        self._source = source

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.count += len(data)
        return data


class _Bounded:
    """Decompressed bytes, until they are many times as many as the compressed ones."""

    def __init__(self, source: object, raw: _Counted) -> None:
        self._source = cast(BinaryIO, source)
        self._raw = raw
        self._count = 0

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._count += len(data)
        if self._count > FREE and self._count > GROWTH * self._raw.count:
            raise UnsafePackage(
                f"The tarball grows to more than {GROWTH} times its size.", hint="Send it as plain .tar."
            )
        return data
