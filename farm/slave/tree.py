"""A job's files as the renderer sees them: read-only, under the artist's own names, in the artist's own tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from farm.package.paths import checked, checked_all
from farm.protocol.jobs import FileEntry
from farm.words.ranges import FrameRange

Blob = Callable[[str, int], Awaitable[Path]]
"""Returns the path of a blob, by hash and size."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Placing:
    """A file that is being put in place, or was."""

    sha256: str
    task: asyncio.Task[None]

    @property
    def failed(self) -> bool:
        """It was, in vain."""
        return self.task.done() and bool(self.task.cancelled() or self.task.exception())


class JobTree:
    """The folder of one job. Files appear when a frame first needs them.

    Args:
        root: the folder.
        files: the job's manifest.
        blob: brings blobs.

    Raises:
        UnsafePackage: a path of the manifest is unsafe.
    """

    def __init__(self, root: Path, files: list[FileEntry], blob: Blob) -> None:
        checked_all(entry.path for entry in files)
        self.root = root
        self._blob = blob
        self._always = [entry for entry in files if entry.frames is None]
        self._some = [(FrameRange.parse(entry.frames), entry) for entry in files if entry.frames is not None]
        self._index: dict[int, list[FileEntry]] | None = None
        self._placing: dict[str, _Placing] = {}
        self._ready: set[int] = set()
        root.mkdir(parents=True, exist_ok=True)

    async def ensure(self, picture: int) -> None:
        """Have all files in place that a frame of the renderer's needs."""
        if picture in self._ready:
            return
        async with asyncio.TaskGroup() as group:
            for entry in self.needed(picture):
                group.create_task(self._have(entry))
        self._ready.add(picture)

    def needed(self, picture: int) -> list[FileEntry]:
        """Return the files that a frame of the renderer's needs."""
        if self._index is None:
            self._index = {}
            for frames, entry in self._some:
                for frame in frames:
                    self._index.setdefault(frame, []).append(entry)
        return [*self._always, *self._index.get(picture, [])]

    async def lay(self, folders: list[str], files: list[FileEntry]) -> None:
        """Have the files of other frames in place, in folders that hold nothing else.

        Raises:
            UnsafePackage: a path is unsafe.
        """
        for folder in folders:
            checked(folder)
        checked_all(entry.path for entry in files)
        here = {entry.path for entry in files}
        await asyncio.to_thread(_clear, self.root, folders, here)
        async with asyncio.TaskGroup() as group:
            for entry in files:
                group.create_task(self._have(entry))

    async def _have(self, entry: FileEntry) -> None:
        """Place a file once, whoever asks; a failed try is forgotten, so that the next one tries again."""
        known = self._placing.get(entry.path)
        if known is None or known.sha256 != entry.sha256 or known.failed:
            known = _Placing(entry.sha256, asyncio.create_task(self._place(entry)))
            self._placing[entry.path] = known
        await asyncio.shield(known.task)

    async def _place(self, entry: FileEntry) -> None:
        for left in reversed(range(_TRIES)):
            blob = await self._blob(entry.sha256, entry.size)
            try:
                await asyncio.to_thread(show, blob, self.root / entry.path)
            except FileNotFoundError:
                # Another slave's need for room took it between the two lines.
                if not left:
                    raise
            else:
                return

    async def remove(self) -> None:
        """Remove the folder; the cache keeps the files."""
        tasks = [placing.task for placing in self._placing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)


def _clear(root: Path, folders: list[str], kept: set[str]) -> None:
    """Remove what an earlier result left in some folders."""
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.relative_to(root).as_posix() not in kept:
                path.unlink(missing_ok=True)


def show(blob: Path, target: Path) -> None:
    """Make a blob appear under another name: as a hard link, or as a read-only copy where there are none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(blob, target)
    except FileNotFoundError:
        raise
    except OSError:
        # Another file system, none with links, or too many links to one file.
        part = target.with_name(f".{target.name[:200]}.part")
        try:
            shutil.copyfile(blob, part)
            part.chmod(0o444)
            part.replace(target)
        except BaseException:  # a full disk or a cancellation alike: half a file must not stay
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
