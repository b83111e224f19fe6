"""A server is lost in mid-job, and made anew from its backup, while its slave renders on."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from farm.database import engine, snapshots
from farm.database.schema import frames
from farm.server.backup import backup
from farm.server.backupcheck import check
from farm.server.backupfolder import BackupFolder
from farm.server.restore import ATTEMPTS, restore
from farm.words.settings import ServerSettings
from farm.words.states import JobState
from tests.farm.nursery import QuickFarm

FROM_TO = [
    pytest.param(("sqlite", "mariadb"), marks=pytest.mark.mariadb),
    pytest.param(("mariadb", "sqlite"), marks=[pytest.mark.mariadb, pytest.mark.soak]),
]


@pytest.fixture
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The databases of the server before and after."""
    with contextlib.ExitStack() as stack:
        made = {"mariadb": lambda: stack.enter_context(request.getfixturevalue("mariadb").fresh())}
        made["sqlite"] = lambda: snapshots.url_of(tmp_path / "farm.sqlite3")
        yield tuple(made[kind]() for kind in request.param)


@pytest.mark.parametrize("urls", FROM_TO, indirect=True, ids=["sqlite-mariadb", "mariadb-sqlite"])
def test_a_lost_server_goes_on_from_its_backup_and_no_frame_is_lost_or_doubled(
    urls: tuple[str, str], tmp_path: Path
) -> None:
    with contextlib.closing(QuickFarm(tmp_path, urls[0], heartbeat_seconds="1", free_space="0")) as farm:
        farm.start_slave(slots="2")
        job = farm.sleep_job("1-30", seconds=0.3)
        farm.done_frames(job, 3)
        folder = BackupFolder(tmp_path / "backups")
        made = backup(ServerSettings(data=farm.folder / "server", database=urls[0]), folder)
        assert made.facts.lost == check(folder) == []
        farm.done_frames(job, 8)
        farm.server.kill()
        shutil.rmtree(farm.folder / "server")
        restore(ServerSettings(data=farm.folder / "server", database=urls[1]), folder)
        farm.database_url = urls[1]
        farm.start_server()
        ended = farm.ended(job, 120)
        assert (ended.state, ended.counts.done) == (JobState.DONE, 30)
        assert sorted(file.frame for file in farm.output(job)) == list(range(1, 31))
        assert farm.audit() == []
        assert max(_winners(urls[1])) > ATTEMPTS, "the lost server's numbers are not given again"


def _winners(url: str) -> list[int]:
    reading = engine.reading(url)
    with reading.connect() as conn:
        found = list(conn.execute(select(frames.c.result_attempt)).scalars())
    reading.dispose()
    return found
