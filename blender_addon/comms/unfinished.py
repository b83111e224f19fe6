"""Jobs on their way, each kept in a file that only this user can read until all of it is on the farm.

A Blender that is killed, or loses the farm for long, leaves its file behind: the next one
sends the rest, or has the half job ended. While a Blender sends, it holds a lock that the
system lets go of when it dies, however that happens.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, replace
from typing import IO, Any

from .errands import Errand, errand_of
from .folders import read_json, user_folder, write_json
from .parcel import Combining, LocalFile, Parcel
from .trouble import Trouble

KEPT = 30 * 86400
"""Seconds after which a note is thrown away: servers forget half jobs after days."""


@dataclass(frozen=True)
class Half:
    """A job that is not all on the farm yet.

    Args:
        server: where it goes.
        user: whose it is there.
        parcel: what is sent.
        scratch: the folder with the copy of the .blend.
        errand: where its pictures go; its `job` is none yet. None: they stay on the farm.
        digest: of the submission with all hashes; empty: not known yet.
        wanted: of the submission without them: the same wish of the same scene.
        jobs: the numbers of its jobs as far as they are there.
        asked: the key of the one that is being asked for: its number is not known yet.
        dropped: nobody wants it any more, but the server could not be told.
    """

    server: str
    user: str
    parcel: Parcel
    scratch: str
    errand: Errand | None = None
    digest: str = ""
    wanted: str = ""
    jobs: tuple[int, ...] = ()
    asked: str = ""
    dropped: bool = False

    @property
    def key(self) -> str:
        """What the server, and this machine, know it by."""
        return str(self.parcel.submission["key"])

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.parcel.submission["name"])

    @property
    def whole(self) -> bool:
        """All that is to be sent is still there."""
        return all(os.path.exists(file.local) for file in self.parcel.files)


class Note:
    """The file of a half job, held by this Blender from the first time that it is kept.

    Args:
        half: what is known now.
        lock: an open file that is locked; None: not held yet.
    """

    def __init__(self, half: Half, lock: IO[bytes] | None = None) -> None:
        self.half = half
        self._lock = lock

    def keep(self, **known: Any) -> None:
        """Write down what is known by now.

        Raises:
            Trouble: the disk is full.
        """
        self.half = replace(self.half, **known)
        try:
            os.makedirs(_folder(), mode=0o700, exist_ok=True)
            self._lock = self._lock or _locked(self.half.key)
            write_json(_path(self.half.key), asdict(self.half))
        except OSError as error:
            text = f"{_folder()} can't be written: {error.strerror}."
            raise Trouble(text, "Make room, then send again.", "disk") from error

    def forget(self) -> None:
        """Throw it away: all of it is on the farm, or nothing."""
        for path in (_path, _lock_path):
            with contextlib.suppress(OSError):
                os.unlink(path(self.half.key))
        self.leave()

    def leave(self) -> None:
        """Leave it to the next Blender, or to this one later."""
        if self._lock is not None:
            self._lock.close()
        self._lock = None


def take(half: Half) -> Note | None:
    """Hold a half job that was left; None: another Blender has taken it, or ended it."""
    lock = _locked(half.key)
    if lock is None:
        return None
    if not os.path.exists(_path(half.key)):
        lock.close()
        return None
    return Note(half, lock)


def left(server: str, user: str) -> list[Half]:
    """Return this user's half jobs on a server that no living Blender sends, oldest first."""
    return [half for half in _all() if (half.server, half.user) == (server, user) and not _held(half.key)]


def any_left(server: str) -> bool:
    """Tell whether somebody's half jobs were left on a server."""
    return any(half.server == server and not _held(half.key) for half in _all())


def digests(submission: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[str, str]:
    """Return what tells a submission from another: with all bytes of its files, and as a wish of the same files."""
    plain = {name: value for name, value in submission.items() if name != "key"}
    places = sorted(entry["path"] for entry in entries)
    return _digest([plain, entries]), _digest([plain, places])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _folder() -> str:
    return os.path.join(user_folder("state"), "uploads")


def _path(key: str) -> str:
    return os.path.join(_folder(), f"{key}.json")


def _lock_path(key: str) -> str:
    return os.path.join(_folder(), f"{key}.lock")


def _all() -> list[Half]:
    found = []
    for name in _names():
        path = os.path.join(_folder(), name)
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError, OSError):
            half = _half(read_json(path))
            if time.time() - os.path.getmtime(path) < KEPT:
                found.append((os.path.getmtime(path), half))
            elif note := take(half):
                note.forget()
                shutil.rmtree(half.scratch, ignore_errors=True)
    return [half for _, half in sorted(found, key=lambda one: one[0])]


def _names() -> list[str]:
    try:
        return [name for name in os.listdir(_folder()) if name.endswith(".json")]
    except OSError:
        return []


def _half(told: dict[str, Any]) -> Half:
    parcel = told["parcel"]
    combining = {**parcel["combining"], "mix": tuple(parcel["combining"]["mix"])}
    if combining["size"] is not None:
        combining["size"] = tuple(combining["size"])
    files = [LocalFile(**file) for file in parcel["files"]]
    known = {
        "parcel": Parcel(**{**parcel, "files": files, "combining": Combining(**combining)}),
        "errand": errand_of(told["errand"]) if told["errand"] else None,
        "jobs": tuple(told["jobs"]),
    }
    return Half(**{**told, **known})


def _held(key: str) -> bool:
    lock = _locked(key)
    if lock is None:
        return True
    lock.close()
    return False


def _locked(key: str) -> IO[bytes] | None:
    """Open and lock a file; None if somebody else has locked it. Where there are no locks, nobody has."""
    stream = open(_lock_path(key), "ab")  # noqa: SIM115  it is locked as long as it is open
    try:
        _lock(stream)
    except (BlockingIOError, PermissionError):
        stream.close()
        return None
    except OSError:
        pass
    return stream


def _lock(stream: IO[bytes]) -> None:
    if os.name == "nt":
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    import fcntl

    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
