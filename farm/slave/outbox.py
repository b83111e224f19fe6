"""Finished results on disk until the server has them: a restart of slave or server loses none."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from farm.package.hashing import hash_file
from farm.protocol.slaves import INLINE_BYTES, Finished
from farm.slave.trace import Trace
from farm.words.durable import sync_file, sync_folder

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Ready:
    """One frame's result: the tar and what is to be said of it.

    Args:
        called: what people call its job: its number, or the address of another server's.
        tries: how often the server asked for it again.
        trace: when the frame's steps were; None for a result of an earlier run, which was told what it says.
    """

    job: int
    number: int
    size: int
    finished: Finished
    path: Path
    called: int | str = ""
    tries: int = 0
    trace: Trace | None = None

    def __post_init__(self) -> None:
        self.called = self.called or self.job

    @property
    def attempt(self) -> int:
        """The attempt whose result this is."""
        return self.finished.attempt

    @property
    def inline(self) -> bool:
        """It rides inside the report."""
        return self.size <= INLINE_BYTES

    def word(self) -> Finished:
        """Return what the server is told."""
        told = {"trace": str(self.trace)} if self.trace else {}
        if self.inline:
            told["inline"] = base64.b64encode(self.path.read_bytes()).decode()
        return self.finished.model_copy(update=told)

    def __str__(self) -> str:
        return f"frame {self.number} of job {self.called}"


KEPT = 30 * 86_400.0
"""Seconds that results for another server than the present one are kept, in case that one comes back."""


class Outbox:
    """A folder of results: `<attempt>.tar` and beside it `<attempt>.json`.

    `server` is the name of the server that they are for. Its address may change; numbers of another server's attempts
    mean something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = ""
        self.ready: dict[int, Ready] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def size(self) -> int:
        """Bytes of all results here."""
        return sum(ready.size for ready in self.ready.values())

    def place(self, attempt: int) -> Path:
        """Return where an attempt's tar is written; it counts only after :meth:`keep` and :meth:`add`."""
        return self.folder / f".{attempt}.tar.part"

    def keep(self, ready: Ready) -> None:
        """Take in the tar that was written to :meth:`place`, so that no power cut takes it back.

        Disks are slow at that: any thread may call this.

        Raises:
            OSError: nothing of the result stays.
        """
        place = self.place(ready.attempt)
        try:
            sync_file(place)
            place.replace(ready.path)
            self._note(ready)
            sync_folder(self.folder)
        except OSError:
            # A full disk, most likely: the more so must nothing of it stay.
            self._discard(ready.attempt)
            raise

    def add(self, ready: Ready) -> None:
        """Count a result that is kept."""
        self.ready[ready.attempt] = ready

    def remove(self, attempt: int) -> None:
        """Drop a result, counted or not: the server has it, or does not want it."""
        unlink(self.drop(attempt) or self._all(attempt))

    def drop(self, attempt: int) -> list[Path]:
        """Count a result no more; return its files, which :func:`unlink` removes in any thread, for disks are slow."""
        kept = self.ready.pop(attempt, None)
        return _names(kept.path) if kept else []

    def load(self) -> list[Ready]:
        """Find the results of an earlier run; remove what is incomplete."""
        known: set[Path] = set()
        for note in sorted(self.folder.glob("*.json")):
            found = _read(note)
            if found is None:
                continue
            server, ready = found
            if server == self.server:
                self.ready[ready.attempt] = ready
            elif time.time() - note.stat().st_mtime > KEPT:
                continue
            else:
                log.warning("A result is for another server", server=server, frame=str(ready))
            known |= {ready.path, note}
        for path in self.folder.iterdir():
            if path not in known:
                log.info("Removed what an earlier run left unfinished", file=str(path))
                path.unlink(missing_ok=True)
        return list(self.ready.values())

    def path(self, attempt: int) -> Path:
        """Return the name of an attempt's tar, once it is kept."""
        return self.folder / f"{attempt}.tar"

    def _note(self, ready: Ready) -> None:
        facts = {
            "server": self.server,
            "job": ready.job,
            "number": ready.number,
            "size": ready.size,
            "called": ready.called,
        }
        note = ready.path.with_suffix(".json")
        part = self.folder / f".{note.name}.part"
        told = json.dumps({**facts, "finished": ready.finished.model_dump(mode="json")})
        part.write_text(told, encoding="utf-8")
        sync_file(part)
        part.replace(note)

    def _discard(self, attempt: int) -> None:
        unlink(self._all(attempt))

    def _all(self, attempt: int) -> list[Path]:
        note, tar = _names(self.path(attempt))
        return [note, self.folder / f".{note.name}.part", tar, self.place(attempt)]


def unlink(paths: Iterable[Path]) -> None:
    """Remove files, in this order; a killed slave finds those that are left at its next start."""
    for path in paths:
        path.unlink(missing_ok=True)


def _names(tar: Path) -> list[Path]:
    """Return the files of a kept result. The note goes first: alone, a tar is rubbish, and a note a riddle."""
    return [tar.with_suffix(".json"), tar]


def _read(note: Path) -> tuple[str, Ready] | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(note.read_text(encoding="utf-8"))
        finished = Finished.model_validate(data["finished"])
        path = note.with_suffix(".tar")
        if hash_file(path) == (finished.sha256, data["size"]):
            numbers = int(data["job"]), int(data["number"]), int(data["size"])
            return str(data["server"]), Ready(*numbers, finished, path, data.get("called", ""))
    return None
