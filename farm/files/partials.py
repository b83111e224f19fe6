"""What arrived of uploads that broke off, so that they can go on.

Each upload writes to a file of its own, locked while it does: two that send the same bytes
at once never touch each other's. One that breaks off leaves its file; whoever sends the same
again takes over the longest that nobody writes to. The lock is the system's, so it also ends
when a server is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from uuid import uuid4

from farm.words.errors import WrongOffset

_SAFE = re.compile(r"[a-z0-9-]{1,120}")


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that may go on later.

    Args:
        owner: whose it is, e.g. `user-12`; nobody goes on with another's.
        name: what is sent.
        keep: the most bytes that are kept of all broken-off uploads of the owner; the oldest go first.
    """

    owner: str
    name: str
    keep: int

    def __post_init__(self) -> None:
        if not (_SAFE.fullmatch(self.owner) and _SAFE.fullmatch(self.name)):
            raise ValueError(f"{self.owner}/{self.name} is no name of an upload")


class Partials:
    """The files of uploads in a folder; several processes may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def arrived(self, upload: Upload) -> int:
        """Return how many bytes can be gone on from."""
        most = 0
        for size, file in self._idle(upload):
            most = max(most, size)
            file.close()
        return most

    def busy(self, upload: Upload) -> bool:
        """Tell whether somebody is sending it now, or has broken off and nobody has noticed yet."""
        found = self._files(upload.owner, f"{upload.name}.*")
        idle = 0
        for _, file in self._idle(upload):
            idle += 1
            file.close()
        return idle < len(found)

    def open(self, upload: Upload, start: int) -> tuple[Path, FileIO]:
        """Return a locked file that holds the upload's first `start` bytes, to be gone on with.

        Raises:
            WrongOffset: fewer bytes are here.
        """
        if start == 0:
            return self._new(upload)
        best, found = 0, None
        for size, file in self._idle(upload):
            best = max(best, size)
            if size >= start and found is None:
                found = file
            else:
                file.close()
        if found is None:
            raise WrongOffset(
                f"{best:,} bytes of this upload are here, not {start:,}.", hint=f"Go on at {best}.", offset=best
            )
        found.truncate(start)
        found.seek(start)
        return Path(os.fsdecode(found.name)), found

    def settle(self, upload: Upload) -> None:
        """Keep of an owner's broken-off uploads what is worth it: the longest of each, within the limit."""
        files = self._files(upload.owner, "*")
        longest: dict[str, Path] = {}
        for path in sorted(files, key=_size):
            longest[_upload(path)] = path
        left = upload.keep
        for path in files:
            size = _size(path)
            if longest[_upload(path)] == path and 0 < size <= left:
                left -= size
            else:
                _remove_idle(path)

    def tidy(self, older_than: float) -> None:
        """Remove what nobody went on with for so many seconds."""
        for folder in self.root.iterdir():
            for path in folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > older_than:
                        _remove_idle(path)
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _new(self, upload: Upload) -> tuple[Path, FileIO]:
        folder = self.root / upload.owner
        while True:
            path = folder / f"{upload.name}.{uuid4().hex}"
            # Tidying removes folders that are empty just now.
            folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                file = FileIO(path, "x+")
                _lock(file)
                return path, file

    def _idle(self, upload: Upload) -> Iterator[tuple[int, FileIO]]:
        """Yield the files of an upload that nobody writes to, locked: close them."""
        for path in self._files(upload.owner, f"{upload.name}.*"):
            if file := _take(path):
                yield os.fstat(file.fileno()).st_size, file

    def _files(self, owner: str, pattern: str) -> list[Path]:
        """Return an owner's files, the youngest first."""
        return sorted((self.root / owner).glob(pattern), key=_time, reverse=True)


def _take(path: Path) -> FileIO | None:
    """Open and lock a file if nobody else has it, and it is still there under its name."""
    try:
        file = FileIO(path, "r+")
    except FileNotFoundError:
        return None
    with contextlib.suppress(FileNotFoundError):
        if _lock(file) and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    file.close()
    return None


def _lock(file: FileIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far behind the bytes: here a lock keeps others from reading, too.
            file.seek(1 << 62)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _upload(path: Path) -> str:
    return path.name.partition(".")[0]


def _remove_idle(path: Path) -> None:
    if file := _take(path):
        path.unlink(missing_ok=True)
        file.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
