"""A real slave does what a person wants of it from afar."""

from __future__ import annotations

from pydantic import TypeAdapter

from farm.protocol.errands import ErrandView, SendErrand
from farm.words.errands import Errand
from farm.words.states import FrameState, JobState, SlaveState
from tests.farm.farm import Farm

_VIEWS = TypeAdapter(list[ErrandView])
PATH = "/api/slaves/ws01/errands"


def test_a_slave_shows_its_log_rests_renders_a_test_frame_begins_anew_and_ends(whole_farm: Farm) -> None:
    farm = whole_farm
    slave = farm.start_slave()
    job = farm.sleep_job("1-3", seconds=0.5)
    farm.until(lambda: farm.client.frames(job, state="leased").frames, 60, "it renders")
    assert over(farm, Errand.RESTART) == ("done", "It is back.")
    assert farm.ended(job, 120).state is JobState.DONE, "what rendered was finished, the rest given back and taken anew"
    assert over(farm, Errand.LOG)[0] == "done"
    shown = farm.client.send("GET", f"{PATH}/{newest(farm).number}/text").json()["text"]
    assert "Found a renderer" in shown
    assert farm.keys["ws01"].password not in shown
    assert over(farm, Errand.TEST)[0] == "done"
    assert over(farm, Errand.REST, 3600)[0] == "done"
    farm.until(lambda: farm.client.slaves()[0].state is SlaveState.RESTING, 60, "it rests")
    late = farm.sleep_job("1")
    assert farm.client.frames(late).frames[0].state is FrameState.READY
    assert over(farm, Errand.WAKE)[0] == "done"
    assert farm.ended(late, 60).state is JobState.DONE
    assert over(farm, Errand.STOP) == ("done", "It has ended.")
    assert slave.popen.wait(60) == 0
    assert farm.audit() == []


def newest(farm: Farm) -> ErrandView:
    return _VIEWS.validate_json(farm.client.send("GET", PATH).content)[0]


def over(farm: Farm, errand: Errand, seconds: float = 1) -> tuple[str, str]:
    """Send the slave on an errand; return how it ended."""
    farm.client.post(PATH, ErrandView, SendErrand(errand=errand, seconds=seconds))
    farm.until(lambda: newest(farm).stage in {"done", "failed"}, 120, f"{errand} is over")
    return newest(farm).stage, newest(farm).message
