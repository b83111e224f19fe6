"""Databases for tests: a file for SQLite, and a real MariaDB server that the test run starts."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pymysql
import pytest

from farm.database import engine
from farm.database.handle import Database
from farm.database.migrate import migrate
from farm.simulator.owndatabase import OwnDatabase, hinders
from tests.disks import small_disk
from tests.ports import free_port


class MariaDB(OwnDatabase):
    """A server that also listens at a free port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._kept: list[Kept] = []
        super().__init__(folder)

    def doors(self) -> list[str]:
        """Return where it listens."""
        return [f"--port={self.port}", "--bind-address=127.0.0.1"]

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of an empty database."""
        name = f"farm_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}")
        try:
            yield f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}"
        finally:
            self.run(f"DROP DATABASE {name}")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the URL of a database whose tables are made, and are empty.

        It is cleaned, and lent again: to make all tables takes a second. Only who leaves no process behind may have it.
        """
        kept = self._kept.pop() if self._kept else Kept(self)
        yield kept.url
        if kept.clean():
            self._kept.append(kept)


class Hurried(MariaDB):
    """A server that waits for no disk: if it is killed, the system lives on and has all. Not for measuring."""

    def options(self) -> list[str]:
        """Return what else this server is started with."""
        return [*super().options(), "--innodb-flush-method=nosync"]


class Kept:
    """A database that is used again and again: what its tables held when they were made, they hold after each use."""

    def __init__(self, server: MariaDB) -> None:
        self._server = server
        self.name = f"kept_{secrets.token_hex(6)}"
        server.run(f"CREATE DATABASE {self.name}")
        self.url = f"mysql+pymysql://root@127.0.0.1:{server.port}/{self.name}"
        made(self.url)
        with server.connect(self.name) as conn, conn.cursor() as cursor:
            self._tables = self._found(cursor)
            filled = self._filled(cursor)
            self._first = {table: self._rows(cursor, table) for table in filled}
            self._numbers = self._numbered(cursor)

    def clean(self) -> bool:
        """Empty the tables; return whether all is as it was at first. What is not is dropped."""
        try:
            with self._server.connect(self.name) as conn, conn.cursor() as cursor:
                cursor.execute("SET foreign_key_checks = 0, innodb_lock_wait_timeout = 2, lock_wait_timeout = 2")
                same = self._found(cursor) == self._tables and self._version(cursor)
                if same:
                    self._empty(cursor)
                    return True
        except pymysql.err.MySQLError:
            pass  # somebody still holds on to it
        self._server.run(f"DROP DATABASE {self.name}")
        return False

    def _empty(self, cursor: Any) -> None:
        for table in self._filled(cursor):
            if self._first.get(table) != self._rows(cursor, table):
                cursor.execute(f"DELETE FROM `{table}`")
                for row in self._first.get(table, ()):
                    cursor.execute(f"INSERT INTO `{table}` VALUES ({', '.join(['%s'] * len(row))})", row)
        for table in self._numbered(cursor) - self._numbers:
            cursor.execute(f"ALTER TABLE `{table}` AUTO_INCREMENT = 1")

    def _found(self, cursor: Any) -> list[str]:
        cursor.execute("SHOW TABLES")
        return sorted(name for (name,) in cursor.fetchall())

    def _version(self, cursor: Any) -> bool:
        return bool(self._rows(cursor, "alembic_version") == self._first["alembic_version"])

    def _filled(self, cursor: Any) -> list[str]:
        cursor.execute(" UNION ALL ".join(f"SELECT '{t}', EXISTS(SELECT 1 FROM `{t}`)" for t in self._tables))
        return [table for table, some in cursor.fetchall() if some]

    def _numbered(self, cursor: Any) -> set[str]:
        """Return the tables that have given numbers."""
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND auto_increment > 1"
        cursor.execute(query, (self.name,))
        return {name for (name,) in cursor.fetchall()}

    @staticmethod
    def _rows(cursor: Any, table: str) -> list[tuple[Any, ...]]:
        cursor.execute(f"SELECT * FROM `{table}`")
        return list(cursor.fetchall())


@contextmanager
def mariadb_server(disk: int | None = None, kind: type[MariaDB] = MariaDB) -> Iterator[MariaDB]:
    """Run a MariaDB server while the block runs; skipped only where it is not installed, and never in CI.

    Args:
        disk: bytes of a disk of its own; None: it lies on this machine's.
        kind: how it is run.
    """
    if why := hinders():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    folder = Path(tempfile.mkdtemp(prefix="distren-mariadb-"))  # short: a socket's path is limited
    folder.chmod(0o755)
    running = None
    try:
        with small_disk(folder / "disk", disk) if disk else nullcontext(folder) as place:
            try:
                running = kind(place / "m")
                yield running
            finally:
                if running is not None:
                    running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """One MariaDB server for this test process."""
    with mariadb_server(kind=Hurried) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'farm.db'}"
    else:
        with request.getfixturevalue("mariadb").fresh() as url:
            yield url


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database whose tables are made, and are empty, of each kind in turn; for this process only."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_tables"), tmp_path / "farm.db")
        yield f"sqlite:///{tmp_path / 'farm.db'}"
    else:
        with request.getfixturevalue("mariadb").migrated() as url:
            yield url


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose tables are made, to be copied."""
    file = tmp_path_factory.mktemp("tables") / "farm.db"
    made(f"sqlite:///{file}")
    return file


def made(url: str) -> None:
    """Make the tables of a database, as any first start does."""
    way = engine.migrating(url)
    migrate(way)
    way.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with nothing in it, of each kind in turn."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
