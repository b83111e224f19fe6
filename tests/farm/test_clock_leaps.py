"""The clock of a real server, or of a real slave, is set a day forward, right, a day back and right again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from farm.client.farmclient import FarmClient
from farm.database.schema import attempts, events
from farm.protocol.accounts import LogIn
from farm.words.clock import SECOND
from farm.words.states import AttemptState, JobState, SlaveState
from tests.farm.farm import PASSPHRASE, Farm, running
from tests.farm.test_away import FAKETIME

pytestmark = [pytest.mark.soak, pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")]
LEAPS = ("+1d", "+0", "-1d", "+0")
EACH = 12
"""Frames that must be done between two leaps."""

SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], max(seconds, 0)) and None
"""
"""What Python runs first of all: libfaketime breaks the call by which it sleeps."""


class Clock:
    """A clock that processes are started with, and that is set while they run."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self._folder = folder
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SLEEP)
        self.set("+0")

    def set(self, offset: str) -> None:
        """Set it wrong by so much, as libfaketime has it."""
        (part := self._file.with_suffix(".part")).write_text(offset)
        part.replace(self._file)

    @property
    def variables(self) -> dict[str, str]:
        """Of the environment of who shall have this clock. What passes meanwhile is right, and so are files' times."""
        usual = {
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(self._folder),
        }
        return {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._file), **usual}


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def farm(tmp_path: Path, clock: Clock, bare_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    """A farm whose server goes by the clock."""
    for name, value in clock.variables.items():
        monkeypatch.setenv(name, value)
    made = Farm(tmp_path, bare_database_url, heartbeat_seconds="5")
    for name in clock.variables:
        monkeypatch.delenv(name)
    with contextlib.closing(made):
        yield made


@pytest.fixture
def patient_farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm whose server has the right time."""
    with running(tmp_path, heartbeat_seconds="5") as made:
        yield made


def ends(farm: Farm) -> dict[str, int]:
    """Return how many attempts ended how; their times must be those of a farm of a few minutes."""
    with farm.reading() as conn:
        shortest, longest = conn.execute(select(func.min(attempts.c.seconds), func.max(attempts.c.seconds))).one()
        assert 0 <= shortest <= longest < 60 * SECOND
        assert conn.execute(select(func.max(attempts.c.cpu))).scalar_one() < 60 * SECOND
        rows = conn.execute(select(attempts.c.state, func.count()).group_by(attempts.c.state)).all()
    return {state: count for state, count in rows}  # noqa: C416 - rows are no pairs to mypy


def silent(farm: Farm) -> int:
    """Return how often the slave counted as silent; it also begins as one that is away."""
    with farm.reading() as conn:
        offline = select(func.count()).where(events.c.slave == "ws01", events.c.data.contains("offline"))
        return int(conn.execute(offline).scalar_one()) - 1


def everything_once(farm: Farm, job: int, frames: int) -> None:
    assert farm.ended(job, 120).state is JobState.DONE
    assert [file.frame for file in farm.output(job)] == list(range(1, frames + 1))
    assert farm.audit() == []


@pytest.mark.timeout(600)
def test_a_servers_clock_that_leaps_by_a_day_costs_nothing(farm: Farm, clock: Clock) -> None:
    farm.start_slave("ws01", slots="2", sandbox="off")
    frames = EACH * (len(LEAPS) + 1) + 20
    job = farm.sleep_job(f"1-{frames}", seconds=0.3)
    tokens = [farm.token]
    for number, leap in enumerate(LEAPS):
        farm.done_frames(job, EACH * (number + 1))
        clock.set(leap)
        with FarmClient(farm.url) as guest:
            tokens.append(guest.login(LogIn(name="ada", passphrase=PASSPHRASE)).token)
        for token in tokens:
            with FarmClient(farm.url, token) as client:
                assert client.job(job).counts.total == frames, "each login goes on"
        assert farm.client.make_slave_key(f"late{number}").password
    assert silent(farm) == 0, "no slave counts as lost for a leap"
    everything_once(farm, job, frames)
    found = ends(farm)
    assert found.pop(AttemptState.WON) == frames
    assert set(found) <= {AttemptState.RETURNED, AttemptState.LATE}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("leap", ["+1d", "-1d"])
def test_a_slave_that_dies_after_a_leap_is_lost_in_time(farm: Farm, clock: Clock, leap: str) -> None:
    farm.start_slave("ws01", sandbox="off")
    dying = farm.start_slave("ws02", sandbox="off")
    job = farm.sleep_job("1-40", seconds=0.3)
    farm.done_frames(job, 6)
    clock.set(leap)
    farm.done_frames(job, 10)
    dying.kill()
    farm.until(lambda: _state(farm, "ws02") is SlaveState.OFFLINE, 60, "the dead slave counts as gone")
    assert _state(farm, "ws01") is not SlaveState.OFFLINE
    farm.start_slave("ws02", sandbox="off")
    everything_once(farm, job, 40)


def _state(farm: Farm, name: str) -> SlaveState:
    return next(slave.state for slave in farm.client.slaves() if slave.name == name)


@pytest.mark.timeout(600)
def test_a_slaves_clock_that_leaps_by_a_day_costs_nothing(patient_farm: Farm, clock: Clock) -> None:
    farm = patient_farm
    slave = farm.start_slave("ws01", clock.variables, slots="2", sandbox="off")
    frames = EACH * (len(LEAPS) + 1)
    job = farm.sleep_job(f"1-{frames}", seconds=0.3, output_bytes=200_000)
    for number, leap in enumerate(LEAPS):
        farm.done_frames(job, EACH * (number + 1))
        clock.set(leap)
    everything_once(farm, job, frames)
    assert silent(farm) == 0
    found = ends(farm)
    assert found.pop(AttemptState.WON) == frames
    assert set(found) <= {AttemptState.RETURNED, AttemptState.LATE}
    slave.stop()
    assert slave.descendants() == []
