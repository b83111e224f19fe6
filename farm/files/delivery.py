"""Copies of finished files for people: in a folder of the admin's choice, often on another machine's disks.

Unlike the view of :mod:`farm.files.view`, what is delivered is theirs: it is never removed, another file in its
place is kept in a folder `former`, and what they move away does not come again.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from blender_addon.places import set_aside

LEDGER = ".distren-delivered"
"""In a job's folder: what was delivered, `hash name` a line."""


class Deliveries:
    """Deliver jobs' files; a :class:`farm.files.view.JobFolders` to the shelf that fills it.

    Args:
        root: the folder. It is not made: an empty place where a disk should be must not fill the disk below.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def show_source(self, job: int, source: str, blob: Path) -> None:
        """Deliver nothing: it is the artist's anyway."""

    def hide_source(self, job: int, source: str) -> None:
        """Leave all as it is: no source is delivered."""

    def show_output(self, job: int, name: str, blob: Path) -> None:
        """Copy a finished file; another one in its place is kept.

        Raises:
            OSError: the folder is away or full.
        """
        if not self.root.is_dir():
            raise FileNotFoundError(f"The folder {self.root} is away.")
        folder = self.root / f"job{job}"
        target = folder / name
        if not (target.exists() and filecmp.cmp(blob, target, shallow=False)):
            _copy(blob, target)
        with (folder / LEDGER).open("a", encoding="utf-8") as ledger:
            ledger.write(f"{blob.name} {name}\n")

    def unshown(self, job: int, outputs: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Return those of a job's finished files (name, hash) that were not delivered."""
        done: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            done = set((self.root / f"job{job}" / LEDGER).read_text("utf-8").splitlines())
        return [(name, digest) for name, digest in outputs if f"{digest.hex()} {name}" not in done]

    def remove(self, job: int) -> None:
        """Remove nothing: delivered is delivered."""

    def jobs(self) -> Iterator[int]:
        """Yield nothing: there is nothing to remove."""
        yield from ()


def _copy(blob: Path, target: Path) -> None:
    """Copy a blob; it appears whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.parent / f".{uuid4().hex}.part"
    try:
        with blob.open("rb") as source, temp.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
        if target.exists():
            set_aside(str(target))
        temp.replace(target)
    finally:
        temp.unlink(missing_ok=True)
