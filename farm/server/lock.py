"""One server per data folder: two would share a SQLite file and delete each other's blobs. So with backups."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from farm.words.errors import NotASetup


class FolderLock:
    """Hold a folder for this process; the system lets go when the process ends, however it ends.

    Args:
        folder: what is held; it is made if it is missing.
        who: what holds it.
    """

    def __init__(self, folder: Path, who: str = "server") -> None:
        self._path = folder / f"{who}.lock"
        self._who = who
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "?"
            file.close()
            raise NotASetup(
                f"Another {self._who} (process {holder}) uses {self._path.parent} already.",
                hint="Stop it, or give this one a folder of its own.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        # Far behind the text, so that others can still read who holds it.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
