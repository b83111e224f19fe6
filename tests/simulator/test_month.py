"""A synthetic farm in virtual time: it loses nothing, and the rules differ as the documentation says."""

from __future__ import annotations

from statistics import mean

import pytest

from farm.scheduler.terms import UNSERVED
from farm.simulator.measures import Treatment, jain
from farm.simulator.month import PEOPLE, month
from farm.simulator.rules import Fair
from farm.simulator.virtual import Farm, Job, Slot
from farm.words.clock import SECOND
from tests.bench.fairness import IMAGES, PAGE, RULES, Outcome, dots, outcome, table

MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return {name: outcome(rule, days=2) for name, rule in RULES.items()}


def test_every_frame_is_rendered_once_and_no_slot_rests_while_a_job_waits() -> None:
    made = month(days=1, seed=3)
    wanted = {job.number: job.frames for job in made.jobs}
    Farm(made.slots, Fair(slots=len(made.slots)), Treatment()).run(made.jobs)
    assert {job.number: job.rendered for job in made.jobs} == wanted
    assert all(job.ended is not None and not job.running for job in made.jobs)


def test_the_same_seed_gives_the_same_month() -> None:
    rule = RULES["DistRen, profile open"]
    assert outcome(rule, days=1) == outcome(rule, days=1)
    assert outcome(rule, days=1) != outcome(rule, days=1, seed=2)


def test_by_our_rule_nobody_starves_and_by_priority_and_points_somebody_does(found: dict[str, Outcome]) -> None:
    longest = {name: max(w.gap for w in got.waits.values()) for name, got in found.items()}
    frame = max(job.span for job in month(days=2).jobs) * 1.2
    ours, open_, priority, _, points = longest.values()
    assert max(ours, open_) <= UNSERVED + 2 * frame
    assert min(priority, points) > 10 * max(ours, open_)


def test_an_hour_is_shared_more_evenly_than_by_priority_or_points(found: dict[str, Outcome]) -> None:
    ours, open_, priority, _, points = (mean(got.indexes) for got in found.values())
    assert min(ours, open_) > max(priority, points) + 0.2


def test_jains_index_is_one_for_equal_shares_and_the_nth_part_for_one_who_has_all() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([0, 0, 0, 8]) == 0.25


def test_estimates_of_what_is_rendering_leave_nothing_behind() -> None:
    rule = Fair(slots=2)
    jobs = [Job(number, number % 3, 50, number * MINUTE, 20, number * MINUTE) for number in range(1, 7)]
    Farm([Slot(0, 0), Slot(1, 1)], rule, Treatment()).run(jobs)
    assert rule.usage.jobs == {}
    assert all(abs(had.running) < 1 for had in rule.usage.users.values())


def test_plots_and_tables_have_a_place_for_everybody(found: dict[str, Outcome]) -> None:
    text = table(found)
    assert all(f"| {name} | " in text for name in found)
    assert all(f"| {PEOPLE[user].name} | " in text for user in found["DistRen"].waits)
    assert "a &lt;b&gt;" in dots("a <b>", {"x": [1.0, 2.0]}, ["one", "two"], "min")


@pytest.mark.parametrize("name", ["fairness-first.svg", "fairness-starved.svg", "fairness-index.svg"])
def test_the_pages_plots_follow_the_readers_theme(name: str) -> None:
    assert "prefers-color-scheme: dark" in (IMAGES / name).read_text("utf-8")
    assert name in PAGE.read_text("utf-8")
