"""A job of a million frames, sent to either database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from farm.protocol.jobs import Requirement, Submission
from farm.words.ranges import LIMIT
from tests.bench.entry import Entry
from tests.databases import mariadb_server
from tests.farm.farm import Farm, running


def measured(folder: Path) -> Iterator[Entry]:
    """Measure the submission of as many frames as a job may have."""
    with running(folder) as farm:
        yield _submitted(farm, "SQLite", "<= 5")
    (folder / "mariadb").mkdir()
    with mariadb_server() as server, server.fresh() as url, running(folder / "mariadb", url) as farm:
        yield _submitted(farm, "MariaDB", "<= 10")


def _submitted(farm: Farm, database: str, goal: str) -> Entry:
    process = farm.server.cpu()
    began = time.monotonic()
    job = farm.client.submit(Submission(name="huge", requires=Requirement(method="sleep"), frames=f"1-{LIMIT}")).job
    farm.client.queue(job)
    took, cpu = time.monotonic() - began, farm.server.cpu() - process
    counts = farm.client.job(job).counts
    assert counts.ready == LIMIT, counts
    note = f"request to queued, durable; {cpu:.1f} s of the server's CPU"
    return Entry(f"{LIMIT:,} frames submitted, {database}", took, "s", goal, note=note)
