"""A tar of blobs that nobody ever writes down: any range of its bytes comes straight from the store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from farm.files.store import BlobStore, Stored
from farm.package import canonical


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the tar: `data` is where its bytes are, or they themselves."""

    path: str
    data: Stored | bytes

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.size

    @property
    def sha256(self) -> str:
        """Its hash, in hex."""
        return hashlib.sha256(self.data).hexdigest() if isinstance(self.data, bytes) else self.data.sha256


class TarStream:
    """The tar.

    Args:
        members: its files, in this order.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = list(members)
        self._heads = [len(canonical.header(member.path, member.size)) for member in self._members]
        self._body = sum(map(self._length, range(len(self._members))))
        self.size = self._body + len(canonical.ending(self._body))

    @property
    def sha256(self) -> str:
        """A hash of all that its bytes depend on (not of the bytes)."""
        digest = hashlib.sha256()
        for member in self._members:
            digest.update(f"{member.path}\0{member.size}\0{member.sha256}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    async def open_range(self, store: BlobStore, start: int, end: int) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to before `end`."""
        place = 0
        for number, member in enumerate(self._members):
            after = place + self._length(number)
            if place >= end:
                return
            if after > start:
                async for piece in self._part(store, member, max(0, start - place), min(after, end) - place):
                    yield piece
            place = after
        if place < end:
            yield canonical.ending(self._body)[max(0, start - place) : end - place]

    async def _part(self, store: BlobStore, member: Member, start: int, end: int) -> AsyncIterator[bytes]:
        """Give some of a member's header, bytes and padding."""
        head = canonical.header(member.path, member.size)
        if start < len(head):
            yield head[start:end]
        first, last = max(0, start - len(head)), min(member.size, end - len(head))
        if first < last and isinstance(member.data, bytes):
            yield member.data[first:last]
        elif first < last:
            async for piece in store.open_range(member.sha256, first, last):
                yield piece
        behind = len(head) + member.size
        if end > behind:
            yield canonical.padding(member.size)[max(0, start - behind) : end - behind]

    def _length(self, number: int) -> int:
        size = self._members[number].size
        return self._heads[number] + size + len(canonical.padding(size))
