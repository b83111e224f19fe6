"""Databases for tests: a file for SQLite, and a real MariaDB server that the test run starts."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pymysql
import pytest

from farm.database.handle import Database
from tests.disks import small_disk
from tests.living import bound
from tests.ports import free_port

START_SECONDS = 60


def program(*names: str) -> str | None:
    """Return where one of some programs is; None: there is none."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec", "/usr/local/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=places))), None)


def _as_mysql(folder: Path) -> list[str]:
    """Give the folder to the user mysql, whom the server runs as when root starts it."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("mysql")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    return ["--user=mysql"]


class MariaDB:
    """A server on a free port, with its data in a folder of its own."""

    def __init__(self, folder: Path, server: str, installer: str) -> None:
        self.port = free_port()
        data = folder / "data"
        data.mkdir(parents=True)
        # Of its own: each server that starts removes temporary tables from the folder, also those of others.
        scratch = folder / "tmp"
        scratch.mkdir()
        folder.chmod(0o755)
        self.folder = folder
        user = _as_mysql(folder)
        common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={scratch}", *user]
        made = subprocess.run(
            [installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        self.log = folder / "server.log"
        self._command = [
            server,
            *common,
            f"--port={self.port}",
            f"--socket={folder / 's'}",
            f"--pid-file={folder / 'pid'}",
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=48M",
            "--skip-log-bin",
            "--skip-name-resolve",
            "--character-set-server=latin1",  # nothing may depend on the server's default
        ]
        self.start()

    def options(self) -> list[str]:
        """Return what else this server is started with."""
        return []

    def start(self) -> None:
        """Start the server, or start it again on what it left."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*self._command, *self.options()], stdout=log, stderr=log)
        bound(self.process.pid)
        self._wait()

    def kill(self) -> None:
        """SIGKILL it."""
        self.process.kill()
        self.process.wait()

    def _connect(self) -> pymysql.Connection:  # type: ignore[type-arg]
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", password="", autocommit=True)

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            try:
                self._connect().close()
            except pymysql.err.OperationalError:
                assert time.monotonic() < end, self.log.read_text(errors="replace")
                time.sleep(0.1)
            else:
                return

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of an empty database."""
        name = f"farm_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}")
        try:
            yield f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}"
        finally:
            self.run(f"DROP DATABASE {name}")

    def run(self, statement: str) -> None:
        """Execute one statement as root."""
        conn = self._connect()
        try:
            with conn.cursor() as cursor:
                cursor.execute(statement)
        finally:
            conn.close()

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def mariadb_server(disk: int | None = None) -> Iterator[MariaDB]:
    """Run a MariaDB server while the block runs; skipped only where it is not installed, and never in CI.

    Args:
        disk: bytes of a disk of its own; None: it lies on this machine's.
    """
    server, installer = program("mariadbd", "mysqld"), program("mariadb-install-db", "mysql_install_db")
    if server is None or installer is None:
        if os.environ.get("CI"):
            pytest.fail("MariaDB's server is not installed: apt-get install mariadb-server")
        pytest.skip("MariaDB's server is not installed: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="distren-mariadb-"))  # short: a socket's path is limited
    folder.chmod(0o755)
    running = None
    try:
        with small_disk(folder / "disk", disk) if disk else nullcontext(folder) as place:
            try:
                running = MariaDB(place / "m", server, installer)
                yield running
            finally:
                if running is not None:
                    running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """One MariaDB server for this test process."""
    with mariadb_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'farm.db'}"
    else:
        with request.getfixturevalue("mariadb").fresh() as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, migrated, empty database, of each kind in turn."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
