"""When jobs would be done, and what a boost and points change about it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.scheduler.fairness import Usage, weight
from farm.scheduler.forecast import Load, ends
from farm.words.clock import SECOND

FRAME = 30 * SECOND


def load(number: int, owner: int, frames: int, **more: int) -> Load:
    return Load(number, owner, 50, 0, frames, FRAME, FRAME, **more)


def test_a_lone_job_ends_when_its_frames_do() -> None:
    assert ends([load(1, 1, 100)], Usage(), 4, 0) == {1: 25 * FRAME}


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 60)), min_size=1, max_size=6),
    st.integers(1, 8),
    st.integers(1, 15),
)
def test_a_boost_never_makes_a_job_later_and_others_end_when_all_does(
    others: list[tuple[int, int]], slots: int, boost: int
) -> None:
    queue = [load(n, owner, frames) for n, (owner, frames) in enumerate(others, 2)]
    plain = ends([load(1, 9, 40), *queue], Usage(), slots, 0)
    boosted = ends([load(1, 9, 40, boost=boost, boosted=40), *queue], Usage(), slots, 0)
    assert boosted[1] <= plain[1]
    assert max(boosted.values()) == max(plain.values())  # the farm does the same work


def test_a_boost_of_four_takes_its_job_five_shares_and_no_more() -> None:
    queue = [load(1, 1, 500, boost=4, boosted=500), *(load(n, n, 500) for n in range(2, 7))]
    done = ends(queue, Usage(), 10, 0)
    assert done[1] < min(done[n] for n in range(2, 7))
    rate = 500 / (done[1] / FRAME) / 10  # of the farm, while all were there
    assert abs(rate - 5 / 10) < 0.03


def test_who_has_earned_more_is_done_sooner() -> None:
    usage = Usage(weights={1: weight(9_900_000)})
    assert weight(9_900_000) == 2
    done = ends([load(1, 1, 200), load(2, 2, 200)], usage, 10, 0)
    rate = 200 / (done[1] / FRAME) / 10
    assert abs(rate - 2 / 3) < 0.03
