"""Read the first bytes of a .blend: version, frame range, scene; no Blender needed."""

from __future__ import annotations

import gzip
import io
import re
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from farm.words.errors import Refused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZSTD, GZIP, MAGIC = b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"BLENDER"
_OLD = re.compile(rb"BLENDER([_-])([vV])(\d)(\d\d)")
_NEW = re.compile(rb"BLENDER(\d\d)-(\d\d)v(\d\d)(\d\d)")
_BLOCK_LIMIT = 1 << 50
"""No block of a real file is larger: a larger length is garbage."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a .blend says in its first bytes. The range and scene are those at saving; None: not there."""

    version: str
    compressed: bool
    start: int | None = None
    end: int | None = None
    scene: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    version: str
    block: struct.Struct
    length_at: int


def read_header(path: Path) -> Header:
    """Read a .blend's header and its REND block; well below a millisecond.

    Raises:
        Refused: no .blend, or one that ends too early.
    """
    try:
        with path.open("rb") as raw:
            stream, compressed = _plain(raw)
            layout = _layout(path, stream)
            return _with_range(layout, stream, compressed)
    except (EOFError, zstd.ZstdError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"{path} is damaged: {error or 'it ends too early'}.", hint=_AGAIN) from error
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror}.") from error


def check_whole(path: Path) -> None:
    """Walk over a .blend's blocks to its end mark.

    Raises:
        Refused: the file is truncated or garbage.
    """
    try:
        with path.open("rb") as raw:
            stream, compressed = _plain(raw)
            layout = _layout(path, stream)
            _walk(path, stream, layout, None if compressed else path.stat().st_size)
    except (EOFError, zstd.ZstdError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"{path} is damaged: {error or 'it ends too early'}.", hint=_AGAIN) from error
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror}.") from error


_AGAIN = "Save it again in Blender, or copy it anew."


def _plain(raw: BinaryIO) -> tuple[BinaryIO, bool]:
    magic = raw.read(4)
    raw.seek(0)
    if magic == ZSTD:
        return cast(BinaryIO, zstd.ZstdFile(raw)), True
    if magic[:2] == GZIP:
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw)), True
    return raw, False


def _layout(path: Path, stream: BinaryIO) -> _Layout:
    start = _exactly(stream, 12) if path.stat().st_size >= 12 else b""
    old = _OLD.fullmatch(start)
    if old:
        pointer, endian = ("Q" if old[1] == b"-" else "I"), ("<" if old[2] == b"v" else ">")
        return _Layout(f"{int(old[3])}.{int(old[4])}", struct.Struct(f"{endian}4si{pointer}ii"), 1)
    new = _NEW.fullmatch(start + _exactly(stream, 5)) if start.startswith(MAGIC) else None
    if new and int(new[1]) == 17:
        return _Layout(f"{int(new[3])}.{int(new[4])}", struct.Struct("<4siQqq"), 3)
    if start.startswith(MAGIC):
        raise Refused(f"{path} has a form that is unknown here: a newer Blender wrote it.", hint="Update DistRen.")
    raise Refused(f"{path} is no .blend file.", hint="Name a file that Blender saved.")


def _with_range(layout: _Layout, stream: BinaryIO, compressed: bool) -> Header:
    for _ in range(8):  # REND is first, or behind a test block or two
        fields = layout.block.unpack(_exactly(stream, layout.block.size))
        length = int(fields[layout.length_at])
        if fields[0] == b"REND":
            data = _exactly(stream, min(length, 600))
            start, end = struct.unpack(f"{layout.block.format[0]}ii", data[:8])
            return Header(layout.version, compressed, start, end, data[8:].split(b"\0")[0].decode(errors="replace"))
        if not 0 <= length < _BLOCK_LIMIT or fields[0] in (b"GLOB", b"ENDB"):
            break
        _skip(stream, length)
    return Header(layout.version, compressed)


def _walk(path: Path, stream: BinaryIO, layout: _Layout, size: int | None) -> None:
    while True:
        head = _exactly(stream, 4)
        if head == b"ENDB":
            return
        fields = layout.block.unpack(head + _exactly(stream, layout.block.size - 4))
        length = int(fields[layout.length_at])
        if not 0 <= length < _BLOCK_LIMIT or (size is not None and stream.tell() + length > size):
            raise Refused(f"{path} is damaged: it ends too early.", hint=_AGAIN)
        _skip(stream, length)


def _skip(stream: BinaryIO, length: int) -> None:
    if isinstance(stream, io.BufferedReader):
        stream.seek(length, io.SEEK_CUR)
        return
    while length:
        length -= len(_exactly(stream, min(length, 1 << 20)))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    if length < 0:
        raise EOFError("it holds a length below zero")
    parts: list[bytes] = []
    while length:
        part = stream.read(length)
        if not part:
            raise EOFError("it ends too early")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
