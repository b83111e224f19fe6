"""A server of two processes is brought up to date, one process after the other, while slaves render."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from farm import __version__
from farm.database.migrations import HEAD
from farm.words.states import JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.farm.releases import other, replace
from tests.server.test_underpath import NGINX

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here.")]

NEXT = f"{int(HEAD) + 1:04}"
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"


def upgrade() -> None:
    op.add_column("job", sa.Column("mood", sa.Integer, nullable=False, server_default="0"))
    op.add_column("frame", sa.Column("weather", sa.Integer, nullable=True))
    op.add_column("attempt", sa.Column("weather", sa.Integer, nullable=True))
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture
def farm(tmp_path: Path, mariadb: MariaDB) -> Iterator[BalancedFarm]:
    with mariadb.fresh() as url, contextlib.closing(BalancedFarm(tmp_path, url)) as made:
        yield made


def newer(folder: Path) -> Path:
    """Return the next version, whose tables have more."""
    made = other(folder, "0.2.0")
    scripts = made / "farm" / "database" / "migrations"
    replace(scripts / "__init__.py", f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"')
    (scripts / "versions" / f"{NEXT}_more.py").write_text(MIGRATION, "utf-8")
    return made


class Browser(threading.Thread):
    """Somebody who looks at pages all the time, and follows events."""

    def __init__(self, farm: BalancedFarm, job: int) -> None:
        super().__init__(daemon=True)
        self._farm, self._job = farm, job
        self.stop = threading.Event()
        self.looks = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        with self._farm.asking() as client:
            client._http.headers["Authorization"] = f"Bearer {self._farm.token}"
            while not self.stop.wait(0.1):
                for path in ("/api/server", f"/api/jobs/{self._job}", "/jobs"):
                    self.looks += 1
                    try:
                        status = client._http.get(path, timeout=60).status_code
                    except httpx.TransportError as error:
                        self.wrong.append(f"{path}: {error!r}")
                    else:
                        self.wrong += [f"{status} {path}"] if status >= 500 else []


def versions(farm: BalancedFarm) -> list[str]:
    """Return the version of each process."""
    found = []
    for place in range(2):
        with farm.direct(place) as client:
            found.append(client.server_info().version)
    return found


def replaced(farm: BalancedFarm, place: int, jobs: list[int]) -> None:
    """Stop a process as its admin would, and start it again, amid a new job that renders."""
    jobs.append(farm.sleep_job("1-100", seconds=0.4))
    farm.done_frames(jobs[-1], 4, 120)
    farm.processes[place].stop()
    farm.start_process(place)


def test_both_versions_work_on_the_newer_tables_and_nobody_notices(farm: BalancedFarm, tmp_path: Path) -> None:
    for name in ("ws01", "ws02"):
        farm.start_slave(name, slots="2")
    jobs = [farm.sleep_job("1-20")]
    browser = Browser(farm, jobs[0])
    browser.start()
    farm.codes = {0: newer(tmp_path)}
    replaced(farm, 0, jobs)
    assert versions(farm) == ["0.2.0", __version__]
    replaced(farm, 1, jobs)  # the old one comes back, to tables that it does not know
    assert versions(farm) == ["0.2.0", __version__]
    farm.codes[1] = farm.codes[0]
    replaced(farm, 1, jobs)
    assert versions(farm) == ["0.2.0", "0.2.0"]
    farm.codes.clear()
    replaced(farm, 0, jobs)  # the way back
    assert versions(farm) == [__version__, "0.2.0"]
    for job in jobs:
        assert farm.ended(job, 300).state is JobState.DONE
    browser.stop.set()
    browser.join(30)
    assert [len(farm.output(job)) for job in jobs] == [20, 100, 100, 100, 100]
    assert browser.looks > 0
    assert browser.wrong == []
    assert farm.answers_of("5") == []
    with farm.reading() as conn:
        won = conn.exec_driver_sql("SELECT COUNT(*) FROM attempt WHERE state = 'won'").scalar()
    assert won == 420
    assert farm.audit() == []
