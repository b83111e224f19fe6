"""Bring finished files home: what is missing here, several at once, never over something else."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from blender_addon.places import set_aside
from farm.cli.batches import batches
from farm.cli.interruption import Interruption
from farm.client.farmclient import FarmClient
from farm.client.landing import Landing, no_room
from farm.client.patience import OnBytes, OnStuck, persist, unheard
from farm.package.bundle import member_names
from farm.package.hashing import CHUNK, hash_file
from farm.package.outputs import Outputs
from farm.package.paths import checked
from farm.protocol.jobs import JobView, OutputFile
from farm.words.errors import Conflict, FileNotHere, HashMismatch, NoRoom, Unavailable, Unreachable
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED

PAGE = 500
"""Files asked for at once."""

PARALLEL = 4
"""Files fetched at once."""


@dataclass
class Haul:
    """What came of bringing files home."""

    fetched: list[OutputFile] = field(default_factory=list)
    here: list[OutputFile] = field(default_factory=list)
    differing: list[OutputFile] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def aside(self) -> str:
        """Say where those are that were in the way; an empty text: none was."""
        folders = ", ".join(sorted({str(Path(path).parent) for path in self.kept}))
        return f"; {len(self.kept)} former ones in {folders}" if self.kept else ""

    def complain(self, where: Path | str) -> None:
        """Raise if files were left alone because others are in their places.

        Raises:
            Conflict: names them.
        """
        if self.differing:
            names = ", ".join(file.name for file in self.differing[:5])
            more = f" and {len(self.differing) - 5} more" if len(self.differing) > 5 else ""
            text = f"{len(self.differing)} files in {where} differ from the farm's: {names}{more}."
            raise Conflict(text, hint="Choose another folder, or say --keep-former or --overwrite.")


class BringHome:
    """Bring a job's finished files into a folder.

    Args:
        client: a logged-in client.
        job: the job's number.
        folder: where the files go, by their own names; made if missing.
        frames: only these; None: all.
        overwrite: replace files that differ.
        keep: move files that differ into a folder `former` beside, then replace them.
        version: as the job was before it was updated; None: as it is.
        homes: for files that have one, their own places on this machine; each is an absolute folder.
        sets: the names of the job's parameter sets, which are folders among the files.
        on_bytes: is told of bytes that arrived.
        on_stuck: is told of each try that broke off, before the next.
    """

    def __init__(
        self,
        client: FarmClient,
        job: int,
        folder: Path,
        *,
        frames: FrameRange | None = None,
        overwrite: bool = False,
        keep: bool = False,
        version: int | None = None,
        homes: Outputs | None = None,
        sets: Collection[str] = (),
        on_bytes: OnBytes = lambda _count: None,
        on_stuck: OnStuck = unheard,
    ) -> None:
        self.haul = Haul()
        self._client = client
        self._job = job
        self.folder = folder
        self._keep = keep
        self._version = version
        self._frames = frames
        self._overwrite = overwrite
        self._homes = homes or Outputs()
        self._sets = sets
        self._on_bytes = on_bytes
        self._on_stuck = on_stuck
        self._seen: set[tuple[int, str, str]] = set()
        self._places: dict[str, int] = {}

    def bring(self, view: JobView, finished: FrameRange | None) -> None:
        """Bring what a :class:`~farm.cli.follow.Follower` says has finished; all, at the job's end."""
        if finished is None or view.state in JOB_ENDED:
            self.all()
        else:
            self.some(finished)

    def all(self) -> None:
        """Bring all that is finished and not here."""
        self._bring(self.listed())

    def some(self, finished: FrameRange) -> None:
        """Bring the files of frames that have just finished."""
        self._bring(self._of(finished))

    def listed(self) -> Iterator[OutputFile]:
        """List the finished files that are wanted."""
        after: int | None = None
        while True:
            page = self._client.output(self._job, after=after, limit=PAGE, version=self._version)
            yield from (file for file in page.files if self._frames is None or file.frame in self._frames)
            if page.next is None:
                return
            after = page.next

    def _of(self, finished: FrameRange) -> Iterator[OutputFile]:
        """List the files of some frames, in as few pages as they need."""
        left = [frame for frame in finished if self._frames is None or frame in self._frames]
        while left:
            page = self._client.output(
                self._job, after=left[0] - 1 if left[0] else None, limit=min(PAGE, 20 + len(left))
            )
            wanted = set(left)
            yield from (file for file in page.files if file.frame in wanted)
            if page.next is None:
                return
            left = [frame for frame in left if frame > page.files[-1].frame]

    def _bring(self, files: Iterator[OutputFile]) -> None:
        fresh = [file for file in files if self._note(file)]
        with Interruption() as interruption:
            watch = interruption.guard(self._on_bytes)
            pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="fetch")
            try:
                list(pool.map(lambda some: self._some(some, watch), batches(fresh)))
            except NoRoom as error:
                done = {(file.frame, file.name) for file in (*self.haul.fetched, *self.haul.here)}
                left = [file.size for file in fresh if (file.frame, file.name) not in done]
                raise no_room(self.folder, sum(left)) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _note(self, file: OutputFile) -> bool:
        key = (file.frame, file.name, file.sha256)
        known = key in self._seen
        self._seen.add(key)
        return not known

    def _some(self, files: list[OutputFile], on_bytes: OnBytes) -> None:
        """Bring some files: together in one tar, if all are lacking here; what is left over then, one by one."""
        one_by_one = len(files) == 1 or self._version is not None or any(self._place(file).exists() for file in files)
        brought = set() if one_by_one else self._together(files, on_bytes)
        for file in files:
            if (file.frame, file.name) not in brought:
                self._one(file, on_bytes)

    def _together(self, files: list[OutputFile], on_bytes: OnBytes) -> set[tuple[int, str]]:
        """Bring the files of some frames in one tar; return those that came whole and right."""
        brought = set()
        paths = member_names((file.frame, file.name) for file in files)
        expected = dict(zip(paths, files, strict=True))
        frames = str(FrameRange.of(file.frame for file in files))
        # What breaks off, or was rendered anew meanwhile, is fetched by itself, and goes on there.
        with contextlib.suppress(Unreachable, Unavailable, HashMismatch, FileNotHere):
            for name, size, data in self._client.bundled(self._job, frames):
                file = expected.get(name)
                if file is None or size != file.size:
                    break
                self._land(file, data)
                on_bytes(size)
                self.haul.fetched.append(file)
                brought.add((file.frame, file.name))
        return brought

    def _land(self, file: OutputFile, data: BinaryIO) -> None:
        landing = Landing(self._place(file), file.sha256, file.size)
        try:
            if landing.open():
                landing.restart()
            while chunk := data.read(CHUNK):
                landing.write(chunk)
            landing.finish()
        finally:
            landing.close()

    def _one(self, file: OutputFile, on_bytes: OnBytes) -> None:
        target = self._place(file)
        if target.exists():
            if hash_file(target) == (file.sha256, file.size):
                self.haul.here.append(file)
                on_bytes(file.size)
                return
            if not (self._overwrite or self._keep):
                self.haul.differing.append(file)
                return
        # It arrives beside, so that what is here stays until the new one is whole.
        part = target.with_name(f".{target.name[:200]}.new") if self._keep and target.exists() else target
        try:
            persist(
                lambda count: self._client.fetch_file(self._job, file, part, count, self._version),
                on_bytes,
                self._on_stuck,
            )
        except FileNotHere:
            return  # the frame is being rendered anew since the list was made
        if part != target:
            self.haul.kept.append(set_aside(str(target)))
            part.replace(target)
        self.haul.fetched.append(file)

    def _place(self, file: OutputFile) -> Path:
        """Return where a file goes: its own name; in a folder per frame where frames share names."""
        first = self._places.setdefault(file.name.casefold(), file.frame)
        folder, name = self._homes.home(checked(file.name), self._sets) or (self.folder, file.name)
        return Path(folder) / (name if first == file.frame else f"frame-{file.frame:06}/{name}")
