"""`distren simulate --plan`, over a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farm.database.handle import Database
from farm.words.errors import Malformed
from farm.words.moments import moment_of
from tests.cli.conftest import Run
from tests.scheduler.world import World

NOW = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("friday 18:00", "2026-11-27T18:00"),
        ("Thursday 8:00", "2026-12-03T08:00"),
        ("9:15", "2026-11-26T09:15"),
        ("8:00", "2026-11-27T08:00"),
        ("2026-12-01 12:00", "2026-12-01T12:00"),
        ("36h", "2026-11-27T20:30"),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, wanted: str) -> None:
    assert moment_of(text, NOW).strftime("%Y-%m-%dT%H:%M") == wanted


@pytest.mark.parametrize("text", ["soon", "friday 99:00", "2020-01-01"])
def test_what_is_no_moment_to_come_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        moment_of(text, NOW)


def test_a_job_and_frames_to_come_are_planned_over_the_queue_of_now(run: Run, tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'distren.sqlite3'}")
    world = World(database)
    job = world.job("1-104")
    slave = world.slave("one")
    for _ in range(4):
        world.render(slave, seconds=360)
    left = world.counts(job)["ready"]
    database.close()
    place = ["--data", tmp_path]
    told = json.loads(run("simulate", "--plan", job, "--by", "1h", *place, "--json").stdout)
    assert (told["frames"], told["here"], told["measured"]) == (left, 1, 104 - left)
    assert told["slots"]["probably"] == -(-left * 360 // 3600)
    words = run("simulate", "--plan", job, "--by", "1h", *place).stdout
    assert f"For job {job} ({left} frames) by " in words
    assert f"{told['slots']['probably']} slots" in words
    assert "Assumed: 6 min 00 s a frame" in words
    free = json.loads(run("simulate", "--frames", 50, "--minutes-per-frame", 6, "--by", "1h", *place, "--json").stdout)
    assert free["slots"]["best"] <= free["slots"]["probably"] <= free["slots"]["sure"]
    assert run("simulate", "--plan", 99, "--by", "1h", *place).exit_code == 5
    assert "needs a deadline" in run("simulate", "--plan", job, *place).stderr
