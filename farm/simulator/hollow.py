"""A store of blobs without bytes: what a farm in virtual time has rendered takes no disk.

Only what the server itself writes has bytes: archives of the ledger, which an audit reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from farm.files.disk import DiskStore
from farm.files.store import Damage, Incoming, Stored, Usage
from farm.words.errors import WrongState

_DISK = 10**15
"""Bytes that it says it has: none are ever missing."""


class HollowStore:
    """Know the hashes and sizes of blobs; a :class:`farm.files.store.BlobStore` of which nobody reads the bytes.

    `beside`: a store for what the server writes itself; None: there is no place for that.
    """

    beside: DiskStore | None = None

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}
        self._full = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def note(self, digest: bytes, size: int) -> Stored:
        """Take a blob for stored."""
        self._full += size - self._sizes.get(digest, 0)
        self._sizes[digest] = size
        return Stored(digest.hex(), size)

    def size(self, sha256: str) -> int | None:
        """Return a blob's size, None if it is not here."""
        return self._sizes.get(bytes.fromhex(sha256))

    def delete(self, sha256: str, older_than: float) -> bool:
        """Remove a blob; all are old, since time passes as it is told to."""
        size = self._sizes.pop(bytes.fromhex(sha256), None)
        self._full -= size or 0
        return size is not None

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of all blobs whose hashes begin with these two digits."""
        return {name.hex(): size for name, size in self._sizes.items() if name.hex().startswith(folder)}

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
        return Usage(_DISK - self._full, _DISK)

    def arrived(self, upload: Any) -> int:
        """Return that nothing has arrived."""
        return 0

    def busy(self, upload: Any) -> bool:
        """Tell that nobody sends."""
        return False

    def incoming(self, *_: Any) -> Any:
        """Take in bytes, if there is a place for them."""
        if self.beside is None:
            raise WrongState("A simulated store takes no bytes.")
        return _Arriving(self, self.beside.incoming())

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
        """Return the file of what the server wrote; of all else there are no bytes."""
        if self.beside is None:
            raise WrongState("A simulated store has no bytes.")
        return self.beside.local(sha256)


class _Arriving:
    """Bytes that the server writes; the hollow store knows of them when they are kept."""

    def __init__(self, hollow: HollowStore, real: Incoming) -> None:
        self._hollow = hollow
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def keep(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Keep the bytes."""
        stored = self._real.keep(sha256, size)
        return self._hollow.note(bytes.fromhex(stored.sha256), stored.size)
