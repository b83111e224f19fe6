"""What an admin sees: `job12/job12.blend` and `job12/output/…`, as hard links to blobs.

The view is made after the database has committed, and can be made again from it at any
time; nothing reads it but people. Slaves and users get the artist's own names.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from uuid import uuid4

_JOB = re.compile(r"job(\d+)")

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}
"""Another device, a file system without links, or too many links to one file: copy instead."""


class JobFolders:
    """Show jobs as folders.

    Args:
        root: the folder `stor`; it is made if it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, job: int) -> Path:
        """Return a job's folder."""
        return self.root / f"job{job}"

    def show_source(self, job: int, source: str, blob: Path) -> None:
        """Show the file that a job renders, under the job's number."""
        suffix = PurePosixPath(source).suffix
        _show(blob, self.folder(job) / f"job{job}{suffix}")

    def hide_source(self, job: int, source: str) -> None:
        """Show it no more: a link would keep its bytes on the disk."""
        (self.folder(job) / f"job{job}{PurePosixPath(source).suffix}").unlink(missing_ok=True)

    def show_output(self, job: int, name: str, blob: Path) -> None:
        """Show a finished file under the artist's name; a newer one of this name replaces it."""
        _show(blob, self.folder(job) / "output" / name)

    def unshown(self, job: int, outputs: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Return those of a job's finished files (name, hash) that are not shown."""
        output = self.folder(job) / "output"
        shown = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
        return [(name, digest) for name, digest in outputs if name not in shown]

    def remove(self, job: int) -> None:
        """Show a job no more."""
        shutil.rmtree(self.folder(job), ignore_errors=True)

    def jobs(self) -> Iterator[int]:
        """Yield the numbers of all jobs that have a folder."""
        for folder in self.root.iterdir():
            if match := _JOB.fullmatch(folder.name):
                yield int(match[1])

    def highest(self) -> int:
        """Return the highest job number that was ever shown here, 0 if none: numbers go on above it."""
        return max(self.jobs(), default=0)


def _show(blob: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if target.samefile(blob):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.parent / f".{uuid4().hex}"
    try:
        _link(blob, temp)
        temp.replace(target)
    finally:
        temp.unlink(missing_ok=True)


def _link(blob: Path, temp: Path) -> None:
    try:
        os.link(blob, temp)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(blob, temp)
