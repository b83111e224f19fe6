"""A workstation that rests while its owner is at it."""

from __future__ import annotations

import os
from pathlib import Path

from farm.words.states import FrameState, JobState, SlaveState
from tests.farm.farm import Farm, Process


def test_a_machine_rests_while_somebody_is_at_it_and_loses_no_frame(lite_farm: Farm, tmp_path: Path) -> None:
    farm = lite_farm
    os.mkfifo(keyboard := tmp_path / "keyboard")
    reading = os.open(keyboard, os.O_RDWR)
    try:
        settings = {"input_devices": str(keyboard), "away_minutes": "0.05", "finish_seconds": "0"}
        farm.start_slave(**settings)
        job = farm.sleep_job("1-4", seconds=3)
        farm.until(lambda: farm.client.frames(job, state="leased").frames, 60, "nobody is here, so it renders")

        def at_work() -> bool:
            """Touch the keyboard; tell whether the machine rests."""
            os.write(reading, b"key")
            return farm.client.slaves()[0].state is SlaveState.RESTING

        farm.until(at_work, 60, "somebody is here, so it rests")
        gone = lambda: at_work() and not farm.client.frames(job, state="leased").frames  # noqa: E731
        farm.until(gone, 60, "it holds no frame any more")
        assert farm.ended(job, 120).state is JobState.DONE, "they went, and it woke"
        rests(farm, "2h")
        farm.until(lambda: farm.client.slaves()[0].state is SlaveState.RESTING, 60, "its owner wants it to rest")
        late = farm.sleep_job("1")
        assert farm.client.frames(late).frames[0].state is FrameState.READY
        rests(farm, "0")
        assert farm.ended(late, 60).state is JobState.DONE
        assert farm.audit() == []
    finally:
        os.close(reading)


def rests(farm: Farm, span: str) -> None:
    """Say at the machine how long it is to rest."""
    given = {"DISTREN_SLAVE_KEY": farm.keys["ws01"].key, "DISTREN_SLAVE_STATE": str(farm.folder / "ws01" / "state")}
    assert Process("owner", ["rest", span], given, farm.folder).popen.wait(60) == 0, farm.logs()
