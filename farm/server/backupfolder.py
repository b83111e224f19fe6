"""A folder of backups: blobs that all of them share, and what each has of its own.

blobs/ab/abcd…                     every file of the farm, once, under its hash
2026-11-26T03-15-00/database.sqlite3
                   /peering.key    the server's private keys
                   /backup.json    what it is; written last, so that one without it is none
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from farm.database import engine, snapshots
from farm.database.schema import blobs
from farm.files.disk import DiskStore
from farm.server.lock import FolderLock
from farm.words.durable import sync_file, sync_folder
from farm.words.errors import NotASetup

DATABASE, KEYS, FACTS = "database.sqlite3", "peering.key", "backup.json"

_UNFINISHED = ".unfinished"


class Facts(BaseModel):
    """What a backup is; `lost`: hashes of files that the server itself did not have, or had damaged."""

    format: int = 1
    name: str
    server: str
    version: str
    at: datetime
    database_sha256: str
    files: int
    bytes: int
    lost: list[str]


class BackupFolder:
    """Backups of one server.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def store(self) -> DiskStore:
        """The files of all backups."""
        return DiskStore(self.root / "blobs")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from changing it."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FolderLock(self.root, "backup"):
            shutil.rmtree(self.root / _UNFINISHED, ignore_errors=True)
            yield

    def names(self) -> list[str]:
        """Return the names of all whole backups, oldest first."""
        return sorted(file.parent.name for file in self.root.glob(f"*/{FACTS}"))

    def draft(self) -> Path:
        """Return an empty folder for a new backup."""
        draft = self.root / _UNFINISHED
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        return draft

    def free_name(self, at: datetime) -> str:
        """Return the name of a backup of a moment."""
        name, taken = at.strftime("%Y-%m-%dT%H-%M-%S"), set(self.names())
        return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)

    def finish(self, draft: Path, facts: Facts) -> None:
        """Make a draft a backup, durably."""
        file = draft / FACTS
        file.write_text(facts.model_dump_json(indent=1), "utf-8")
        for each in draft.iterdir():
            sync_file(each)
        sync_folder(draft)
        draft.rename(self.root / facts.name)
        sync_folder(self.root)

    def facts(self, name: str = "") -> Facts:
        """Return what a backup is.

        Args:
            name: its name; empty: the newest.

        Raises:
            NotASetup: there is none, or it can't be read.
        """
        names = self.names()
        if not names or (name and name not in names):
            raise NotASetup(
                f"There is no backup {name or 'at all'} in {self.root}.",
                hint=f"There are: {', '.join(names)}." if names else "Name the folder that `distren backup` was given.",
            )
        file = self.root / (name or names[-1]) / FACTS
        try:
            return Facts.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise NotASetup(f"{file} can't be read.", hint="Name another backup with --at.") from error

    def database(self, name: str) -> Path:
        """Return a backup's database."""
        return self.root / name / DATABASE

    def files(self, name: str) -> Iterator[tuple[str, int]]:
        """Yield hash and size of each file of a backup."""
        yield from files_of(self.database(name))

    def keep(self, count: int) -> None:
        """Remove all backups but the newest, and the files that only those had."""
        gone = self.names()[:-count]
        if not gone:
            return
        for name in gone:
            (self.root / name / FACTS).unlink()  # from here on it is none
            shutil.rmtree(self.root / name)
        needed = {sha256 for name in self.names() for sha256, _ in self.files(name)}
        store = self.store
        for sha256 in list(store.hashes()):
            if sha256 not in needed:
                store.delete(sha256, older_than=0)


def files_of(database: Path) -> Iterator[tuple[str, int]]:
    """Yield hash and size of each blob that a snapshot has, in the order of hashes."""
    reading = engine.alone(snapshots.url_of(database))
    try:
        with reading.connect() as conn:
            query = select(blobs.c.hash, blobs.c.size).order_by(blobs.c.hash)
            for row in conn.execute(query, execution_options={"yield_per": 1000}):
                yield row.hash.hex(), row.size
    finally:
        reading.dispose()


def hash_of(file: Path) -> str:
    """Return a file's SHA-256, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
