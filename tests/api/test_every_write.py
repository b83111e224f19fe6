"""The disk is full at each write in turn: every answer says so, or the thing is done; with room all goes on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from farm.files.disk import DiskStore
from farm.protocol.slaves import Orders
from farm.words.errors import Conflict, DistrenError, from_problem
from farm.words.states import JobState
from tests.api.test_forged import end
from tests.api.test_jobs import sha, sleeping
from tests.disks import leave, small_disk
from tests.failing import NAMES, SYNCS, WRITES, failing, injected
from tests.farm.nursery import Forked, QuickFarm
from tests.jobs.pretend import tar_of
from tests.serving import SlaveCaller

T = TypeVar("T")
SETTINGS = {"heartbeat_seconds": "60", "free_space": "0", "announce": "false"}
LARGE, SMALL = 150_000, 3_000
"""Bytes of a file or picture of many pages, and of one."""


class Round:
    """A job from its upload to its pictures; what is refused is tried again once there is room.

    Args:
        farm: whose server is on the small disk.
        slave: who renders.
        room: makes room.
    """

    def __init__(self, farm: QuickFarm, slave: SlaveCaller, room: Callable[[], None]) -> None:
        self.farm, self.slave, self._room = farm, slave, room
        self.refused: list[str] = []

    def run(self) -> None:
        """Do all of it."""
        client, folder = self.farm.client, self.farm.folder
        scenes = {sha(data): data for data in (os.urandom(LARGE), os.urandom(SMALL))}
        wish = sleeping(
            {f"{n}.bin": data for n, data in enumerate(scenes.values())}, frames="1-2", key=os.urandom(9).hex()
        )
        made = self._done(lambda: client.submit(wish))
        for sha256, data in scenes.items():
            (path := folder / "scene").write_bytes(data)
            self._done(lambda s=sha256, d=data, p=path: client.put_blob(p, s, len(d)))  # type: ignore[misc]
        self._done(lambda: self._queued(made.job))
        self._render(made.job)
        self._done(lambda: self._bring(made.job))
        self._done(lambda: client.delete(made.job, confirmed=True))

    def _queued(self, job: int) -> None:
        with contextlib.suppress(Conflict):  # an earlier try was done, though its answer was none
            self.farm.client.queue(job)

    def _render(self, job: int) -> None:
        """Render its two frames: a large picture is sent before, a small one rides in the report."""
        pictures = {}
        while self.farm.client.job(job).state is not JobState.DONE:
            for lease in self._done(lambda: self._orders(want=1)).leases:
                for frame in lease.frames:
                    assert lease.job == job
                    size = LARGE if frame.number == 1 else SMALL
                    pictures[frame.number] = tar = tar_of(output_0001_png=os.urandom(size))
                    ending = end(frame.attempt, tar)
                    if size == LARGE:
                        self._done(lambda a=frame.attempt, t=tar: self._staged(a, t))  # type: ignore[misc]
                        del ending["inline"]
                    verdicts = self._done(lambda e=ending: self._orders(finished=[e])).verdicts  # type: ignore[misc]
                    assert [verdict.verdict for verdict in verdicts] == ["accepted"]

    def _orders(self, **report: object) -> Orders:
        return Orders.model_validate_json(_good(self.slave.report(**report)).content)

    def _staged(self, attempt: int, tar: bytes) -> None:
        _good(self.slave.http.put(f"/api/slave/results/{attempt}", content=tar))

    def _bring(self, job: int) -> None:
        target = self.farm.folder / "fetched"
        for file in self.farm.client.output(job).files:
            target.unlink(missing_ok=True)
            self.farm.client.fetch_file(job, file, target)
            assert hashlib.sha256(target.read_bytes()).hexdigest() == file.sha256

    def _done(self, act: Callable[[], T]) -> T:
        """Do something; if it is refused, make room, and do it again until it is done."""
        until = time.monotonic() + 60
        while True:
            try:
                return act()
            except DistrenError as error:
                self._refusal(error, until)
            self._room()
            time.sleep(0.05)

    def _refusal(self, error: DistrenError, until: float) -> None:
        """See that a refusal is one of a full or broken disk, and no stumbling."""
        assert error.status == 503, f"{error!r}: {error.facts}\n{self.farm.logs()}"
        assert error.code in {"disk_full", "unavailable", "database_away"}, f"{error!r}"
        assert error.hint
        assert time.monotonic() < until, f"{error!r}: it does not go on"
        self.refused.append(error.code)


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        raise from_problem(answer.json(), answer.status_code)
    return answer


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "farm" / "server", 10**9) as disk:
        yield disk


@pytest.fixture
def farm(disk: Path) -> Iterator[QuickFarm]:
    with contextlib.closing(QuickFarm(disk.parent, **SETTINGS)) as farm:
        yield farm


@pytest.fixture
def slave(farm: QuickFarm) -> Iterator[SlaveCaller]:
    made = farm.client.make_slave_key("ws01")
    caller = SlaveCaller(farm.url, made.key, made.password)
    yield caller
    caller.close()


def sound(farm: QuickFarm) -> None:
    """See that nothing is half there, when views that did not fit are made."""
    found: list[str] = []
    with contextlib.suppress(AssertionError):
        farm.until(lambda: not found.clear() and not found.extend(farm.audit()) and not found, 30, "all is sound")  # type: ignore[func-returns-value]
    assert found == []
    assert list((farm.storage / "blobs" / "incoming").iterdir()) == [], "nothing half-written is left"
    assert httpx.get(f"{farm.url}/readyz", timeout=30, trust_env=False).status_code == 200


def filled(farm: QuickFarm, slave: SlaveCaller, disk: Path, rooms: Iterable[tuple[int | None, int | None]]) -> int:
    """Play a round with each amount of room; return how many were refused something."""
    refused = 0
    for pages, names in rooms:
        leave(disk, pages, names)
        played = Round(farm, slave, lambda: leave(disk))
        played.run()
        leave(disk)
        refused += bool(played.refused)
    sound(farm)
    return refused


def test_a_disk_that_is_full_at_some_writes_costs_nothing_but_a_refusal(
    farm: QuickFarm, slave: SlaveCaller, disk: Path
) -> None:
    assert filled(farm, slave, disk, [(pages, None) for pages in (0, 1, 7, 40, 60)]) >= 4
    assert filled(farm, slave, disk, [(None, names) for names in (0, 1, 3)]) >= 2
    assert filled(farm, slave, disk, [(1000, None)]) == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_disk_that_is_full_at_each_write_costs_nothing_but_a_refusal(
    farm: QuickFarm, slave: SlaveCaller, disk: Path
) -> None:
    assert filled(farm, slave, disk, [(pages, None) for pages in range(160)]) > 70
    assert filled(farm, slave, disk, [(None, names) for names in range(20)]) > 2


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("calls", [WRITES, SYNCS, NAMES], ids=["writes", "syncs", "names"])
def test_each_call_that_writes_syncs_or_names_may_fail(
    farm: QuickFarm, slave: SlaveCaller, calls: tuple[str, ...], error: str, tmp_path: Path
) -> None:
    assert isinstance(farm.server, Forked)
    pid, log, failed = farm.server.popen.pid, tmp_path / "strace", 0
    for number in range(1, 25):
        with failing(pid, calls, error, str(number), log):
            Round(farm, slave, lambda: None).run()
        failed += injected(log)
    assert failed > 8
    DiskStore(farm.storage / "blobs").tidy(0)  # as within the hour: what could not be unlinked is now
    sound(farm)
