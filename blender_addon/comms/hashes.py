"""SHA-256 of the artist's files: read in pieces, so that it can be stopped; what is known is not read."""

from __future__ import annotations

import hashlib
import os
import threading

from ..hashcache import NAME, HashCache
from .folders import user_folder
from .link import CHUNK, OnBytes
from .trouble import Stopped, Trouble


class Hashes:
    """What is known of this user's files, to the `distren` command too; usable from several threads."""

    def __init__(self, path: str = "") -> None:
        self._cache = HashCache(path or os.path.join(user_folder("cache"), NAME))

    def of(self, path: str, on_bytes: OnBytes, stop: threading.Event) -> tuple[str, int]:
        """Return a file's hash (hex) and size (bytes).

        Raises:
            Trouble: it can't be read.
            Stopped: the event was set.
        """
        told = 0

        def count(more: int) -> None:
            nonlocal told
            told += more
            on_bytes(more)

        try:
            sha256, size = self._cache.hash_file(path, lambda name: _read(name, count, stop))
        except OSError as error:
            raise Trouble(f"{path} can't be read: {error.strerror}.", "Mend it, then send again.", "changed") from error
        if not told:
            on_bytes(size)
        return sha256, size

    def save(self) -> None:
        """Keep what was learned."""
        self._cache.save()


def _read(path: str, on_bytes: OnBytes, stop: threading.Event) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            if stop.is_set():
                raise Stopped
            digest.update(chunk)
            size += len(chunk)
            on_bytes(len(chunk))
    return digest.hexdigest(), size
