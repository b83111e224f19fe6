"""Returns on a real Galera cluster of three nodes, and what a node that is killed costs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from farm.protocol.jobs import JobView
from tests.bench.driving import Callers, Load
from tests.bench.entry import Entry
from tests.farm.balanced import BalancedFarm
from tests.galera import Node, galera_cluster

SECONDS = 24
"""Of the load in whose middle the node is killed that all write to."""


def measured(folder: Path) -> Iterator[Entry]:
    """Measure two processes on three nodes; then kill the node that they write to."""
    with galera_cluster() as cluster, cluster.fresh() as url:
        nodes = [psutil.Process(node.process.pid) for node in cluster.nodes]
        with contextlib.closing(BalancedFarm(folder, url, heartbeat_seconds="5")) as farm:
            callers = Callers(farm, folder, databases=nodes)
            rate = callers.rate(Load(64))
            yield Entry("Galera, 3 nodes: returns, 64 connections, 2 processes", rate.frames, "frames/s", ">= 1000",
                        note=f"{rate}; all nodes on these cores")  # fmt: skip
            yield from _killed(farm, callers, cluster.nodes[0])


def _killed(farm: BalancedFarm, callers: Callers, node: Node) -> Iterator[Entry]:
    load = Load(64, seconds=SECONDS)
    with callers.job() as job:
        callers.prepare(load)
        watch = Watch(farm, job)
        drivers = callers.started(load)
        time.sleep(SECONDS / 3)
        node.kill()
        watch.killed = time.monotonic()
        for driver in drivers:
            driver.communicate(timeout=120)
        pause = watch.stop()
        view = farm.client.job(job)
    lost, kept = _lost(farm, view), view.counts.done
    note = f"SIGKILL of the node that all write to, under load; {kept:,} frames done, audit of the database"
    yield Entry("Galera: results lost or doubled by a killed node", lost, "results", "<= 0", note=note)
    yield Entry("Galera: longest time without a return when a node is killed", pause, "s", "<= 5",
                note=f"looked at every {1000 * LOOK:.0f} ms")  # fmt: skip


LOOK = 0.05


class Watch:
    """Looks how many frames are done, and for how long that stays the same after the kill."""

    def __init__(self, farm: BalancedFarm, job: int) -> None:
        self.killed = float("inf")
        self._farm, self._job = farm, job
        self._over = threading.Event()
        self._grew: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End; return the longest pause between two moments at which there were more, in seconds."""
        self._over.set()
        self._thread.join()
        pairs = zip(self._grew, self._grew[1:], strict=False)
        return max((then - before for before, then in pairs if then > self.killed), default=float("inf"))

    def _run(self) -> None:
        most = -1
        while not self._over.wait(LOOK):
            with contextlib.suppress(Exception):  # whatever the server says meanwhile, it is asked again
                done = self._farm.client.job(self._job).counts.done
                if done > most:
                    most = done
                    self._grew.append(time.monotonic())


def _lost(farm: BalancedFarm, view: JobView) -> int:
    """Return how many frames are told to be done and are not, or have not exactly one attempt that won."""
    with farm.reading() as conn:
        query = ("SELECT COUNT(*) FROM frame f LEFT JOIN attempt a ON a.job = f.job AND a.frame = f.number "
                 "AND a.state = 'won' WHERE f.job = %s AND f.state = 'done' AND a.id IS NULL")  # fmt: skip
        without = conn.exec_driver_sql(query, (view.job,)).scalar() or 0
        query = ("SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM attempt WHERE job = %s "
                 "AND state = 'won' GROUP BY frame) AS each_frame")  # fmt: skip
        doubled = conn.exec_driver_sql(query, (view.job,)).scalar() or 0
    return int(without) + int(doubled)
