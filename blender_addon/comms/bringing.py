"""Bring a job's pictures home: what is not here yet, checked, and never over something else unless allowed."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import threading
from dataclasses import dataclass
from typing import Any

from .hashes import Hashes
from .link import CHUNK, Link
from .messages import Fetched
from .trouble import Stopped, Trouble

PAGE = 500
"""Files asked for at once."""

SPARE = 50_000_000
"""Bytes that stay free on the artist's disk."""


@dataclass(frozen=True)
class Errand:
    """Pictures of a job that are to come to a folder as they finish; `replace` what lies there."""

    server: str
    job: int
    folder: str
    replace: bool = False


class Bringing:
    """Carry out one errand; knows what it has brought already.

    Args:
        link: a link of a user's.
        errand: what to bring where.
        stop: set, it ends a download.
        hashes: what is known of files.
    """

    def __init__(self, link: Link, errand: Errand, stop: threading.Event, hashes: Hashes) -> None:
        self.errand = errand
        self._link = link
        self._stop = stop
        self._hashes = hashes
        self._here: dict[tuple[int, str, str], str] = {}
        self._differing: set[str] = set()
        self._places: dict[str, int] = {}
        self._newest = ""

    def bring(self, *, ended: bool) -> Fetched:
        """Bring what has finished since the last time.

        Raises:
            Trouble: the connection broke, or the disk is full; what arrived stays.
        """
        for file in self._listed():
            key = (file["frame"], file["name"], file["sha256"])
            if key not in self._here:
                self._one(file, key)
        return Fetched(self.errand.job, len(self._here), self._newest, sorted(self._differing), ended)

    def _listed(self) -> list[dict[str, Any]]:
        files: list[dict[str, Any]] = []
        after = None
        while True:
            page = self._link.call("GET", f"/api/jobs/{self.errand.job}/output", after=after, limit=PAGE)
            files += page["files"]
            after = page["next"]
            if after is None:
                return files

    def _one(self, file: dict[str, Any], key: tuple[int, str, str]) -> None:
        target = self._place(file)
        if os.path.exists(target):
            if self._hashes.of(target, lambda _count: None, self._stop) == (file["sha256"], file["size"]):
                self._took(key, target)
                return
            if not self.errand.replace:
                self._differing.add(target)
                return
        if self._land(file, target):
            self._took(key, target)

    def _took(self, key: tuple[int, str, str], target: str) -> None:
        self._here[key] = target
        self._newest = target

    def _place(self, file: dict[str, Any]) -> str:
        """Return where a file goes: its own name; in a folder per frame where frames share names."""
        name = safe(file["name"])
        first = self._places.setdefault(name.casefold(), file["frame"])
        parts = name.split("/")
        if first != file["frame"]:
            parts = [f"frame-{file['frame']:06}", *parts]
        return os.path.join(self.errand.folder, *parts)

    def _land(self, file: dict[str, Any], target: str) -> bool:
        """Fetch a file; return False if it is gone since it was listed."""
        try:
            self._fetch(file, target)
        except OSError as error:
            hint = "Make room, or choose another output folder, then fetch again."
            raise Trouble(f"{target} can't be written: {error.strerror}.", hint, "disk") from error
        except Trouble as trouble:
            if trouble.code in ("file_not_found", "frame_not_found"):
                return False
            raise
        return True

    def _fetch(self, file: dict[str, Any], target: str) -> None:
        folder, name = os.path.split(target)
        part = os.path.join(folder, f".{name[:200]}.{file['sha256'][:12]}.part")
        os.makedirs(folder, exist_ok=True)
        if shutil.disk_usage(folder).free < file["size"] + SPARE:
            raise Trouble(f"The disk of {folder} is full.", "Make room, then fetch again.", "disk")
        self._download(f"/api/jobs/{self.errand.job}/output/{file['frame']}/{file['name']}", part)
        if _hash(part) != file["sha256"]:
            os.unlink(part)
            raise Trouble(f"“{name}” arrived damaged.", "It will be fetched again.", "damaged", passing=True)
        os.replace(part, target)

    def _download(self, path: str, part: str) -> None:
        have = os.path.getsize(part) if os.path.exists(part) else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._link.stream(path, headers) as response:
            if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            mode = "ab" if response.status == http.client.PARTIAL_CONTENT else "wb"
            with open(part, mode) as stream:
                while chunk := response.chunk():
                    if self._stop.is_set():
                        raise Stopped
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())


def existing(folder: str, names: list[str]) -> list[str]:
    """Return those of some names that are taken in a folder."""
    with contextlib.suppress(OSError):
        there = set(os.listdir(folder))
        return [name for name in names if name in there]
    return []


def safe(name: str) -> str:
    """Return a file's name in a job if it stays below the folder that it is put into.

    Raises:
        Trouble: it does not; a server of ours sends no such name.
    """
    parts = name.split("/")
    bad = any(part in ("", ".", "..") for part in parts) or any(ord(c) < 32 or c in '\\:*?"<>|' for c in name)
    if bad:
        raise Trouble(f"The server names a file “{name[:80]}”, which is not safe here.", "Tell its admin.", "unsafe")
    return name


def _hash(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
