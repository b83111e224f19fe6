"""Copy blobs from one store into another: only what is not there, and only whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from farm.files.sizes import Sizes
from farm.files.store import PIECE, BlobStore
from farm.words.errors import FileNotHere, HashMismatch, LengthMismatch

_SYNCED = 500
"""Blobs whose names are made durable together."""


@dataclass(slots=True)
class Copied:
    """What was copied: blobs, bytes, and the hashes of those that the source has not, or has damaged."""

    blobs: int = 0
    bytes: int = 0
    lost: list[str] = field(default_factory=list)


def copy(source: BlobStore, target: BlobStore, wanted: Iterable[tuple[str, int]]) -> Copied:
    """Copy blobs that the target has not; their hashes are computed on the way. Durable when it returns. Blocking.

    Args:
        source: where they are.
        target: where they go.
        wanted: hash (hex) and size of each, best in the order of hashes.

    Raises:
        DiskFull: the target has no space for them.
    """
    done, unsynced, sizes = Copied(), list[str](), Sizes(target)
    for sha256, size in wanted:
        if sizes.of(sha256, size) == size:
            continue
        if not _one(source, target, sha256, size):
            done.lost.append(sha256)
            continue
        done.blobs += 1
        done.bytes += size
        unsynced.append(sha256)
        if len(unsynced) == _SYNCED:
            target.sync(unsynced)
            unsynced.clear()
    target.sync(unsynced)
    return done


def _one(source: BlobStore, target: BlobStore, sha256: str, size: int) -> bool:
    incoming = target.incoming(size)
    try:
        with source.local(sha256).open("rb") as file:
            while piece := file.read(PIECE):
                incoming.write(piece)
        incoming.seal(sha256, size)
        incoming.show()
    except (FileNotFoundError, FileNotHere, HashMismatch, LengthMismatch):
        return False
    finally:
        incoming.drop()
    return True
