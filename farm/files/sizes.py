"""Sizes of many blobs: a folder of names at a time, since a bucket takes as long to tell one as a thousand."""

from __future__ import annotations

from farm.files.store import BlobStore


class Sizes:
    """What a store has; ask in the order of hashes, so that each folder is looked at once.

    Args:
        store: the store.
    """

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._folder = ""
        self._known: dict[str, int] = {}

    def of(self, sha256: str, expected: int) -> int | None:
        """Return a blob's size, None if it is not there. Blocking.

        What is not as expected is looked at once more: it may have come since its folder was looked at.
        """
        if sha256[:2] != self._folder:
            self._folder, self._known = sha256[:2], self._store.sizes(sha256[:2])
        return expected if self._known.get(sha256) == expected else self._store.size(sha256)
