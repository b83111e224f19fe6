"""What must never be, done on purpose to a farm that is simulated: the run tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.simulator.drill import Drill, Scenario
from farm.simulator.lentsite import LentSite
from farm.simulator.manner import Manner
from farm.simulator.ownsite import OwnSite
from tests.serving import serving


@pytest.mark.timeout(120)
def test_a_job_that_never_ends_is_told_and_taken_away(tmp_path: Path) -> None:
    never = Scenario(slaves=1, users=1, jobs=1, frames=1, waves=1, manner=Manner(seconds=600), patience=1)
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        drill = Drill(never, LentSite(admin))
        drill.run()
        assert drill.witness.violations == ["Job 1 has not ended, and nothing was rendered for 1 s."]
        assert admin.jobs().jobs == []


class Leaky(OwnSite):
    """Loses the bytes of one blob, and spoils those of another, before it is looked at for the last time."""

    def audit_at_end(self) -> list[str]:
        """Lose, spoil, look."""
        lost, spoilt, *_ = sorted((self.disk / "storage" / "blobs").glob("??/*"))
        self.names = [lost.name[:12], spoilt.name[:12]]
        lost.unlink()
        whole = spoilt.read_bytes()
        spoilt.chmod(0o600)
        spoilt.write_bytes(bytes(len(whole)))
        return super().audit_at_end()


@pytest.mark.timeout(120)
def test_a_blob_that_is_lost_and_one_that_is_spoilt_are_told(tmp_path: Path) -> None:
    site = Leaky(tmp_path)
    drill = Drill(Scenario(slaves=2, users=1, jobs=1, frames=4, waves=1, manner=Manner(seconds=0.05)), site)
    drill.run()
    lost, spoilt = site.names
    assert drill.witness.violations == [
        f"Blob {lost}… is not in the storage.",
        f"Blob {spoilt}… has other bytes in the storage than were sent.",
    ]
