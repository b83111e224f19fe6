"""A farm whose files lie in a real S3 bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.files.choice import store_of
from farm.jobs.audit import audit
from farm.words.settings import ServerSettings
from farm.words.states import JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.farm.farm import Farm, running
from tests.swift import Swift, swift

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def service() -> Iterator[Swift]:
    with swift() as made:
        yield made


def contradictions(farm: Farm, service: Swift) -> list[str]:
    """Return what is wrong with database and bucket, bytes included, as a machine sees it that has nothing yet."""
    settings = ServerSettings.model_validate({"data": farm.folder / "fresh", "free_space": 0, **service.settings})
    with farm.reading() as conn:
        return audit(conn, store_of(settings), farm.folders(), deep=True)


def test_a_service_that_is_killed_costs_no_picture(tmp_path: Path, service: Swift) -> None:
    with running(tmp_path, free_space="0", quick=True, **service.settings) as farm:
        farm.start_slave(slots="2")
        job = farm.sleep_job("1-150", seconds=0.1)
        farm.done_frames(job, 20)
        service.kill()
        farm.until(lambda: "bucket takes nothing" in farm.logs(), 60, "somebody noticed")
        service.start()
        assert farm.ended(job, 180).state is JobState.DONE
        files = farm.output(job)
        assert len(files) == 150
        target = tmp_path / "0001"
        farm.client.fetch_file(job, files[0], target)
        assert target.stat().st_size == files[0].size
        assert contradictions(farm, service) == []


def test_processes_share_nothing_but_database_and_bucket(tmp_path: Path, service: Swift, mariadb: MariaDB) -> None:
    with mariadb.fresh() as url, contextlib.closing(BalancedFarm(tmp_path, url, **service.settings)) as farm:
        farm.start_slave(slots="2")
        job = farm.sleep_job("1-100", seconds=0.1)
        farm.done_frames(job, 20)
        farm.processes[0].kill()
        farm.done_frames(job, 60)
        farm.start_process(0)
        assert farm.ended(job, 120).state is JobState.DONE
        for place in range(2):
            with farm.direct(place, farm.token) as client:
                for file in farm.output(job)[::10]:
                    target = tmp_path / f"{place}-{file.sha256}"
                    client.fetch_file(job, file, target)
                    assert target.stat().st_size == file.size
        assert contradictions(farm, service) == []
