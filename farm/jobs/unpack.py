"""Unpack a result tar into blobs, as it arrives, with bounded memory.

`tarfile` is synchronous: it runs in a thread of its own pool, which asks the event loop
for the next piece when it wants one. So a slow slave holds a thread of that pool and
nothing else, and memory is one piece per upload.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, cast

from farm.files.store import PIECE, BlobStore, Incoming, Stored, pieces
from farm.package.paths import checked_all
from farm.package.results import OUTPUT, Member, members
from farm.words.errors import HashMismatch, TooLarge, Unavailable, UnsafePackage

UPLOADS = 32
"""Results that are unpacked at the same time; more wait, and their slaves with them."""

PATIENCE = 120
"""Seconds that an upload may stand still."""

NAME = 500
"""Characters of an output's name that the database keeps."""

_HEADER = 4096
"""Bytes of a tar that are not its files', for each of these …"""

_OVERHEAD = 1000 * _HEADER + tarfile.RECORDSIZE
"""… and beside."""

_POOL = ThreadPoolExecutor(UPLOADS, thread_name_prefix="distren-unpack")


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a result, in the store by now."""

    role: str
    name: str
    stored: Stored


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A result whose files are all in the store; `tar` is the hash and size of the tar itself."""

    tar: Stored
    pieces: tuple[Piece, ...]


async def unpack_stream(store: BlobStore, stream: AsyncIterator[bytes], limit: int) -> Unpacked:
    """Unpack a result as it arrives.

    Args:
        store: where its files go.
        stream: the tar.
        limit: the most bytes of all its files together.

    Raises:
        UnsafePackage, TooLarge: it is not a result's tar.
        DiskFull: there is no space for it.
    """
    loop = asyncio.get_running_loop()
    pull = _Pull(loop, pieces(stream))
    work = loop.run_in_executor(_POOL, unpack, store, cast(BinaryIO, pull), limit)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        pull.abort()
        # Nobody waits for the thread any more, but its files must be gone before we are.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.shield(work)
        raise


@dataclass(frozen=True, slots=True)
class Opened:
    """A small result in memory: the tar's hash and size, and its files."""

    tar: Stored
    files: tuple[tuple[Member, bytes], ...]


def opened(data: bytes, sha256: str, limit: int) -> Opened:
    """Open a result that rode inside a report.

    Raises:
        HashMismatch: it is not the announced one.
        UnsafePackage, TooLarge: it is not a result's tar.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise HashMismatch(f"The result has the hash {found[:12]}…, not the announced {sha256[:12]}….")
    with _readable():
        files = tuple((member, _whole(member)) for member in members(io.BytesIO(data), limit))
        _names(member for member, _ in files)
    return Opened(Stored(found, len(data)), files)


def keep(store: BlobStore, result: Opened) -> Unpacked:
    """Put an opened result's files into the store; on any fault nothing of it stays. Blocking."""
    taken: list[tuple[Member, Incoming]] = []
    try:
        for member, data in result.files:
            taken.append((member, store.incoming(member.size)))
            taken[-1][1].write(data)
        return Unpacked(result.tar, _kept(store, taken))
    finally:
        for _, incoming in taken:
            incoming.drop()


def unpack(store: BlobStore, source: BinaryIO, limit: int) -> Unpacked:
    """Unpack a result tar; on any fault nothing of it stays. Blocking.

    All of its files are taken in before the first becomes a blob; one at a time is open, for there may be many.
    """
    counted = _Counted(source, limit + _OVERHEAD)
    taken: list[Incoming] = []
    found: list[Piece] = []
    try:
        with _readable():
            for member in members(cast(BinaryIO, counted), limit):
                counted.limit += _HEADER
                taken.append(store.incoming(member.size))
                copy_in(member, taken[-1])
                found.append(Piece(member.role, member.name, taken[-1].seal(size=member.size)))
            counted.drain()
            _names(found)
        _show(store, taken, found)
    finally:
        for incoming in taken:
            incoming.drop()
    return Unpacked(Stored(counted.digest.hexdigest(), counted.size), tuple(found))


def _kept(store: BlobStore, taken: list[tuple[Member, Incoming]]) -> tuple[Piece, ...]:
    """Make the files blobs, all of them durable before the first is seen."""
    found = tuple(Piece(member.role, member.name, incoming.seal(size=member.size)) for member, incoming in taken)
    _show(store, [incoming for _, incoming in taken], found)
    return found


def _show(store: BlobStore, taken: Iterable[Incoming], found: Iterable[Piece]) -> None:
    """Make durable files visible, then sync their folders once."""
    for incoming in taken:
        incoming.show()
    store.sync(piece.stored.sha256 for piece in found)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise UnsafePackage(f"The result is no readable tar: {error}.", hint="Send it again.") from error


def copy_in(member: Member, incoming: Incoming) -> None:
    """Take a member's bytes into the store.

    Raises:
        UnsafePackage: there are fewer than its header says.
    """
    left = member.size
    while left:
        piece = member.data.read(min(PIECE, left))
        if not piece:
            raise _cut(member)
        incoming.write(piece)
        left -= len(piece)


def _whole(member: Member) -> bytes:
    data = member.data.read(member.size)
    if len(data) < member.size:
        raise _cut(member)
    return data


def _cut(member: Member) -> UnsafePackage:
    return UnsafePackage(f"“{member.name[:120]}” in the tarball ends too early.", hint="Send it again.")


def _names(found: object) -> None:
    """Refuse names that can't stand beside each other, or that the database can't keep."""
    listed = [(m.role, m.name) for m in cast("list[Member]", found)]
    outputs = checked_all(name for role, name in listed if role == OUTPUT)
    if len(set(listed)) != len(listed):
        raise UnsafePackage("The result holds a file twice.")
    long = next((name for name in outputs if len(name) > NAME), None)
    if long:
        raise UnsafePackage(f"“{long[:120]}…” in the result has a name longer than {NAME} characters.")


class _Counted:
    """Hash and count what is read; refuse to read more than the limit."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.limit = limit
        self._source = source

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge(f"The result is larger than {self.limit:,} bytes.")
        return data

    def drain(self) -> None:
        while self.read(PIECE):
            pass


class _Pull:
    """A stream of the event loop, as a file that a thread reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: AsyncIterator[bytes]) -> None:
        self._loop = loop
        self._stream = stream
        self._held = memoryview(b"")
        self._asked: Future[bytes] | None = None
        self._aborted = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, fewer only at the end: `tarfile` takes less for the end."""
        found = [bytes(self._held[:size])]
        self._held = self._held[size:]
        count = len(found[0])
        while count < size and (piece := self._next()):
            found.append(piece[: size - count])
            self._held = memoryview(piece)[size - count :]
            count += len(found[-1])
        return b"".join(found)

    def abort(self) -> None:
        """Let the thread fail at its next piece."""
        self._aborted = True
        if self._asked is not None:
            self._asked.cancel()

    def _next(self) -> bytes:
        self._asked = asyncio.run_coroutine_threadsafe(self._piece(), self._loop)
        if self._aborted:
            raise CancelledError
        try:
            return self._asked.result(PATIENCE)
        except TimeoutError as error:
            self._asked.cancel()
            raise Unavailable(f"The upload stood still for {PATIENCE} seconds.") from error

    async def _piece(self) -> bytes:
        return await anext(self._stream, b"")
