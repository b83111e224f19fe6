"""Unpack a job's tarball into blobs; what is wrong with it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from farm.files.store import BlobStore, Incoming, Stored
from farm.jobs.unpack import copy_in
from farm.package.archive import entries
from farm.package.paths import checked_all
from farm.protocol.jobs import FileEntry

AT_ONCE, BYTES = 500, 1_000_000_000
"""Files, and about how many bytes, that are taken in before they are made blobs."""

Known = Callable[[list[Stored]], None]


def unpack_archive(store: BlobStore, tarball: Path, limit: int, known: Known) -> list[FileEntry]:
    """Unpack a tarball; return its files, all of them in the store. Blocking.

    It is read to its end before anything of it is kept: what is refused makes no files, and what
    its hundred thousandth member breaks has not cost a disk its writes.

    Args:
        store: where its files go.
        tarball: `.tar`, `.tar.gz` or `.tar.zst`.
        limit: the most bytes of all its files together.
        known: is told of bytes that were kept, soon: what nobody wrote down is collected.

    Raises:
        UnsafePackage, TooLarge: it breaks the tar policy.
        DiskFull: there is no space for it.
    """
    found: list[FileEntry] = []
    taken: list[tuple[str, Incoming]] = []
    size = 0
    try:
        with tarball.open("rb") as source:
            checked_all(member.name for member in entries(cast(BinaryIO, source), limit))
            source.seek(0)
            for member in entries(cast(BinaryIO, source), limit):
                taken.append((member.name, store.incoming(member.size)))
                copy_in(member, taken[-1][1])
                size += member.size
                if len(taken) >= AT_ONCE or size > BYTES:
                    found += _kept(store, taken, known)
                    taken, size = [], 0
        found += _kept(store, taken, known)
        taken = []
    finally:
        for _, incoming in taken:
            incoming.drop()
    return found


def _kept(store: BlobStore, taken: list[tuple[str, Incoming]], known: Known) -> list[FileEntry]:
    """Make files blobs: all of them durable first, then visible, then their folders synced once."""
    sealed = [(path, incoming.seal()) for path, incoming in taken]
    for _, incoming in taken:
        incoming.show()
        incoming.drop()  # what was here already is not needed twice
    store.sync(stored.sha256 for _, stored in sealed)
    known([stored for _, stored in sealed])
    return [FileEntry(path=path, sha256=stored.sha256, size=stored.size) for path, stored in sealed]
