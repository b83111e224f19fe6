"""When a frame counts as hung, and how much work is asked for, as properties."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from farm.protocol.jobs import Limits
from farm.slave.limits import LEAST, MEASURED, TIMES, Allowance, Watch, overdue
from farm.slave.pace import MOST, Pace, wanted

seconds = st.floats(0, 1e6)
limits = st.none() | st.floats(0.001, 86400)
moments = st.lists(st.tuples(st.floats(0.001, 100), st.integers(0, 3)), max_size=30)


def watched(began: float, words: list[tuple[float, int]]) -> tuple[Watch, float]:
    watch, now = Watch.begin(began), began
    for pause, word in words:
        now += pause
        watch = watch.seen(now, (word,))
    return watch, now


@given(seconds, moments)
def test_without_limits_nothing_is_ever_overdue(began, words):
    watch, now = watched(began, words)
    assert overdue(watch, now + 1e9, Allowance()) == ""


@given(seconds, moments, limits, limits, st.floats(0, 1000), st.floats(0, 1000))
def test_what_is_overdue_stays_so_while_nothing_is_heard(began, words, render, silence, wait, more):
    watch, now = watched(began, words)
    allowance = Allowance(render, silence)
    if overdue(watch, now + wait, allowance):
        assert overdue(watch, now + wait + more, allowance)


@given(seconds, moments, st.floats(0.001, 1000))
def test_the_render_limit_counts_from_the_beginning_whatever_is_said(began, words, limit):
    watch, now = watched(began, words)
    assert bool(overdue(watch, now, Allowance(render_seconds=limit))) == (now - began > limit)


@given(seconds, st.floats(0.1, 100), st.integers(2, 20))
def test_the_same_word_again_is_no_progress_and_another_one_is(began, silence, count):
    allowance = Allowance(silence_seconds=silence)
    same, now = watched(began, [(silence * 0.6, 1)] * count)
    assert bool(overdue(same, now, allowance)) == (now - same.last > silence)
    moving, now = watched(began, [(silence * 0.6, n) for n in range(1, count)])
    assert overdue(moving, now, allowance) == ""


@given(limits, limits)
def test_opening_may_be_silent_for_longer_but_not_take_longer(render, silence):
    opening = Allowance(render, silence).for_opening()
    assert opening.render_seconds == render
    assert (opening.silence_seconds is None) == (silence is None)
    assert silence is None or (opening.silence_seconds or 0) >= silence


@given(st.lists(st.floats(0, 1e6), max_size=30), st.floats(0.001, 1e6), limits)
def test_a_job_says_how_long_its_frames_take_else_ten_times_their_median_does(measured, default, own):
    defaults = Limits(render_seconds=default, silence_seconds=900)
    allowance = Allowance.of(Limits(render_seconds=own), defaults, measured)
    assert allowance.silence_seconds == 900
    if own is not None:
        assert allowance.render_seconds == own
    elif len(measured) < MEASURED:
        assert allowance.render_seconds == default
    else:
        shorter = sum(seconds * TIMES <= allowance.render_seconds for seconds in measured)
        assert shorter * 2 >= len(measured), "most frames are far from it"
        assert allowance.render_seconds >= min(LEAST, default)


def test_what_is_overdue_names_the_limit_and_where_to_set_it():
    watch = Watch.begin(0)
    assert "render limit of 60 s" in overdue(watch, 61, Allowance(60, 900))
    assert "render-limit=" in overdue(watch, 61, Allowance(60, 900))
    assert "no progress for 900 s" in overdue(watch, 901, Allowance(None, 900))
    assert "silence-limit=" in overdue(watch, 901, Allowance(None, 900))


queues = st.lists(st.none() | st.floats(0, 1e4), max_size=60)


@given(st.integers(1, 64), queues)
def test_no_more_is_wanted_than_there_are_slots_and_more_work_never_makes_hungrier(slots, queued):
    now = wanted(slots, queued)
    assert 0 <= now <= slots
    assert wanted(slots, [*queued, 5.0]) <= now
    assert wanted(slots, []) == slots


@given(st.integers(1, 64))
def test_one_long_or_unknown_frame_for_each_slot_is_enough(slots):
    assert wanted(slots, [1000.0] * slots) == 0
    assert wanted(slots, [None] * slots) == 0
    assert wanted(slots, [1000.0] * (slots - 1)) == 1


@given(st.integers(1, 64))
def test_frames_that_take_no_time_do_not_pile_up(slots):
    assert wanted(slots, [0.0] * (slots * MOST)) == 0
    assert wanted(slots, [0.0] * (slots * MOST - 1)) == 1


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_the_average_lies_between_what_was_measured(measured):
    pace = Pace()
    for value in measured:
        pace.note(1, value)
    average = pace.of(1)
    assert average is not None
    assert min(measured) <= average or math.isclose(min(measured), average)
    assert average <= max(measured) or math.isclose(max(measured), average)
