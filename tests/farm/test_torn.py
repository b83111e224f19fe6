"""A farm is moved, backed up, restored and repaired; each command is killed again and again while its slave works."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import ObjectStore
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from farm.database import engine
from farm.database.handle import Database
from farm.database.schema import attempts, frames, result_files, tallies
from farm.files.bucket import opened
from farm.words.states import JobState
from tests.databases import MariaDB
from tests.farm.farm import Farm, Process, running
from tests.swift import BUCKET, Swift, swift

pytestmark = pytest.mark.soak

KILLS, FRAMES = 3, 60
STEP, LOST = 15, 30
"""A command is killed when it has done at most so much more than the one before; files that the bucket loses."""


@pytest.fixture
def bucket() -> Iterator[Swift]:
    with swift() as running_swift:
        yield running_swift


class Torn:
    """A farm, and an admin whose commands are killed.

    Args:
        farm: the farm.
        service: where the buckets are.
        seed: of when commands are killed.
    """

    def __init__(self, farm: Farm, service: Swift, seed: int) -> None:
        self.farm, self.service = farm, service
        self.dice = random.Random(seed)
        self.kills = 0
        self.jobs: list[int] = []

    def settings(self, name: str, url: str) -> Path:
        """Write settings with a database, and a bucket's folder and a data folder of this name."""
        given = {"data": str(self.farm.folder / name), "database": url, **self._bucket(name)}
        path = self.farm.folder / f"{name}.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items()) + "free_space = 0\n")
        return path

    def store(self, name: str) -> ObjectStore:
        """Return the bucket's folder of this name."""
        given = self._bucket(name)
        return opened(given["bucket"], given["bucket_endpoint"], "us-east-1", *list(given.values())[2:])

    def adopt(self, name: str, url: str) -> None:
        """Start the server with these settings, at its old address."""
        self.farm.data, self.farm.database_url = self.farm.folder / name, url
        self.farm.settings |= self._bucket(name)
        self.farm.start_server()

    def submit(self) -> None:
        """Give the slave a job, and wait until a part of it is done."""
        self.jobs.append(self.farm.sleep_job(f"1-{FRAMES}", seconds=0.1))
        self.farm.done_frames(self.jobs[-1], 10, 300)

    def command(self, settings: Path, *words: str) -> Process:
        """Start a command of the admin's."""
        return Process(words[0], list(words), {"DISTREN_CONFIG": str(settings)}, self.farm.folder)

    def done(self, settings: Path, *words: str) -> str:
        """Let a command end well; return what it said."""
        process = self.command(settings, *words)
        before = process.log.stat().st_size
        assert process.popen.wait(600) == 0, self.farm.logs()
        return process.log.read_text()[before:]

    def torn(self, progress: Callable[[], int], settings: Path, *words: str) -> str:
        """Kill a command each time it has done a little more; then let it end well."""
        before = self.kills
        for _ in range(KILLS):
            process, goal = self.command(settings, *words), progress() + self.dice.randrange(1, STEP)
            while process.popen.poll() is None and progress() < goal:
                time.sleep(0.01)
            self.kills += process.popen.poll() is None
            process.popen.kill()
            process.popen.wait()
        assert self.kills > before, "it ended each time before it was killed"
        return self.done(settings, *words)

    def _bucket(self, name: str) -> dict[str, str]:
        return {**self.service.settings, "bucket": f"s3://{BUCKET}/{name}"}


def names(store: ObjectStore) -> list[str]:
    """Return what a bucket's folder has as blobs."""
    found = [str(one["path"]) for batch in obstore.list(store) for one in batch]
    return sorted(path for path in found if len(path.partition("/")[0]) == 2)


def rows(url: str) -> int:
    """Return how many rows there are of what a move copies most of."""
    reading, count = engine.reading(url), 0
    with contextlib.suppress(DBAPIError), reading.connect() as conn:  # the tables are not made yet
        for table in (frames, attempts, result_files):
            count += conn.execute(select(func.count()).select_from(table)).scalar_one()
    reading.dispose()
    return count


def spoil(store: ObjectStore, url: str, dice: random.Random) -> None:
    """Lose files of a bucket, change the bytes of one, cut one off, and miscount a job."""
    blobs = names(store)
    dice.shuffle(blobs)
    for name in blobs[:LOST]:
        obstore.delete(store, name)
    whole = bytes(obstore.get(store, blobs[LOST]).bytes())
    obstore.put(store, blobs[LOST], bytes([whole[0] ^ 1]) + whole[1:])
    obstore.put(store, blobs[LOST + 1], b"")
    database = Database.open(url)
    database.write_now(lambda conn: conn.execute(update(tallies).values(ready=7)) and None)
    database.close()


def outputs(farm: Farm, *jobs: int) -> list[Any]:
    return [(job, file) for job in jobs for file in farm.output(job)]


@pytest.mark.mariadb
@pytest.mark.timeout(1800)
def test_nothing_is_lost_of_a_farm_whose_admins_commands_are_all_killed_at_any_moment(
    tmp_path: Path, mariadb: MariaDB, bucket: Swift
) -> None:
    with mariadb.fresh() as first, mariadb.fresh() as second, running(tmp_path, free_space="0") as farm:
        torn = Torn(farm, bucket, seed=11)
        farm.start_slave(slots="2")
        torn.submit()
        early = torn.jobs[0]
        assert farm.ended(early, 300).state is JobState.DONE
        seen = outputs(farm, early)
        torn.submit()

        # From SQLite and a disk to MariaDB and a bucket, after a crash.
        farm.server.kill()
        old, new = tmp_path / "old.toml", torn.settings("first", first)
        old.write_text(f'data = "{farm.data}"\nfree_space = 0\n')
        torn.torn(lambda: len(names(torn.store("first"))) + rows(first), old, "move", str(new))
        refused = torn.command(old, "server", "--port", str(farm.port))
        assert refused.popen.wait(120) != 0
        assert "was moved to" in refused.log.read_text()
        assert "No contradictions." in torn.done(new, "audit", "--deep")
        torn.adopt("first", first)
        assert outputs(farm, early) == seen
        torn.submit()

        # A backup under load, and the server's machine is lost.
        kept = tmp_path / "backups"
        torn.torn(lambda: len(list(kept.glob("blobs/??/*"))), new, "backup", str(kept))
        assert "All is as it was written." in torn.done(new, "backup", str(kept), "--check")
        torn.submit()
        torn.jobs.pop()  # what came after the backup is lost with the machine
        farm.server.kill()
        newest = torn.settings("second", second)
        torn.torn(lambda: len(names(torn.store("second"))) + rows(second), newest, "restore", str(kept))
        assert "No contradictions." in torn.done(newest, "audit", "--deep")
        torn.adopt("second", second)
        assert outputs(farm, early) == seen
        torn.submit()

        # The bucket loses files.
        farm.server.stop()
        store = torn.store("second")
        spoil(store, second, torn.dice)
        lost = len(names(store))
        repair = ("doctor", "--repair", "--deep", "--yes", "--from", str(kept))
        torn.torn(lambda: len(names(store)) - lost, newest, *repair)
        torn.adopt("second", second)
        for job in torn.jobs:
            assert farm.ended(job, 600).state is JobState.DONE
            assert len(farm.output(job)) == FRAMES
        farm.server.stop()
        assert "No contradictions." in torn.done(newest, "audit", "--deep")
