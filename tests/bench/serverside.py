"""A server that starts, idles, and takes a large job."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import LogIn
from farm.protocol.jobs import Requirement, Submission
from tests.bench.entry import Entry
from tests.farm.farm import PASSPHRASE, Farm, running

MANY = 100_000


def measured(folder: Path) -> Iterator[Entry]:
    """Measure start, memory, and the submission of 100,000 frames."""
    with running(folder, heartbeat_seconds="5") as farm:
        starts = [_restart(farm) for _ in range(3)]
        yield Entry("server start", sorted(starts)[1], "s", "<= 2", note="process start to first answer; median of 3")
        yield Entry("server idle memory", _memory(farm), "MB", "<= 120", note="resident, right after the start")
        yield from _large_job(farm)
        yield Entry(
            f"server memory with {MANY:,} frames", _memory(farm), "MB", "<= 200", peer="Afanasy 80", note="resident"
        )


def _restart(farm: Farm) -> float:
    farm.server.stop()
    began = time.monotonic()
    farm.start_server()
    return time.monotonic() - began


def _memory(farm: Farm) -> float:
    return float(psutil.Process(farm.server.popen.pid).memory_info().rss / 1e6)


def _token(stranger: FarmClient) -> str:
    return stranger.login(LogIn(name="ada", passphrase=PASSPHRASE)).token


def _large_job(farm: Farm) -> Iterator[Entry]:
    """Submit a large job while another client asks for something small, again and again."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with FarmClient(farm.url) as stranger, FarmClient(farm.url, _token(stranger)) as other:
            while not over.is_set():
                began = time.monotonic()
                other.make_slave_key(f"k{len(waits)}")
                waits.append(time.monotonic() - began)
                time.sleep(0.005)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1)
    usual = sorted(waits)[len(waits) // 2]
    waits.clear()
    began = time.monotonic()
    job = farm.client.submit(Submission(name="large", requires=Requirement(method="sleep"), frames=f"1-{MANY}")).job
    farm.client.queue(job)
    took = time.monotonic() - began
    over.set()
    asking.join()
    yield Entry(f"{MANY:,} frames submitted", took, "s", "<= 0.5", peer="Afanasy 0.056, in memory",
                note="SQLite; request to queued, durable")  # fmt: skip
    note = f"the slowest of {len(waits)} small writes meanwhile; usually {usual * 1000:.1f} ms"
    yield Entry("others' delay by it", max(waits) * 1000, "ms", "<= 50", note=note)
