"""Migrate in a process of its own: what Alembic needs for it, 12 MB, would stay in the server for good."""

from __future__ import annotations

import os
import subprocess
import sys

from farm.database import engine
from farm.database.migrate import migrate, revision
from farm.database.migrations import HEAD
from farm.words.errors import NotASetup

_URL = "DISTREN_MIGRATED_DATABASE"
"""How the other process learns of the database: a URL has a password, and everybody sees the arguments."""


def migrate_apart(url: str) -> None:
    """Bring a database to the newest revision; what goes wrong is left to its opening, which says it in words."""
    if _needed(url):
        argv = [sys.executable, "-P", "-m", "farm.server.apart"]
        no = subprocess.DEVNULL
        subprocess.run(argv, env={**os.environ, _URL: url}, check=False, stdin=no, stdout=no, stderr=no)


def _needed(url: str) -> bool:
    migrating = engine.migrating(url)
    try:
        with engine.opening(url):
            return revision(migrating) != HEAD
    except NotASetup:
        return False
    finally:
        migrating.dispose()


if __name__ == "__main__":
    migrate(engine.migrating(os.environ[_URL]))
