"""A real farm of real processes, that tests may kill."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
from pydantic import SecretStr
from sqlalchemy.engine import Connection

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.files.disk import DiskStore
from farm.files.view import JobFolders
from farm.jobs.audit import audit
from farm.protocol.accounts import Register
from farm.protocol.jobs import JobView, OutputFile, Requirement, Submission
from farm.words.errors import Unavailable, Unreachable
from farm.words.states import JobState
from tests.farm.processes import Forked, Process
from tests.ports import free_port

T = TypeVar("T")
PASSPHRASE = SecretStr("correct horse battery")


class Farm:
    """A server, its slaves, and an admin's client.

    Args:
        folder: where all of it lies.
        database_url: empty: SQLite.
        host: where the server listens.
        quick: processes are forked, and so start at once; not those with an environment or a code of their own.
        settings: the server's, as far as they differ from the defaults.
    """

    def __init__(
        self, folder: Path, database_url: str = "", host: str = "127.0.0.1", *, quick: bool = False, **settings: str
    ) -> None:
        self.folder = folder
        self.data = folder / "server"
        self.quick = quick
        self.host = host
        self.port = free_port()
        self.url = f"http://{host}:{self.port}"
        self.settings = {"heartbeat_seconds": "1", "log_format": "json", **settings}
        self.database_url = database_url
        self.code: Path | None = None
        """The folder of another DistRen that the server runs; None: this one."""
        self.slaves: dict[str, Process] = {}
        self.keys: dict[str, Any] = {}
        self.server = self.start_server()
        with FarmClient(self.url) as client:
            granted = client.register(Register(name="ada", passphrase=PASSPHRASE, invite=self.setup_code()))
        self.token = granted.token
        self.client = FarmClient(self.url, granted.token)

    def start_server(self) -> Process:
        """Start the server, or start it again; return when it answers."""
        variables = {f"DISTREN_{name.upper()}": value for name, value in self.settings.items()}
        if self.database_url:
            variables["DISTREN_DATABASE"] = self.database_url
        if self.code is not None:
            variables |= {"PYTHONPATH": str(self.code), "PYTHONSAFEPATH": "1"}
        verb = [
            "server",
            "--json",
            "--data",
            str(self.data),
            "--host",
            self.host,
            "--port",
            str(self.port),
        ]
        self.server = self._started("server", verb, variables, quick=self.code is None)
        with self.asking() as client:
            self.until(lambda: self.answers(client), 60, "the server answers")
        return self.server

    @property
    def doors(self) -> list[tuple[str, Process]]:
        """Where each process of the server is reached, past any balancer."""
        return [(self.url, self.server)]

    def asking(self) -> FarmClient:
        """Return a client without a login."""
        return FarmClient(self.url)

    @staticmethod
    def answers(client: FarmClient) -> bool:
        """Tell whether the server answers."""
        try:
            client.server_info()
        except (Unavailable, Unreachable):
            return False
        return True

    def setup_code(self) -> str:
        """Return the code that the server printed at its first start."""
        for line in self.server.log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("setup_code"):
                    return str(said["setup_code"])
        raise AssertionError(self.server.log.read_text())

    def start_slave(self, name: str = "ws01", environment: dict[str, str] | None = None, **settings: str) -> Process:
        """Start a slave, or start it again with the key it has.

        Args:
            name: the slave's.
            environment: more variables for it.
            settings: what differs in slave.conf.
        """
        if name not in self.keys:
            self.keys[name] = self.client.make_slave_key(name)
        place = self.folder / name
        place.mkdir(exist_ok=True)
        key = self.keys[name]
        given = {"server": self.url, "key": key.key, "password": key.password, "methods": "sleep", "benchmark": "off"}
        given |= {part: str(place / part) for part in ("cache", "work", "state")} | {"log_format": "json"} | settings
        variables = {f"DISTREN_SLAVE_{k.upper()}": v for k, v in given.items()}
        variables |= environment or {}
        self.slaves[name] = self._started(name, ["slave"], variables, quick=not environment)
        return self.slaves[name]

    def _started(self, name: str, verb: list[str], variables: dict[str, str], *, quick: bool) -> Process:
        kind = Forked if self.quick and quick else Process
        return kind(name, verb, variables, self.folder)

    def sleep_job(self, frames: str = "1-10", **more: Any) -> int:
        """Submit and queue a job that renders nothing; settings by name, others as in Submission."""
        fields = set(Submission.model_fields)
        settings = {"seconds": 0.1} | {k: v for k, v in more.items() if k not in fields}
        given = {k: v for k, v in more.items() if k in fields}
        submission = Submission(
            name="sleep", requires=Requirement(method="sleep"), settings=settings, frames=frames, **given
        )
        receiving = self.client.submit(submission)
        self.client.queue(receiving.job)
        return receiving.job

    def until(self, happened: Callable[[], T], seconds: float, what: str) -> T:
        """Wait for something, within a bound."""
        end = time.monotonic() + seconds
        while True:
            found = happened()
            if found:
                return found
            assert time.monotonic() < end, f"waited {seconds} s until {what}; logs:\n{self.logs()}"
            time.sleep(0.05)

    def ended(self, job: int, seconds: float = 60) -> JobView:
        """Wait until a job has ended; return it."""
        return self.until(
            lambda: self._if(job, JobState.DONE, JobState.FAILED, JobState.CANCELED), seconds, f"job {job} ended"
        )

    def reached(self, job: int, state: JobState, seconds: float = 30) -> JobView:
        """Wait until a job is in a state."""
        return self.until(lambda: self._if(job, state), seconds, f"job {job} is {state}")

    def done_frames(self, job: int, count: int, seconds: float = 60) -> JobView:
        """Wait until at least so many frames are done."""

        def enough() -> JobView | None:
            view = self.client.job(job)
            return view if view.counts.done >= count else None

        return self.until(enough, seconds, f"{count} frames of job {job} are done")

    def output(self, job: int) -> list[OutputFile]:
        """Return all finished files of a job."""
        files, after = [], None
        while True:
            page = self.client.output(job, after=after)
            files += page.files
            after = page.next
            if after is None:
                return files

    @property
    def storage(self) -> Path:
        """The server's folder of files."""
        return self.data / "storage"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to the server's database that only reads."""
        made = engine.reading(self.database_url or f"sqlite:///{self.data / 'distren.sqlite3'}")
        with made.connect() as conn:
            yield conn
        made.dispose()

    def folders(self) -> JobFolders:
        """Return the admin's view of jobs."""
        return JobFolders(self.storage / "stor")

    def audit(self) -> list[str]:
        """Return what is wrong with the database and the storage, bytes included."""
        with self.reading() as conn:
            return audit(conn, DiskStore(self.storage / "blobs"), self.folders(), deep=True)

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"--- {p.name}\n{p.read_text(errors='replace')[-3000:]}" for p in sorted(self.folder.glob("*.log"))
        )

    def close(self) -> None:
        """Kill everything that is left."""
        for process in [*self.slaves.values(), self.server]:
            process.popen.kill()
            process.popen.wait()
            for child in process.descendants():
                with contextlib.suppress(psutil.Error):
                    child.kill()
        self.client.close()

    def _if(self, job: int, *states: JobState) -> JobView | None:
        view = self.client.job(job)
        return view if view.state in states else None


@contextlib.contextmanager
def running(folder: Path, database_url: str = "", *, quick: bool = False, **settings: str) -> Iterator[Farm]:
    """Give a running farm, and kill it at the end."""
    farm = Farm(folder, database_url, quick=quick, **settings)
    try:
        yield farm
    finally:
        farm.close()
