"""A farm whose files lie in a real S3 bucket."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from farm.files.choice import store_of
from farm.jobs.audit import audit
from farm.sandbox.wipe import size
from farm.words.settings import ServerSettings
from farm.words.states import AttemptState, JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.farm.farm import Farm, running
from tests.farm.test_outages import ends
from tests.swift import Swift, swift

log = logging.getLogger(__name__)
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


def failures(farm: Farm) -> list[str]:
    """Return what slaves said of frames that failed."""
    lines = [line for file in farm.folder.glob("ws0?.log") for line in file.read_text("utf-8").splitlines()]
    return [line[:300] for line in lines if '"frame failed"' in line or "did not take" in line]


def asked_for(farm: Farm, job: int, seconds: float) -> tuple[httpx.Response, int]:
    """Ask for a picture again and again for some seconds; return the last answer, and the most bytes before the bucket.

    The picture has no copy but in the bucket.
    """
    file = farm.output(job)[0]
    headers = {"Authorization": f"Bearer {farm.token}"}
    most, end = 0, time.monotonic() + seconds
    with httpx.Client(base_url=farm.url, headers=headers, timeout=60, trust_env=False) as http:
        while True:
            answer = http.get(f"/api/jobs/{job}/output/{file.frame}/{file.name}")
            most = max(most, size(farm.storage / "landing"))
            if time.monotonic() > end:
                return answer, most
            time.sleep(1)


@pytest.mark.timeout(4500)
@pytest.mark.parametrize("seconds", [120, 3600])
def test_a_bucket_that_is_away_for_long_costs_nothing_but_time(tmp_path: Path, service: Swift, seconds: int) -> None:
    with running(tmp_path, free_space="0", bucket_cache="0", **service.settings) as farm:
        for name in ("ws01", "ws02"):
            farm.start_slave(name, slots="2")
        job = farm.sleep_job("1-300", seconds=0.5, output_bytes=200_000)
        farm.done_frames(job, 20)
        service.kill()
        answer, most = asked_for(farm, job, seconds)
        assert answer.status_code == 503, answer.text
        assert "bucket" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
        held = sum(len(list(folder.glob("*.tar"))) for folder in farm.folder.glob("ws0?/state/*/results"))
        before = farm.client.job(job).counts
        log.info("results that waited on the slaves: %s", held)
        log.info("most bytes in the server's folder: %s", most)
        assert held + before.done >= 250, "slaves went on, and kept what they had"
        service.start()
        back = time.monotonic()
        assert farm.ended(job, 300).state is JobState.DONE
        log.info("seconds until all was delivered: %s", time.monotonic() - back)
        assert len(farm.output(job)) == 300
        log.info("how attempts ended: %s; failed: %s", ends(farm), failures(farm))
        assert ends(farm)[AttemptState.WON] == 300
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
