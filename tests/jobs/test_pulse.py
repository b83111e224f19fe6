"""Frames per minute: from what was ever finished, over gaps and restarts."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from farm.database.handle import Database
from farm.jobs import pulse
from farm.jobs.pulse import HOLE, MINUTE, SHOWN, last_hour, rates


@given(st.lists(st.tuples(st.integers(1, HOLE), st.integers(0, 1000)), min_size=1, max_size=40))
def test_no_frame_is_lost_or_counted_twice(steps: list[tuple[int, int]]) -> None:
    rows, minute, total = [(1000, 0)], 1000, 0
    for gap, frames in steps:
        minute, total = minute + gap, total + frames
        rows.append((minute, total))
    shown = [rate for end in range(1000 + SHOWN, minute + SHOWN, SHOWN) for rate in rates(rows, end)]
    assert abs(sum(rate for rate in shown if rate is not None) - total) < 1e-6 * (1 + total)


def test_what_happened_while_the_server_was_down_is_not_guessed() -> None:
    found = rates([(0, 0), (1, 5), (9, 50), (10, 52)], SHOWN)
    assert (found[0], found[1:9], found[9]) == (5, [None] * 8, 2)
    assert rates([(0, 9), (1, 4)], SHOWN)[0] == 0


def test_a_minute_is_noted_once_whoever_comes_first(database: Database) -> None:
    for at in (100 * MINUTE, 100 * MINUTE + 1, 101 * MINUTE, 102 * MINUTE):
        database.write_now(partial(pulse.note, at=at))
    assert database.read_now(partial(last_hour, at=102 * MINUTE))[-2:] == [0, 0]
    database.write_now(partial(pulse.note, at=(103 + pulse.KEPT) * MINUTE))
    assert database.read_now(partial(last_hour, at=103 * MINUTE)) == [None] * SHOWN
