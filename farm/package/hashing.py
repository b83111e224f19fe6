"""Hash files as they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

CHUNK = 1024 * 1024
"""Bytes read at once: large enough for SHA-256 to be the limit, small enough to forget."""


def hash_file(path: Path) -> tuple[str, int]:
    """Return the SHA-256 (hex) and the size (bytes) of a file, in constant memory."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
