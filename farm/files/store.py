"""Where bytes are kept, under the hash of what they are.

A blob is never visible before it is whole, checked and durable. Behind this protocol
stands a folder (:class:`farm.files.disk.DiskStore`) or a bucket (:class:`farm.files.bucket.BucketStore`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from farm.files.partials import Upload
from farm.words.errors import BrokenOff

PIECE = 1024 * 1024
"""Bytes that are handed to the disk at once: all that an upload holds in memory."""


NOTICED = 20
"""Tenths of a second after which an upload that is still busy is another client's."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are here, durably."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Way:
    """Where to PUT bytes, and with which headers."""

    address: str
    headers: dict[str, str]


class Damage(Enum):
    """What of a blob has other bytes than its name says."""

    BLOB = "blob"
    """The blob itself."""
    COPY = "copy"
    """Only this machine's copy of it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of the disk under a store."""

    free: int
    total: int


class Incoming(Protocol):
    """Bytes on their way into a store. Blocking: use it in a thread."""

    def write(self, piece: bytes) -> None:
        """Take more bytes."""

    def keep(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Make the bytes a blob, if they are the announced ones; durable when it returns."""

    def seal(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Take the bytes as complete, if they are the announced ones; they are durable, but no blob yet."""

    def show(self) -> None:
        """Make sealed bytes a blob; it is durable after :meth:`BlobStore.sync`."""

    def drop(self) -> None:
        """Forget the bytes, if they were not kept; may be called in any state."""

    def leave(self) -> None:
        """End without the rest: the bytes of an upload stay for its next try, all others are forgotten."""


class Spool(Protocol):
    """Bytes that are kept aside while an upload arrives, in case it breaks off. Blocking: use it in a thread."""

    def read(self, size: int) -> bytes:
        """Return the next of the bytes that an earlier try left; empty at their end."""

    def write(self, piece: bytes) -> None:
        """Add bytes behind them."""

    def drop(self) -> None:
        """Forget them: they are not needed any more."""

    def leave(self) -> None:
        """Keep them for the next try, unless they were dropped."""


class BlobStore(Protocol):
    """A store of blobs."""

    def arrived(self, upload: Upload) -> int:
        """Return how many bytes of an upload that broke off are here. Blocking."""

    def busy(self, upload: Upload) -> bool:
        """Tell whether somebody is sending it now, or has broken off unnoticed. Blocking."""

    def incoming(self, limit: int | None = None, upload: Upload | None = None, start: int = 0) -> Incoming:
        """Begin to take in bytes, at most `limit` of them, or go on behind the first `start`. Blocking.

        Args:
            limit: the most bytes.
            upload: whose they are, if they are to be gone on with when they break off.
            start: bytes of it that an earlier try left.

        Raises:
            WrongOffset: it left fewer.
            DiskFull: there is no space for so many.
        """

    def spool(self, upload: Upload, start: int = 0) -> Spool:
        """Begin to keep an upload's bytes aside, or go on behind the first `start`; raises like :meth:`incoming`."""

    def way_out(self, sha256: str, headers: Mapping[str, str], browser: bool) -> str | None:
        """Return an address elsewhere by which a blob can be fetched for a while; None: only from us.

        Args:
            sha256: the blob's hash.
            headers: what the answer is to say of it.
            browser: a browser asks, which can't come back if it does not reach the address.
        """

    def way_in(self, sender: str, sha256: str, size: int) -> Way | None:
        """Return how bytes can be sent past us, by whom; None: only through us. Blocking."""

    def take(self, sender: str, sha256: str, size: int) -> None:
        """Make a blob of what was sent so; durable when it returns. Blocking.

        Raises:
            FileNotHere: it was not sent, or not by them.
        """

    def sync(self, hashes: Iterable[str]) -> None:
        """Make blobs durable that were shown just now. Blocking."""

    def open_range(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to before `end`; None: to the last."""

    def size(self, sha256: str) -> int | None:
        """Return a blob's size, None if it is not here. Blocking."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of all blobs whose hashes begin with these two digits. Blocking."""

    def local(self, sha256: str) -> Path:
        """Return a file of this machine with a blob's bytes, or where it would be. Blocking.

        Raises:
            FileNotHere: a store elsewhere does not have them.
        """

    def delete(self, sha256: str, older_than: float) -> bool:
        """Remove a blob unless it was put again within the last `older_than` seconds."""

    def damage(self, sha256: str) -> Damage | None:
        """Read all of a blob, where it is kept and what this machine has a copy of; None: all is as it should be.

        Raises:
            FileNotHere: it is not here.
        """

    def spoil(self, sha256: str) -> None:
        """Take away a blob whose bytes are not what its name says; they stay in a folder, for a person to look at."""

    def aside(self, older_than: float) -> Iterator[str]:
        """Yield the hashes of removed blobs of which there is a copy, made before the last `older_than` seconds."""

    def settle(self, sha256: str, *, wanted: bool) -> None:
        """Forget a removed blob's copy; put it back before, if it is wanted after all."""

    def tidy(self, older_than: float) -> None:
        """Clear what killed processes left; `older_than` seconds without a write an upload counts as left."""

    def hashes(self) -> Iterator[str]:
        """Yield the hashes of all blobs, in no order."""

    def usage(self) -> Usage:
        """Return how full the store is."""


def hash_of(pieces: Iterable[bytes]) -> str:
    """Return the hash of bytes that come in pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


async def pieces(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Join a stream's small chunks to pieces of about :data:`PIECE` bytes, so that few of them cross to a thread."""
    held: list[bytes] = []
    size = 0
    try:
        async for chunk in stream:
            held.append(chunk)
            size += len(chunk)
            if size >= PIECE:
                yield b"".join(held)
                held, size = [], 0
    except BrokenOff:
        # It broke off: what arrived until then need not be sent again.
        if size:
            yield b"".join(held)
        raise
    if size:
        yield b"".join(held)


async def offset(store: BlobStore, upload: Upload) -> int:
    """Return where an upload goes on; its sender may know that it broke off a moment before we do."""
    for _ in range(NOTICED):
        if not await asyncio.to_thread(store.busy, upload):
            break
        await asyncio.sleep(0.1)
    return await asyncio.to_thread(store.arrived, upload)


async def kept_aside(spool: Spool, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Give what an earlier try left, then a stream, of which each piece is kept aside first."""
    while piece := await asyncio.to_thread(spool.read, PIECE):
        yield piece
    async for piece in pieces(stream):
        await asyncio.to_thread(spool.write, piece)
        yield piece


async def take_in(
    store: BlobStore,
    stream: AsyncIterable[bytes],
    sha256: str | None = None,
    size: int | None = None,
    upload: Upload | None = None,
    start: int = 0,
) -> Stored:
    """Put a stream into a store; nothing stays of one that breaks off, unless it may go on later.

    Args:
        store: where the bytes go.
        stream: the bytes.
        sha256: the announced hash, in hex, of all bytes.
        size: the announced number of all bytes.
        upload: what goes on later if it breaks off.
        start: bytes that an earlier try left.

    Raises:
        HashMismatch, LengthMismatch: the bytes are not the announced ones.
        WrongOffset: an earlier try left fewer bytes.
        DiskFull: there is no space for them.
    """
    incoming = await asyncio.to_thread(store.incoming, size, upload, start)
    try:
        async for piece in pieces(stream):
            await asyncio.to_thread(incoming.write, piece)
        return await asyncio.to_thread(incoming.keep, sha256, size)
    finally:
        incoming.leave()
