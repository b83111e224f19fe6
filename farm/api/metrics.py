"""What /metrics tells: one registry per app, so that several can live in one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from farm.database.schema import jobs, slaves, tallies
from farm.words.states import FrameState, JobState, SlaveState

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one server process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Finding a number by its labels costs more than counting with it.
        self._took = lru_cache(maxsize=1024)(lambda method, route: self.requests.labels(method, route))
        self._answered = lru_cache(maxsize=1024)(lambda status: self.answers.labels(str(status)))
        self.requests = Histogram(
            "distren_request_seconds",
            "Seconds from a request to its answer; without the time that a long poll hangs.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter("distren_answers", "Answers by HTTP status.", ["status"], registry=self.registry)
        self.jobs = Gauge("distren_jobs", "Jobs by state.", ["state"], registry=self.registry)
        self.frames = Gauge("distren_frames", "Frames of present jobs by state.", ["state"], registry=self.registry)
        self.slaves = Gauge("distren_slaves", "Slaves by state.", ["state"], registry=self.registry)
        self.hanging = Gauge("distren_hanging_calls", "Slaves whose call waits for work.", registry=self.registry)
        self.waiting = Gauge("distren_writer_queue", "Commands that wait for the writer.", registry=self.registry)
        self.up = Gauge("distren_database_up", "1 while the database answers and takes writes.", registry=self.registry)
        self.free = Gauge("distren_storage_free_bytes", "Free bytes on the storage disk.", registry=self.registry)

    def took(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._took(method, route).observe(seconds)
        self._answered(status).inc()

    def show(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Take over counts from :func:`count`."""
        for name, states in (("jobs", JobState), ("frames", FrameState), ("slaves", SlaveState)):
            _set(getattr(self, name), states, counts[name])

    def text(self) -> bytes:
        """Return all numbers in the format of Prometheus."""
        return generate_latest(self.registry)


def count(conn: Connection) -> dict[str, dict[str, int]]:
    """Count jobs, frames and slaves by state."""
    present = select(jobs.c.number).where(jobs.c.state != JobState.DELETED)
    sums = [func.coalesce(func.sum(tallies.c[state.value]), 0) for state in FrameState]
    frames = conn.execute(select(*sums).where(tallies.c.job.in_(present))).one()
    return {
        "jobs": _by_state(conn, jobs),
        "frames": {state.value: int(n) for state, n in zip(FrameState, frames, strict=True)},
        "slaves": _by_state(conn, slaves),
    }


def _by_state(conn: Connection, table: Table) -> dict[str, int]:
    rows = conn.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {str(row[0]): int(row[1]) for row in rows}


def _set(gauge: Gauge, states: Iterable[str], counts: Mapping[str, int]) -> None:
    for state in states:
        gauge.labels(str(state)).set(counts.get(str(state), 0))
