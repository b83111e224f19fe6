"""Look whether backups are as they were written."""

from __future__ import annotations

from pathlib import Path

from farm.files.disk import DiskStore
from farm.server.backupfolder import BackupFolder, hash_of


def check(folder: BackupFolder) -> list[str]:
    """Read everything in a folder of backups; return what is wrong, one sentence each."""
    with folder.alone():
        store, bad = folder.store, dict[str, bool]()
        found = [] if folder.names() else [f"There is no backup in {folder.root}."]
        for name in folder.names():
            found += _one(folder, store, name, bad)
        return found


def _bad(path: Path, sha256: str) -> bool:
    """Tell whether a file is not what it should be; what is damaged goes, so that the next backup copies it anew."""
    if not path.is_file():
        return True
    damaged = hash_of(path) != sha256
    if damaged:
        path.unlink()
    return damaged


def _one(folder: BackupFolder, store: DiskStore, name: str, bad: dict[str, bool]) -> list[str]:
    """Look at one backup; `bad` knows the files that were read for others."""
    facts = folder.facts(name)
    database = folder.database(name)
    if not database.is_file() or hash_of(database) != facts.database_sha256:
        return [f"The database of backup {name} is damaged, or gone."]
    found = []
    for sha256, _ in folder.files(name):
        if sha256 not in bad:
            bad[sha256] = _bad(store.local(sha256), sha256)
        if bad[sha256] and sha256 not in facts.lost:
            found.append(f"File {sha256[:12]}… of backup {name} is damaged, or gone. The next backup copies it anew.")
    return found
