"""How many slots a job needs to be done in time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.scheduler.fairness import Usage
from farm.scheduler.forecast import Load
from farm.scheduler.planning import Span, needed, row
from farm.words.clock import SECOND

HOUR = 3600 * SECOND


def load(number: int, owner: int, frames: int, minutes: float) -> Load:
    return Load(number, owner, 50, 0, frames, minutes * 60 * SECOND, minutes * 60 * SECOND)


def test_a_lone_job_of_ten_hours_needs_ten_slots_for_an_hour_and_no_number_for_less_than_a_frame() -> None:
    queue = [load(1, 1, 100, 6)]
    assert needed(queue, Usage(), 1, queue[0].span, HOUR, 0) == 10
    assert needed(queue, Usage(), 1, queue[0].span, HOUR // 20, 0) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(0, 80), st.integers(1, 20), st.integers(2, 48))
def test_what_is_needed_is_enough_and_others_work_makes_it_no_less(
    frames: int, others: int, minutes: int, hours: int
) -> None:
    mine, theirs = load(1, 1, frames, minutes), load(2, 2, others, minutes)
    alone = needed([mine], Usage(), 1, mine.span, hours * HOUR, 0)
    beside = needed([mine, theirs], Usage(), 1, mine.span, hours * HOUR, 0)
    assert alone is not None
    assert beside is not None
    assert alone <= beside
    assert row([mine, theirs], Usage(), 1, Span(*3 * [mine.span]), beside, 0).mean <= hours * HOUR


def test_more_measured_frames_make_it_surer_and_none_make_it_a_guess() -> None:
    few, many = Span.measured(100, 30, 4), Span.measured(100, 30, 400)
    assert (few.low, few.high) == (70, 130)
    assert (many.low, many.high) == (97, 103)
    assert Span.measured(100, 0, 0) == Span(50, 100, 200)
