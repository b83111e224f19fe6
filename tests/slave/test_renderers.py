"""Which renderer renders a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from farm.methods.base import Launcher, Offered
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, Offer
from farm.slave.hardware import hardware
from farm.slave.renderers import choose, probe
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings


def offered(*versions: str) -> list[Offered]:
    launcher = Launcher("program", Path("/b"))
    return [Offered(Offer(method="blender", version=v, engines=["CYCLES"]), launcher) for v in versions]


def sheet(version: str = "", *, newer: bool = False, engine: str = "") -> JobSheet:
    return JobSheet(
        job=4, revision=1, address="", name="", method="blender", version=version, newer=newer, engine=engine,
        settings={}, source="", limits=Limits(), files=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("have", "wanted", "newer", "chosen"),
    [
        (["5.0.1", "4.2.3", "3.4.1"], "4.2", False, "4.2.3"),
        (["5.0.1", "4.5.4", "3.4.1"], "4.2", True, "4.5.4"),
        (["5.0.1", "4.2.3"], "4.2", True, "4.2.3"),
        (["5.0.1", "4.2.3"], "", False, "5.0.1"),
        (["10.0.0", "9.1.0"], "9.0", True, "9.1.0"),
    ],
)
def test_the_wanted_version_is_chosen_else_the_oldest_newer_one_that_will_do(have, wanted, newer, chosen):
    assert choose(offered(*have), sheet(wanted, newer=newer)).offer.version == chosen


@pytest.mark.parametrize("wanted", [sheet("4.2"), sheet("5.1", newer=True), sheet(engine="EEVEE"), sheet("3")], ids=str)
def test_a_job_that_nothing_here_fits_is_refused_by_name(wanted):
    with pytest.raises(NotASetup, match="Job 4 needs blender"):
        choose(offered("5.0.1"), wanted)


def test_the_machine_is_described():
    found = hardware()
    assert found.cores >= 1
    assert found.memory_bytes > 10**8
    assert found.system


def test_the_sleep_method_is_found_where_it_is_wanted(tmp_path):
    settings = SlaveSettings(key="a", password=SecretStr("b"), methods=["sleep"])
    assert [o.offer.method for o in probe(settings, tmp_path / "r.json")] == ["sleep"]
