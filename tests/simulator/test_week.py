"""`distren simulate --virtual`: the real scheduler and database in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.simulator.population import Plan, population
from farm.simulator.report import of_week
from farm.simulator.week import Week
from farm.words import clock


def simulated(plan: Plan, folder: Path) -> Week:
    week = Week(plan, folder)
    week.run()
    return week


@pytest.mark.timeout(300)
def test_a_day_with_a_crash_loses_nothing_and_time_is_real_again_afterwards(tmp_path: Path) -> None:
    plan = Plan(days=1, slaves=3, users=2, frames=80, failures=0.1, deaths=0.05, late=0.05)
    began = clock.now()
    week = simulated(plan, tmp_path)
    assert week.witness.violations == []
    assert week.witness.rendered == 80
    assert week.premises.crashes == 1
    assert week.days[0].frames > 0
    assert week.days[0].failed > 0
    assert clock.now() - began < 3600 * clock.SECOND
    assert [hour.number for hour in week.hours] == list(range(1, 25))
    assert sum(hour.frames for hour in week.hours) == week.days[0].frames
    told = of_week(plan, week.days, week.hours, week.witness.rendered, [], "distren simulate")
    assert "All invariants held." in told.markdown()
    assert f"| {week.days[0].frames} |" in told.markdown()
    assert told.plots["week.svg"] in told.html()


@pytest.mark.timeout(300)
def test_bytes_of_a_slave_that_comes_late_are_there_with_its_report_whatever_was_collected(tmp_path: Path) -> None:
    week = simulated(Plan(days=2, slaves=8, users=2, frames=200, late=0.5, crashes=0), tmp_path)
    assert week.witness.violations == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_after_the_first_days_nothing_grows(tmp_path: Path) -> None:
    week = simulated(Plan(days=7, slaves=50, users=10, frames=40_000), tmp_path)
    assert week.witness.violations == []
    second, last = week.days[1], week.days[-1]
    for table in ("attempt", "balance", "blob", "event", "frame", "job", "posting", "resultfile", "tally"):
        assert last.rows[table] < 1.5 * second.rows[table], table
    assert last.memory < 1.2 * second.memory


def test_the_same_seed_gives_the_same_jobs_and_as_many_frames_as_asked_for() -> None:
    def told(seed: int) -> list[tuple[int, ...]]:
        made = population(Plan(days=2, slaves=10, users=5, frames=5000, seed=seed))
        return [(job.owner, job.queued, job.frames, job.span) for job in made.jobs]

    assert told(1) == told(1)
    assert told(1) != told(2)
    assert sum(frames for _, _, frames, _ in told(1)) == 5000
