"""What `doctor` looks at on this machine: each finding says ok, warn or fail, and the mend."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel

from farm import __version__
from farm.cli.output import size
from farm.words.folders import user_folder
from farm.words.settings import ClientSettings


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """Something will not work, or not well."""
    FAIL = "fail"
    """Nothing that needs this will work."""


class Finding(BaseModel):
    """One thing that was looked at; `mend` says what to do about it."""

    topic: str
    grade: Grade
    message: str
    mend: str = ""


LOW_DISK, NO_DISK = 5_000_000_000, 500_000_000
"""Free bytes: below the first, large jobs may not fit; below the second, nothing does."""

SERVER_MODULES = ("fastapi", "uvicorn", "sqlmodel", "sqlalchemy", "alembic", "argon2", "prometheus_client")

WAL_RESET_FIXED = (3, 51, 3)
WAL_RESET_PORTED = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}
"""Versions of SQLite without the WAL-reset bug: with two connections that checkpoint, it can corrupt a database."""


def python() -> Iterator[Finding]:
    """Look at Python and at this program."""
    ours = sys.version_info[:3]
    text = f"Python {'.'.join(map(str, ours))}, DistRen {__version__}"
    yield Finding(topic="python", grade=Grade.OK, message=text)


def packages() -> Iterator[Finding]:
    """Look for the packages of client, slave and server."""
    missing = [name for name in SERVER_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        text = f"The server's packages are not installed ({', '.join(missing)}); client and slave work."
        mend = "pip install 'distren[server]', if a server is to run here"
        yield Finding(topic="packages", grade=Grade.WARN, message=text, mend=mend)
        return
    yield Finding(topic="packages", grade=Grade.OK, message=f"client, slave and server (fastapi {_version('fastapi')})")


def sqlite() -> Iterator[Finding]:
    """Look at the SQLite that a server would use."""
    here = sqlite3.sqlite_version_info
    text = f"SQLite {sqlite3.sqlite_version}"
    if wal_reset_bug(here):
        text += " has the WAL-reset bug (two checkpointing connections can corrupt a database); DistRen keeps to one"
        mend = "never write to a running server's database with other programs; SQLite 3.51.3 has it fixed"
        yield Finding(topic="sqlite", grade=Grade.WARN, message=text, mend=mend)
    else:
        yield Finding(topic="sqlite", grade=Grade.OK, message=text)


def wal_reset_bug(found: tuple[int, int, int]) -> bool:
    """Tell whether a version of SQLite has the WAL-reset bug."""
    ported = WAL_RESET_PORTED.get(found[:2])
    return found < WAL_RESET_FIXED and not (ported and found >= ported)


def disks() -> Iterator[Finding]:
    """Look for room in the folders that are used here."""
    seen: set[int] = set()
    for folder in (user_folder("data"), user_folder("cache")):
        place = next(p for p in (folder, *folder.parents) if p.exists())
        if place.stat().st_dev in seen:
            continue
        seen.add(place.stat().st_dev)
        free = shutil.disk_usage(place).free
        grade = Grade.FAIL if free < NO_DISK else Grade.WARN if free < LOW_DISK else Grade.OK
        mend = "" if grade == Grade.OK else "delete old jobs, or set other folders (`distren config show`)"
        yield Finding(topic="disk", grade=grade, message=f"{size(free)} free for {folder}", mend=mend)


def programs() -> Iterator[Finding]:
    """Look for programs that make more possible."""
    for name, without, mend in (
        ("ffmpeg", "videos can't be made", "install ffmpeg (Debian: apt-get install ffmpeg)"),
        (
            "bwrap",
            "strangers' jobs are unsafe",
            "install bubblewrap (Debian: apt-get install bubblewrap)",
        ),
    ):
        found = shutil.which(name)
        if found:
            yield Finding(topic=name, grade=Grade.OK, message=found)
        elif name != "bwrap" or sys.platform == "linux":
            yield Finding(topic=name, grade=Grade.WARN, message=f"not found: {without}", mend=mend)


def logins(settings: ClientSettings) -> Iterator[Finding]:
    """Look whether others can read the tokens."""
    path: Path = settings.tokens
    if sys.platform != "win32" and path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = f"Others on this machine can read your tokens in {path}."
        yield Finding(topic="tokens", grade=Grade.FAIL, message=text, mend=f"chmod 600 {path}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
