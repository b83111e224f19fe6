"""`--tiles auto`: by what a picture of that name took before, measured by a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon import tiling
from farm.cli.draft import Draft
from farm.cli.grids import grid_for
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement
from farm.words.errors import BadSetting
from tests.api.test_jobs import RESULT, queued, sha
from tests.serving import SlaveCaller, serving

SIZE = (1920, 1080)


def draft(name: str) -> Draft:
    return Draft(Requirement(method="sleep"), {}, "1", values={"name": name}, size=SIZE)


def rendered(admin: FarmClient, slave: SlaveCaller, folder: Path, name: str, seconds: float) -> None:
    """Have a job of one frame done that took so long, as its slave says."""
    job = queued(admin, folder, name=name, frames="1").job
    (lease,) = slave.orders(want=1, hold=5).leases
    attempt = lease.frames[0].attempt
    slave.http.put(f"/api/slave/results/{attempt}", content=RESULT).raise_for_status()
    slave.orders(finished=[{"attempt": attempt, "sha256": sha(RESULT), "seconds": seconds}])
    assert admin.job(job).counts.done == 1


def test_auto_goes_by_what_the_newest_picture_of_that_name_took(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        admin = served.admin()
        slave = served.slave(admin)
        assert grid_for("auto", admin, draft("vase")) == tiling.UNKNOWN
        rendered(admin, slave, tmp_path, "vase", 270.0)
        rendered(admin, slave, tmp_path, "bowl", 20.0)
        assert grid_for("auto", admin, draft("vase")) == "3x3", "30 s a tile"
        assert grid_for("auto", admin, draft("bowl")) == "", "tiles would cost more than they save"
        assert grid_for("auto", admin, draft("cup")) == tiling.UNKNOWN
        rendered(admin, slave, tmp_path, "vase", 60.0)
        assert grid_for("auto", admin, draft("vase")) == "2x1"


def test_what_a_person_says_counts_and_nonsense_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        admin = served.admin()
        assert grid_for("5x2", admin, draft("vase")) == "5x2"
        with pytest.raises(BadSetting, match="COLUMNSxROWS"):
            grid_for("0x2", admin, draft("vase"))
