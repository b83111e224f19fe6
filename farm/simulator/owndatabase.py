"""A MariaDB server of one's own, in one folder: started, killed, started again on what it left."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pymysql

from farm.sandbox.reaper import bound
from farm.words.errors import NotASetup

START = 60.0
"""Seconds that it may take until it listens."""

MAKE = 120
"""Seconds that making its tables may take."""

USER = "mysql"
"""As whom it runs where root starts it: it refuses to run as root."""

_PLACES = ("/usr/sbin", "/usr/libexec", "/usr/local/sbin")
_LONGEST = 100
"""Characters of a socket's path: the system takes 107."""


def program(*names: str) -> str | None:
    """Return where one of some programs is; None: there is none."""
    places = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    return next((found for name in names if (found := shutil.which(name, path=places))), None)


def hinders() -> str:
    """Return why there can be no such server here; empty: there can."""
    if _server() is None or _installer() is None:
        return "MariaDB's server is not installed (apt-get install mariadb-server)."
    if os.geteuid() == 0 and _owner() is None:
        return f"There is no user “{USER}”, as whom root would start MariaDB's server."
    return ""


class OwnDatabase:
    """A server with its data in a folder of its own; only who may enter that reaches it, through a socket.

    It has no password, and listens at no port. `port` is for those who override :meth:`doors`.

    Args:
        folder: it is made; all folders above it must be open to the user that it runs as.

    Raises:
        NotASetup: it did not come up; says why.
    """

    def __init__(self, folder: Path) -> None:
        why = hinders()
        self.folder, self.socket, self.log = folder, folder / "s", folder / "server.log"
        if not why and len(str(self.socket)) > _LONGEST:
            why = f"“{folder}” is too long a path for its socket."
        if why:
            raise NotASetup(f"MariaDB can't be started. {why}")
        self._common = self._laid_out()
        self._made()
        self.start()

    @property
    def url(self) -> str:
        """The URL of the farm's database in it, which :meth:`run` has made."""
        return f"mysql+pymysql://root@localhost/farm?unix_socket={self.socket}"

    def doors(self) -> list[str]:
        """Return where else it listens, as options."""
        return ["--skip-networking"]

    def options(self) -> list[str]:
        """Return what else it is started with."""
        return []

    def start(self) -> None:
        """Start the server, or start it again on what it left."""
        command = [
            str(_server()),
            *self._common,
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=48M",
            "--skip-log-bin",
            "--skip-name-resolve",
            "--character-set-server=latin1",  # nothing may depend on the server's default
        ]
        self.socket.unlink(missing_ok=True)  # a killed one leaves it
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.doors(), *self.options()], stdout=log, stderr=log, start_new_session=True
            )
        bound(self.process.pid)
        self._wait()

    def kill(self) -> None:
        """SIGKILL it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def run(self, statement: str) -> None:
        """Execute one statement as root."""
        conn = self.connect()
        try:
            with conn.cursor() as cursor:
                cursor.execute(statement)
        finally:
            conn.close()

    def connect(self, database: str | None = None) -> pymysql.Connection:
        """Return a connection of root's."""
        door = str(self.socket)
        return pymysql.connect(unix_socket=door, user="root", password="", database=database, autocommit=True)

    def _laid_out(self) -> list[str]:
        """Make its folders; return the options that name them."""
        data, scratch = self.folder / "data", self.folder / "tmp"
        self.folder.mkdir(parents=True, mode=0o700)
        # A scratch folder of its own: each server that starts removes temporary tables from it, also those of others.
        for place in (data, scratch):
            place.mkdir()
        options = ["--no-defaults", f"--datadir={data}", f"--tmpdir={scratch}"]
        owner = _owner() if os.geteuid() == 0 else None
        if owner is None:
            return options
        for place in (self.folder, data, scratch):
            os.chown(place, *owner)
        return [*options, f"--user={USER}"]

    def _made(self) -> None:
        wish = [str(_installer()), *self._common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run(wish, capture_output=True, text=True, timeout=MAKE, check=False)
        if made.returncode:
            raise NotASetup(f"MariaDB's tables could not be made. {_end(made.stdout + made.stderr)}")

    def _wait(self) -> None:
        until = time.monotonic() + START
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise NotASetup(f"MariaDB's server did not start. {_end(self.log.read_text('utf-8', 'replace'))}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        if self.socket.exists():
            with contextlib.suppress(pymysql.err.OperationalError):
                self.connect().close()
                return True
        return False


def _server() -> str | None:
    return program("mariadbd", "mysqld")


def _installer() -> str | None:
    return program("mariadb-install-db", "mysql_install_db")


def _owner() -> tuple[int, int] | None:
    """Return user and group as whom it runs where root starts it; None: there are none."""
    import pwd  # not on Windows

    with contextlib.suppress(KeyError):
        found = pwd.getpwnam(USER)
        return found.pw_uid, found.pw_gid
    return None


def _end(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])
