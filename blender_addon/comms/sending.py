"""Send a job: hash its files, ask the server what it thinks, submit, upload what it lacks, queue."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .hashes import Hashes
from .link import Link
from .messages import NotSent, Objections, Progress, Sent
from .modesty import give_way
from .trouble import ODD, Stopped, Trouble, stranger

PARALLEL = 4
"""Files sent at once."""

HASHERS = 2
"""Files hashed at once."""

TRIES = 4
"""A file is tried this often when connections break."""

RESUMABLE_BYTES = 4 * 1024 * 1024
"""From this size on, servers keep what has arrived of a file."""

_ANEW = ("wrong_offset", "hash_mismatch")
"""What was left of an earlier try was damaged: the server has thrown it away."""

PAUSE = 1.0
"""Seconds before a second try; they double."""

OFTEN = 0.1
"""Seconds between two tellings of progress."""

Tell = Callable[[Any], None]


@dataclass(frozen=True)
class LocalFile:
    """A file here, and its place in the job; `frames` None: every frame needs it."""

    local: str
    place: str
    frames: str | None


@dataclass(frozen=True)
class Parcel:
    """What is to be sent.

    Args:
        submission: the message to the server, but for its files. Its `key` makes a repetition the same job.
        files: all files of the job.
        problems: what was found here that stops it.
        notes: what the artist should know.
        anyway: also if no slave can render it now.
    """

    submission: dict[str, Any]
    files: list[LocalFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    anyway: bool = False


class Sending:
    """Send one parcel, in a thread.

    Args:
        link: a link of a user's.
        parcel: what to send.
        tell: takes messages for the main thread.
        stop: set, it ends the sending at once, and cancels the job.
        hashes: what is known of files.
    """

    def __init__(self, link: Link, parcel: Parcel, tell: Tell, stop: threading.Event, hashes: Hashes) -> None:
        self._shared = self._link = link
        self._parcel = parcel
        self._tell = tell
        self._stop = stop
        self._hashes = hashes
        self._job: int | None = None

    def run(self) -> None:
        """Send it; the last message is Sent, Objections or NotSent."""
        with self._shared.fresh() as self._link:
            try:
                self._tell(self._send())
            except Trouble as trouble:
                # After a broken connection the same parcel goes on, with the same job.
                if not trouble.passing:
                    self._cancel()
                self._tell(NotSent(trouble, again=trouble.passing))
            except ODD:
                self._cancel()
                self._tell(NotSent(stranger(self._link.server), again=False))

    def _send(self) -> Sent | Objections:
        parcel = self._parcel
        if parcel.problems:
            # The artist has to mend something first: the source alone tells the server enough.
            source = [file for file in parcel.files if file.place == parcel.submission["source"]]
            report = self._check(self._hash(source)[0])
            unfit = [text for text in report["problems"] if text in report.get("unfit", [])]
            told = [text for text in report["problems"] if text not in unfit]
            return Objections([*parcel.problems, *told], unfit, [*parcel.notes, *report["warnings"]])
        entries, paths = self._hash(parcel.files)
        report = self._check(entries)
        objections = self._judge(report)
        if objections:
            return objections
        receiving = self._call("POST", "/api/jobs", {**parcel.submission, "files": entries})
        self._job = receiving["job"]
        self._upload(receiving["missing"], {e["sha256"]: e["size"] for e in entries}, paths)
        job = self._call("POST", f"/api/jobs/{self._job}/queue")
        return Sent(job)

    def _judge(self, report: dict[str, Any]) -> Objections | None:
        unfit = report.get("unfit", [])
        problems = [text for text in report["problems"] if text not in unfit]
        unfit = unfit or ([] if report["fitting_slaves"] else ["No slave of the farm can render this now."])
        if problems or (unfit and not self._parcel.anyway):
            return Objections(problems, unfit, [*self._parcel.notes, *report["warnings"]])
        return None

    def _check(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        report: dict[str, Any] = self._call("POST", "/api/jobs/check", {**self._parcel.submission, "files": entries})
        return report

    def _call(self, verb: str, path: str, body: Any = None) -> Any:
        """Ask the server, again if it is away: the key makes that safe."""
        for attempt in range(TRIES):
            self._breathe()
            try:
                return self._link.call(verb, path, body)
            except Trouble as trouble:
                if not trouble.passing or attempt == TRIES - 1:
                    raise
                self._stop.wait(PAUSE * 2**attempt)
        raise AssertionError

    def _hash(self, files: list[LocalFile]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        meter = Meter("Reading files", _total(files), self._tell)

        def entry(file: LocalFile) -> dict[str, Any]:
            sha256, size = self._hashes.of(file.local, meter.add, self._stop)
            return {"path": file.place, "sha256": sha256, "size": size, "frames": file.frames}

        try:
            entries = _parallel(entry, files, HASHERS)
        finally:
            self._hashes.save()
        return entries, {e["sha256"]: file.local for e, file in zip(entries, files, strict=True)}

    def _upload(self, missing: list[str], sizes: dict[str, int], paths: dict[str, str]) -> None:
        meter = Meter("Sending", sum(sizes[sha256] for sha256 in missing), self._tell)
        _parallel(lambda sha256: self._put(sha256, sizes[sha256], paths[sha256], meter), missing, PARALLEL)

    def _put(self, sha256: str, size: int, path: str, meter: Meter) -> None:
        """Send a file; what breaks off goes on where it stopped."""
        for attempt in range(TRIES):
            sent: list[int] = []

            def count(more: int, sent: list[int] = sent) -> None:
                sent.append(more)
                meter.add(more)

            try:
                return self._once(sha256, size, path, count)
            except Trouble as trouble:
                meter.add(-sum(sent))
                if not (trouble.passing or trouble.code in _ANEW) or attempt == TRIES - 1:
                    raise
                self._stop.wait(PAUSE * 2**attempt)
        return None

    def _once(self, sha256: str, size: int, path: str, count: Callable[[int], None]) -> None:
        where = f"/api/blobs/{sha256}"
        start = self._link.call("GET", f"{where}/offset")["offset"] if size >= RESUMABLE_BYTES else 0
        # If all has arrived, the last byte once more has it checked.
        start = max(0, min(start, size - 1))
        count(start)
        self._link.put(where, path, range(start, size), count, self._stop)

    def _breathe(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _cancel(self) -> None:
        """Leave no half job on the server."""
        if self._job is not None:
            with contextlib.suppress(Trouble):
                self._link.call("POST", f"/api/jobs/{self._job}/cancel", {})


class Meter:
    """Count bytes of several threads, and tell of them now and then."""

    def __init__(self, stage: str, total: int, tell: Tell) -> None:
        self._stage, self._total, self._tell = stage, total, tell
        self._lock = threading.Lock()
        self._done, self._told = 0, 0.0
        tell(Progress(stage, 0, total))

    def add(self, more: int) -> None:
        """Count bytes; fewer than 0 are taken back."""
        with self._lock:
            self._done += more
            if time.monotonic() - self._told >= OFTEN or self._done >= self._total:
                self._told = time.monotonic()
                self._tell(Progress(self._stage, self._done, self._total))


def _parallel(work: Callable[[Any], Any], items: list[Any], threads: int) -> list[Any]:
    """Do work in threads; the first failure ends it."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="distren", initializer=give_way)
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _total(files: list[LocalFile]) -> int:
    total = 0
    for file in files:
        # Hashing says which file is gone.
        with contextlib.suppress(OSError):
            total += os.path.getsize(file.local)
    return total
