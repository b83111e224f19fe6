"""What a renderer says is told while somebody reads it, and only then."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import LogTail
from farm.protocol.slaves import MOST_OF_TAIL, Orders
from farm.words.errors import FrameNotFound, JobNotFound
from tests.api.test_jobs import leased, queued, wait_for
from tests.serving import Served, SlaveCaller, serving


class Reader:
    """Somebody who reads, in a thread."""

    def __init__(self, client: FarmClient, job: int, frame: int) -> None:
        self.heard: list[LogTail] = []
        self._said = client.tail(job, frame)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(one.text for one in self.heard)

    def _read(self) -> None:
        for one in self._said:
            self.heard.append(one)  # one by one: others look meanwhile


@pytest.fixture
def slave(served: Served, admin: FarmClient) -> SlaveCaller:
    return served.slave(admin)


def rendering(slave: SlaveCaller, attempt: int, **more: Any) -> Orders:
    return slave.orders(running=[{"attempt": attempt, "seconds": 3, **more}])


def test_who_reads_hears_what_is_new_until_the_frame_has_ended(
    served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-2").job
    _, ((attempt, frame), *_) = leased(slave)
    first = rendering(slave, attempt, tail="nobody reads this")
    assert first.watched == []
    reader = Reader(admin, job, frame)
    wait_for(lambda: rendering(slave, attempt).watched == [attempt])
    assert rendering(slave, attempt).heartbeat_seconds <= 1
    rendering(slave, attempt, tail="Fra:1 Sample 1/64\n", tail_at=0)
    rendering(slave, attempt, tail="Größe <b>2</b>\n", tail_at=18)
    wait_for(lambda: len(reader.heard) == 2)
    assert reader.text == "Fra:1 Sample 1/64\nGröße <b>2</b>\n"
    assert [one.at for one in reader.heard] == [0, 18]
    failed = {"attempt": attempt, "failure_class": "slave", "message": "crashed"}
    slave.orders(failed=[failed])
    reader.thread.join(30)
    assert not reader.thread.is_alive()


def test_output_that_is_too_long_is_refused_and_a_frame_that_waits_says_nothing(
    admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-2").job
    assert list(admin.tail(job, 2)) == []
    _, ((attempt, _), *_) = leased(slave)
    assert slave.report(running=[{"attempt": attempt, "tail": "x" * (MOST_OF_TAIL + 1)}]).status_code == 422
    with pytest.raises(FrameNotFound):
        list(admin.tail(job, 3))


def test_strangers_hear_nothing_of_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data", profile="open") as served:
        ada = served.admin()
        bea, cid = served.invited(ada, "bea"), served.invited(ada, "cid")
        job = queued(bea, tmp_path, frames="1").job
        with pytest.raises(JobNotFound):
            list(cid.tail(job, 1))
        assert list(bea.tail(job, 1)) == []
