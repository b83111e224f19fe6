"""What an owner lends of a machine, with the real POV-Ray on it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil
import pytest

from farm.client.lendcalls import LendCalls
from farm.protocol.jobs import JobCommand
from farm.protocol.slaveviews import Reliability
from farm.words.states import AttemptState, FrameState, JobState, SlaveState
from tests.blenders import blenders, run_inside
from tests.farm.artist import start_slave, submit_unchecked
from tests.farm.farm import Farm
from tests.farm.homes import run
from tests.farm.test_povray import submit

ENDLESS = "#version 3.7;\n#while (1) #end\n"


def renderers(farm: Farm, program: str = "povray") -> list[tuple[int, list[int]]]:
    """Return the renderers of the slave that run now, each with the processors that it may run on."""
    found = []
    for process in psutil.Process(farm.slaves["ws01"].popen.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == program:
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


def judged(farm: Farm) -> Reliability:
    (view,) = farm.client.slaves()
    assert view.reliability is not None
    return view.reliability


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(900)
def test_a_real_blender_keeps_to_its_owners_limits_and_gives_work_back_at_no_cost(
    lite_farm: Farm, tmp_path: Path
) -> None:
    farm, owner, blender, shots = lite_farm, LendCalls(lite_farm.client), blenders()[0], tmp_path / "project" / "shots"
    shots.mkdir(parents=True)
    run_inside(blender, Path(__file__).parent / "make_drawn.py", tmp_path / "scratch", str(shots))
    start_slave(farm, "ws01", blender)
    terms = owner.terms("ws01")

    owner.lend("ws01", terms.model_copy(update={"cores": 1}))
    long = submit_unchecked(farm.client, shots / "cycles.blend", blender, "1", samples=400_000)
    ((pid, processors),) = farm.until(lambda: renderers(farm, "blender"), 120, "Blender runs")
    assert len(processors) == 1
    farm.until(lambda: any(a.started for a in farm.client.frame(long, 1).attempts), 120, "it renders")

    def rest(*words: str) -> None:
        mine = {"DISTREN_SLAVE_KEY": farm.keys["ws01"].key, "DISTREN_SLAVE_STATE": str(farm.folder / "ws01" / "state")}
        said = run(tmp_path / "owner", "rest", *words, **mine)
        assert said.returncode == 0, said.stderr

    assert "waiting to log in" not in farm.slaves["ws01"].log.read_text(), "it said goodbye before it came anew"

    rest("2h", "--now")
    farm.until(lambda: pid not in [number for number, _ in renderers(farm, "blender")], 60, "it stopped")
    farm.until(lambda: farm.client.slaves()[0].state is SlaveState.RESTING, 60, "the slave says so")
    view = farm.client.frame(long, 1)
    assert (view.state, [a.state for a in view.attempts]) == (FrameState.READY, [AttemptState.RETURNED])
    assert judged(farm).bad == 0
    farm.client.command(long, "cancel", JobCommand())
    rest("0")

    owner.lend("ws01", terms.model_copy(update={"memory_bytes": 60_000_000, "cards": False}))
    small = submit_unchecked(farm.client, shots / "cycles.blend", blender, "1", samples=400_000)

    def too_large() -> bool:
        return any("this slave allows" in attempt.message for attempt in farm.client.frame(small, 1).attempts)

    farm.until(too_large, 120, "Blender used more memory than is lent")
    assert judged(farm).bad == 0
    farm.client.command(small, "cancel", JobCommand())

    size = (shots / "cycles.blend").stat().st_size
    owner.lend("ws01", terms.model_copy(update={"disk_bytes": size * 3 // 2}))
    for job in [submit_unchecked(farm.client, shots / f"{name}.blend", blender) for name in ("cycles", "eevee")]:
        assert farm.ended(job, 240).state is JobState.DONE, farm.client.frame(job, 1).message

    def kept() -> int:
        return sum(file.stat().st_size for file in (farm.folder / "ws01" / "cache").rglob("*") if file.is_file())

    farm.until(lambda: 0 < kept() <= size * 3 // 2, 60, "no more is kept than is lent")
    assert judged(farm).bad == 0
    assert farm.audit() == []
