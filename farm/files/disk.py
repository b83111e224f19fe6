"""Blobs in a folder: `ab/abcd…`, each written beside, synced, then renamed into place."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from uuid import uuid4

from farm.files.partials import Partials, Upload
from farm.files.store import PIECE, Damage, Stored, Usage, hash_of
from farm.words.durable import sync_folder
from farm.words.errors import DiskFull, FileNotHere, HashMismatch, LengthMismatch

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

INCOMING, TRASH, PARTIAL, SPOILT = "incoming", "trash", "partial", "spoilt"

KEPT = 24 * 3600.0
"""Seconds that an upload which broke off may be gone on with."""


class DiskStore:
    """Keep blobs in a folder of the local file system; several processes may share it.

    Args:
        root: the folder; it is made if it is missing.
        reserve: bytes of the disk that stay free, for the database's sake.
    """

    def __init__(self, root: Path, reserve: int = 0) -> None:
        self.root = root
        self.reserve = reserve
        for folder in (root, root / INCOMING, root / TRASH):
            folder.mkdir(parents=True, exist_ok=True)
        self.partials = Partials(root / PARTIAL)
        _make_folders(root)

    def arrived(self, upload: Upload) -> int:
        """Return how many bytes of an upload that broke off are here."""
        return self.partials.arrived(upload)

    def busy(self, upload: Upload) -> bool:
        """Tell whether somebody is sending it now, or has broken off unnoticed."""
        return self.partials.busy(upload)

    def incoming(self, limit: int | None = None, upload: Upload | None = None, start: int = 0) -> DiskIncoming:
        """Begin to take in bytes, at most `limit` of them, or go on behind the first `start`."""
        self._must_have((limit or start) - start)
        if upload is None:
            path = self.root / INCOMING / uuid4().hex
            return DiskIncoming(self, limit, path, FileIO(path, "x"))
        return DiskIncoming(self, limit, *self.partials.open(upload, start), upload)

    def spool(self, upload: Upload, start: int = 0) -> DiskSpool:
        """Begin to keep an upload's bytes aside, or go on behind the first `start`."""
        self._must_have(0)
        return DiskSpool(self, *self.partials.open(upload, start), upload)

    def _must_have(self, size: int) -> None:
        if self.usage().free - size < self.reserve:
            # What broke off gives way first: it can be sent anew.
            self.partials.tidy(0)
            if self.usage().free - size < self.reserve:
                raise _full(self.root)

    async def open_range(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to before `end`; None: to the last."""
        try:
            file = await asyncio.to_thread(os.open, self.local(sha256), os.O_RDONLY)
        except FileNotFoundError as error:
            raise FileNotHere(f"The bytes of {sha256[:12]}… are not here.") from error
        try:
            at = start
            while end is None or at < end:
                piece = await asyncio.to_thread(os.pread, file, PIECE if end is None else min(PIECE, end - at), at)
                if not piece:
                    break
                at += len(piece)
                yield piece
        finally:
            os.close(file)

    def way_out(self, sha256: str, headers: Mapping[str, str], browser: bool) -> None:
        """Return None: what is here is fetched from us."""

    def way_in(self, sender: str, sha256: str, size: int) -> None:
        """Return None: what comes here comes through us."""

    def take(self, sender: str, sha256: str, size: int) -> None:
        """Raise FileNotHere: nothing came past us."""
        raise FileNotHere("Nothing can be sent past this server.")

    def sync(self, hashes: Iterable[str]) -> None:
        """Make blobs durable that were shown just now: one sync for each of their folders."""
        with _disk(self.root):
            for folder in sorted({self.local(sha256).parent for sha256 in hashes}):
                sync_folder(folder)

    def size(self, sha256: str) -> int | None:
        """Return a blob's size, None if it is not here."""
        try:
            return self.local(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of all blobs whose hashes begin with these two digits."""
        found: dict[str, int] = {}
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    found[entry.name] = entry.stat().st_size
        return found

    def local(self, sha256: str) -> Path:
        """Return where a blob is, or would be."""
        return self.root / sha256[:2] / sha256

    def delete(self, sha256: str, older_than: float) -> bool:
        """Remove a blob unless it was put again within the last `older_than` seconds.

        It is moved away before it is looked at: so nobody can put it anew between the
        look and the removal without the store noticing.
        """
        aside = self.root / TRASH / f"{sha256}.{uuid4().hex}"
        try:
            self.local(sha256).rename(aside)
        except FileNotFoundError:
            return False
        if time.time() - aside.stat().st_mtime >= older_than:
            aside.unlink()
            return True
        self._put_back(sha256, aside)
        return False

    def damage(self, sha256: str) -> Damage | None:
        """Read all of a blob; None: its bytes are what its name says."""
        try:
            with self.local(sha256).open("rb") as file:
                return None if hash_of(iter(lambda: file.read(PIECE), b"")) == sha256 else Damage.BLOB
        except FileNotFoundError as error:
            raise FileNotHere(f"The bytes of {sha256[:12]}… are not here.") from error

    def spoil(self, sha256: str) -> None:
        """Take away a blob whose bytes are not what its name says; they stay in a folder, for a person to look at."""
        (self.root / SPOILT).mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.local(sha256).rename(self.root / SPOILT / f"{sha256}.{uuid4().hex}")

    def hashes(self) -> Iterator[str]:
        """Yield the hashes of all blobs, in no order."""
        for folder in self.root.iterdir():
            if len(folder.name) == 2:
                yield from (blob.name for blob in folder.iterdir())

    def aside(self, older_than: float) -> Iterator[str]:
        """Yield nothing: who puts a blob while it is removed is noticed at once."""
        yield from ()

    def settle(self, sha256: str, *, wanted: bool) -> None:
        """Do nothing: nothing is aside."""

    def tidy(self, older_than: float) -> None:
        """Clear what a killed process left: uploads that nobody writes to, and half-done removals.

        Args:
            older_than: seconds without a write after which an upload counts as left.
        """
        for left in (self.root / INCOMING).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > older_than:
                    left.unlink()
        self.partials.tidy(max(older_than, KEPT))
        for aside in (self.root / TRASH).iterdir():
            # Unsure whether its row was already gone: a blob too many is found again, one too few is lost.
            self._put_back(aside.name.partition(".")[0], aside)

    def usage(self) -> Usage:
        """Return how full the disk is."""
        disk = shutil.disk_usage(self.root)
        return Usage(disk.free, disk.total)

    def _put_back(self, sha256: str, aside: Path) -> None:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(aside, self.local(sha256))
        aside.unlink(missing_ok=True)


class DiskIncoming:
    """Bytes on their way into a :class:`DiskStore`. Its lock lets another thread drop it at any time.

    Args:
        store: where they go.
        limit: the most bytes.
        path: the file that they are written to.
        file: the same, open; what it holds already up to where it stands is taken in first.
        upload: what goes on later if it breaks off.
    """

    def __init__(
        self, store: DiskStore, limit: int | None, path: Path, file: FileIO, upload: Upload | None = None
    ) -> None:
        self._store = store
        self._limit = limit
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()
        self.file = path
        self._file = file
        self._upload = upload
        self.size = file.tell()
        if self.size:
            file.seek(0)
            while piece := file.read(PIECE):
                self._digest.update(piece)

    def write(self, piece: bytes) -> None:
        """Take more bytes."""
        if self._limit is not None and self.size + len(piece) > self._limit:
            self.drop()
            raise LengthMismatch(f"More bytes arrive than the {self._limit:,} that were announced.")
        try:
            with self._lock, _disk(self._store.root):
                _write(self._file, piece)
                self._digest.update(piece)
                self.size += len(piece)
        except DiskFull:
            self.drop()
            raise

    def keep(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Make the bytes a blob, if they are the announced ones; durable when it returns."""
        stored = self.seal(sha256, size)
        self.show()
        self._store.sync([stored.sha256])
        return stored

    def seal(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Take the bytes as complete, if they are the announced ones; they are durable, but no blob yet."""
        found = self._digest.hexdigest()
        if size is not None and self.size != size:
            raise LengthMismatch(f"{self.size:,} bytes arrived; {size:,} were announced.")
        if sha256 is not None and found != sha256:
            self.drop()
            raise HashMismatch(
                f"The bytes have the hash {found[:12]}…, not the announced {sha256[:12]}….",
                hint="Did the file change while it was sent? Try again.",
            )
        with self._lock, _disk(self._store.root):
            if self._upload:
                # Out of the way before its lock ends: nobody may take it for an upload that broke off.
                self.file = self.file.rename(self._store.root / INCOMING / uuid4().hex)
                self._upload = None
            # Read-only, since the admin's view shows this very file: writing there must not change a blob.
            os.fchmod(self._file.fileno(), 0o444)
            os.fsync(self._file.fileno())
            self._file.close()
        return Stored(found, self.size)

    def show(self) -> None:
        """Make sealed bytes a blob; it is durable after :meth:`DiskStore.sync`."""
        final = self._store.local(self._digest.hexdigest())
        with self._lock, _disk(self._store.root):
            try:
                # The blob is here: make it young, so that a collection that runs now spares it.
                os.utime(final)
            except FileNotFoundError:
                self.file.rename(final)

    def drop(self) -> None:
        """Forget the bytes, if they were not kept; may be called in any state."""
        with self._lock:
            self._upload = None
            self.file.unlink(missing_ok=True)
            self._file.close()

    def leave(self) -> None:
        """End without the rest: the bytes of an upload stay for its next try, all others are forgotten."""
        upload = self._upload
        if upload is None:
            self.drop()
            return
        with self._lock:
            self._file.close()
        self._store.partials.settle(upload)


class DiskSpool:
    """An upload's bytes, kept aside while it arrives; see :class:`farm.files.store.Spool`."""

    def __init__(self, store: DiskStore, path: Path, file: FileIO, upload: Upload) -> None:
        self._store = store
        self._path = path
        self._file = file
        self._upload = upload
        file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next of the bytes that an earlier try left; empty at their end."""
        return self._file.read(size) or b""

    def write(self, piece: bytes) -> None:
        """Add bytes behind them."""
        try:
            with _disk(self._store.root):
                _write(self._file, piece)
        except DiskFull:
            self.drop()
            raise

    def drop(self) -> None:
        """Forget them: they are not needed any more."""
        self._path.unlink(missing_ok=True)
        self._file.close()

    def leave(self) -> None:
        """Keep them for the next try, unless they were dropped."""
        if not self._file.closed:
            self._file.close()
            self._store.partials.settle(self._upload)


def _write(file: FileIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


@contextlib.contextmanager
def _disk(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(root) from error
        raise


def _full(root: Path) -> DiskFull:
    return DiskFull(
        f"The server's disk under {root} is full.", hint="Delete jobs, or give the server's data folder more space."
    )


def _make_folders(root: Path) -> None:
    """Make all folders of blobs at once, so that taking one in never has to sync the root."""
    missing = [folder for n in range(256) if not (folder := root / f"{n:02x}").is_dir()]
    for folder in missing:
        folder.mkdir(exist_ok=True)
    # Also if none was missing: another process may have made them a moment ago.
    sync_folder(root)
