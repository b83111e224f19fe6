"""One moment of a farm's database, as a SQLite file, while the farm works on.

Whatever the database is, its snapshot is the same kind of file: so a backup needs no program of the database's, has no
password on any command line, and goes back into either kind.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from farm.database import engine, transfer
from farm.database.migrate import revision
from farm.database.migrations import HEAD
from farm.words.errors import NotASetup


def url_of(file: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{file.absolute()}"


def take(url: str, file: Path) -> None:
    """Write what a database has now into a new file; only reads from it.

    SQLite copies its pages itself, in one reading transaction. From MariaDB all rows are read in one transaction,
    which sees one moment.

    Args:
        url: the farm's database.
        file: where it goes; must not exist.

    Raises:
        NotASetup: the database can't be used, or is not of this version of DistRen.
    """
    parsed = engine.parse(url)
    with engine.opening(url):
        if parsed.get_backend_name() == "sqlite":
            _pages(Path(str(parsed.database)), file)
        else:
            _rows(url, file)


def _pages(database: Path, file: Path) -> None:
    if not database.is_file():
        raise NotASetup(f"There is no database {database}.", hint="Name the server's folder with --data.")
    address = f"file:{quote(str(database.absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # else its reader would need a log beside it


def _rows(url: str, file: Path) -> None:
    reading, target = engine.reading(url), engine.alone(url_of(file))
    try:
        must_be_newest(found := revision(reading))
        transfer.begin(target, str(found))
        with reading.connect() as source, engine.snapshot(source):
            transfer.copy(source, target)
            with target.begin() as conn:
                transfer.finish(source, conn)
    finally:
        reading.dispose()
        target.dispose()


def must_be_newest(found: str | None) -> None:
    """Refuse a database of another version: its tables are others.

    Raises:
        NotASetup: it is one.
    """
    if found != HEAD:
        raise NotASetup(
            f"The database is at revision {found}, this DistRen at {HEAD}.",
            hint="Use the DistRen that the server runs, or start the server once with this one.",
        )
