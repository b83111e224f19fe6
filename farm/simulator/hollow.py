"""A store of blobs without bytes: what a farm in virtual time has rendered takes no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from farm.files.store import Damage, Stored, Usage
from farm.words.errors import WrongState

_DISK = 10**15
"""Bytes that it says it has: none are ever missing."""


class HollowStore:
    """Know the hashes and sizes of blobs; a :class:`farm.files.store.BlobStore` of which nobody reads the bytes."""

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._sizes)

    def note(self, digest: bytes, size: int) -> Stored:
        """Take a blob for stored."""
        self._sizes[digest] = size
        return Stored(digest.hex(), size)

    def size(self, sha256: str) -> int | None:
        """Return a blob's size, None if it is not here."""
        return self._sizes.get(bytes.fromhex(sha256))

    def delete(self, sha256: str, older_than: float) -> bool:
        """Remove a blob; all are old, since time passes as it is told to."""
        return self._sizes.pop(bytes.fromhex(sha256), None) is not None

    def damage(self, sha256: str) -> Damage | None:
        """Return None: there are no bytes that could be others."""

    def spoil(self, sha256: str) -> None:
        """Take away a blob."""
        self.delete(sha256, 0)

    def hashes(self) -> Iterator[str]:
        """Yield the hashes of all blobs."""
        return (digest.hex() for digest in list(self._sizes))

    def aside(self, older_than: float) -> Iterator[str]:
        """Yield nothing: what is removed is gone."""
        return iter(())

    def settle(self, sha256: str, *, wanted: bool) -> None:
        """Do nothing."""

    def sync(self, hashes: Iterable[str]) -> None:
        """Do nothing."""

    def tidy(self, older_than: float) -> None:
        """Do nothing."""

    def usage(self) -> Usage:
        """Return how full it is."""
        return Usage(_DISK - sum(self._sizes.values()), _DISK)

    def arrived(self, upload: Any) -> int:
        """Return that nothing has arrived."""
        return 0

    def busy(self, upload: Any) -> bool:
        """Tell that nobody sends."""
        return False

    def incoming(self, *_: Any) -> NoReturn:
        """Refuse: there is no place for bytes."""
        raise WrongState("A simulated store takes no bytes.")

    def spool(self, *_: Any) -> NoReturn:
        """Refuse."""
        raise WrongState("A simulated store takes no bytes.")

    def way_out(self, *_: Any) -> None:
        """Return that there is no other way to bytes."""

    def way_in(self, *_: Any) -> None:
        """Return that there is no other way in."""

    def take(self, *_: Any) -> NoReturn:
        """Refuse."""
        raise WrongState("A simulated store takes no bytes.")

    def open_range(self, *_: Any) -> NoReturn:
        """Refuse."""
        raise WrongState("A simulated store has no bytes.")

    def local(self, sha256: str) -> Path:
        """Refuse."""
        raise WrongState("A simulated store has no bytes.")
