"""`distren fetch` to a disk that fills up: really, on a small file system of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from farm.cli.bringhome import BringHome
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement, Submission
from farm.words.errors import NoRoom
from tests.disks import small_disk
from tests.jobs.pretend import tar_of
from tests.serving import Served, serving

MB = 1_000_000


def rendered(served: Served, admin: FarmClient, pictures: list[bytes]) -> int:
    """Make a job that has these pictures."""
    wish = Submission(name="nap", requires=Requirement(method="sleep"), frames=f"1-{len(pictures)}")
    job = admin.submit(wish).job
    admin.queue(job)
    slave = served.slave(admin)
    while frames := [frame for lease in slave.orders(want=1).leases for frame in lease.frames]:
        for frame in frames:
            tar = tar_of(**{f"output_{frame.number:04}_png": pictures[frame.number - 1]})
            assert slave.http.put(f"/api/slave/results/{frame.attempt}", content=tar).status_code == 200
            finished = {"attempt": frame.attempt, "sha256": hashlib.sha256(tar).hexdigest(), "seconds": 1}
            slave.orders(finished=[finished], holding=[f.attempt for f in frames if f.attempt > frame.attempt])
    return job


def test_a_disk_that_fills_up_is_named_and_the_same_command_goes_on(tmp_path: Path) -> None:
    pictures = [os.urandom(3 * MB) for _ in range(4)]
    with serving(tmp_path / "data") as served, small_disk(tmp_path / "disk", 7 * MB) as disk:
        admin = served.admin()
        job = rendered(served, admin, pictures)
        home = disk / "pictures"
        bringing = BringHome(admin, job, home)
        with pytest.raises(NoRoom) as caught:
            bringing.all()
        error = caught.value
        here = sum(file.size for file in bringing.haul.fetched)
        assert str(home) in error.message
        assert f"{12 * MB - here:,} more bytes" in error.message
        assert "it goes on where it stopped" in error.hint
        assert error.exit_code == 8
        for path in home.glob("*.png"):
            assert path.read_bytes() in pictures, "what has its name is whole"
        arrived = sum(path.stat().st_size for path in home.iterdir())
        assert arrived > 6 * MB

        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        told: list[int] = []
        again = BringHome(admin, job, home, on_bytes=told.append)
        again.all()
        assert len(again.haul.fetched) + len(again.haul.here) == 4
        assert sum(told) == 12 * MB
        assert sorted(path.read_bytes() for path in home.iterdir()) == sorted(pictures)
