"""Bring a job's pictures home: what is not here yet, checked, and never over something else unless allowed."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import threading
from typing import Any

from ..places import set_aside
from .errands import Errand
from .hashes import Hashes
from .link import CHUNK, Link
from .messages import Fetched
from .trouble import Stopped, Trouble

PAGE = 500
"""Files asked for at once."""

SPARE = 50_000_000
"""Bytes that stay free on the artist's disk."""


PREVIEWED = ".exr"
"""Files that need not come, if the artist only wants to see what they look like."""


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
        fresh = [file for file in self._listed() if _key(file) not in self._here]
        self._must_fit(fresh)
        for file in fresh:
            self._one(file, _key(file))
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

    def _must_fit(self, fresh: list[dict[str, Any]]) -> None:
        """Look before the first byte whether there is room for all."""
        sizes: dict[str, int] = {}
        for file in fresh:
            target = self._place(file)
            if not (self._preview(file) or os.path.exists(target)):
                root = _there(os.path.dirname(target))
                sizes[root] = sizes.get(root, 0) + file["size"]
        for root, size in sizes.items():
            free = shutil.disk_usage(root).free - SPARE
            if size > free:
                text = f"{len(fresh)} files of job {self.errand.job} need {size / 1e9:,.1f} GB, but the disk of {root} "
                hint = "Make room, or choose another output folder, then fetch again."
                raise Trouble(f"{text}has {max(0, free) / 1e9:,.1f} GB free.", hint, "disk")

    def _preview(self, file: dict[str, Any]) -> bool:
        return self.errand.previews and file["name"].lower().endswith(PREVIEWED)

    def _one(self, file: dict[str, Any], key: tuple[int, str, str]) -> None:
        target = self._place(file)
        if self._preview(file):
            target = os.path.join(os.path.dirname(target), "previews", f"{os.path.basename(target)[:-4]}.webp")
            if self._peek(file, target):
                self._took(key, target)
            return
        if os.path.exists(target):
            if self._hashes.of(target, lambda _count: None, self._stop) == (file["sha256"], file["size"]):
                self._took(key, target)
                return
            if not (self.errand.replace or self.errand.keep):
                self._differing.add(target)
                return
        if self._land(file, target):
            self._took(key, target)

    def _peek(self, file: dict[str, Any], target: str) -> bool:
        """Fetch a frame's preview; return False if it has none."""
        try:
            data = self._link.get(f"/api/jobs/{self.errand.job}/frames/{file['frame']}/thumbnail")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as stream:
                stream.write(data)
        except OSError as error:
            raise Trouble(
                f"{target} can't be written: {error.strerror}.", "Make room, then fetch again.", "disk"
            ) from error
        except Trouble as trouble:
            if trouble.passing:
                raise
            return False
        return True

    def _took(self, key: tuple[int, str, str], target: str) -> None:
        self._here[key] = target
        self._newest = target

    def _place(self, file: dict[str, Any]) -> str:
        """Return where a file goes: its own name; in a folder per frame where frames share names."""
        name = safe(file["name"])
        first = self._places.setdefault(name.casefold(), file["frame"])
        homes = [(folder, home) for folder, home in self.errand.homes if folder and name.startswith(f"{folder}/")]
        folder, home = max(homes, default=("", self.errand.folder), key=lambda one: len(one[0]))
        parts = name[len(folder) :].lstrip("/").split("/")
        if first != file["frame"]:
            parts = [f"frame-{file['frame']:06}", *parts]
        return os.path.join(home, *parts)

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
        path = f"/api/jobs/{self.errand.job}/output/{file['frame']}/{file['name']}"
        past = self._download(path, part)
        if _hash(part) != file["sha256"]:
            os.unlink(part)
            raise Trouble(f"“{name}” arrived damaged.", "It will be fetched again.", "damaged", passing=True)
        if self.errand.keep and os.path.exists(target):
            set_aside(target)
        os.replace(part, target)
        if past:
            # The last byte comes from the server: so it hears that the file is at home.
            with self._link.stream(path, {"Range": "bytes=-1"}) as response:
                response.chunk()

    def _download(self, path: str, part: str) -> bool:
        """Bring the rest of a file; return whether it came past the server, which does not know so far."""
        have = os.path.getsize(part) if os.path.exists(part) else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._link.stream(path, headers, past=True) as response:
            if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return response.past
            mode = "ab" if response.status == http.client.PARTIAL_CONTENT else "wb"
            with open(part, mode) as stream:
                while chunk := response.chunk():
                    if self._stop.is_set():
                        raise Stopped
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            return response.past


def _key(file: dict[str, Any]) -> tuple[int, str, str]:
    return file["frame"], file["name"], file["sha256"]


def _there(folder: str) -> str:
    """Return a folder, or the nearest above it that is there."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


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
