"""What an owner lends of a machine, with the real POV-Ray on it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from farm.client.lendcalls import LendCalls
from farm.words.states import FrameState, SlaveState
from tests.farm.farm import Farm
from tests.farm.test_povray import submit

ENDLESS = "#version 3.7;\n#while (1) #end\n"


def renderers(farm: Farm) -> list[tuple[int, list[int]]]:
    """Return the POV-Rays of the slave that run now, each with the processors that it may run on."""
    found = []
    for process in psutil.Process(farm.slaves["ws01"].popen.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "povray":
                found.append((process.pid, process.cpu_affinity() or []))
    return found


def test_a_renderer_keeps_to_what_is_lent_and_stops_at_its_owners_word(lite_farm: Farm, tmp_path: Path) -> None:
    farm, owner = lite_farm, LendCalls(lite_farm.client)
    farm.start_slave(methods="povray", cores="1")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "main.pov").write_text(ENDLESS)
    job = submit(farm, folder)
    farm.until(lambda: farm.client.frames(job, state="leased").frames, 90, "the renderers were tried, and it works")
    ((pid, processors),) = farm.until(lambda: renderers(farm), 90, "POV-Ray runs")
    assert len(processors) == 1
    hardware = farm.client.slaves()[0].hardware
    assert hardware is not None
    assert hardware.cores == 1, "and no more can be claimed for it"
    owner.stop("ws01")
    farm.until(lambda: pid not in [number for number, _ in renderers(farm)], 60, "it stopped")
    view = farm.client.slaves()[0]
    assert view.state is SlaveState.PAUSED
    assert view.reliability is not None
    assert view.reliability.bad == 0
    assert farm.client.frames(job).frames[0].state is FrameState.READY

    owner.lend("ws01", owner.terms("ws01").model_copy(update={"memory_bytes": 1_000_000}))
    farm.client.resume_slave("ws01")

    def failed() -> bool:
        return any("this slave allows" in attempt.message for attempt in farm.client.frame(job, 1).attempts)

    farm.until(failed, 120, "it used more memory than is lent")
    assert farm.audit() == []
