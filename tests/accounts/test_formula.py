"""What frames are worth: properties of the pure rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.accounts import reasons
from farm.accounts.formula import Seen, bounded, burnt, median, near, points, possible, tip, worth
from farm.accounts.ledger import Kind
from farm.words.clock import SECOND

SPANS = st.integers(0, 30 * 86400 * SECOND)
MILLI = st.integers(0, 10**12)


def test_a_cpu_minute_of_the_reference_machine_is_a_point() -> None:
    assert worth(60 * SECOND, 1000) == 1000
    assert worth(60 * SECOND, 2500) == 2500
    assert points(worth(90 * SECOND, 1000)) == "1.500"


@given(MILLI, st.lists(st.tuples(st.integers(0, 999), MILLI), max_size=5))
def test_an_amount_stays_within_a_half_and_one_and_a_half_of_its_neighbours(
    amount: int, others: list[tuple[int, int]]
) -> None:
    got = bounded(amount, others)
    if len(others) < 3:
        assert got == amount
    else:
        middle = median(value for _, value in others)
        assert middle // 2 <= got <= middle * 3 // 2
        assert got == amount or amount < middle // 2 or amount > middle * 3 // 2


def test_nobodys_own_frames_say_what_theirs_are_worth() -> None:
    seen = [Seen(1, 7, 100), Seen(2, 8, 200), Seen(4, 7, 9_999), Seen(9, 8, 300), Seen(5, 8, 1)]
    assert near(5, 7, seen) == [(2, 200), (9, 300)]


@given(st.lists(st.tuples(SPANS, st.integers(0, 10**9), st.integers(0, 10**9)), max_size=20), st.integers(1, 256))
def test_whatever_a_slave_says_it_is_not_paid_for_more_than_its_processors_had(
    frames: list[tuple[int, int, int]], cores: int
) -> None:
    """Frames come in the order of their ends; each was issued some time after the first, and claims anything."""
    at, paid, total = 0, 0, 0
    for claimed, later, held in frames:
        at += later
        time = possible(claimed, at - min(held, at), 0, paid, at, cores)
        assert 0 <= time.counts <= claimed
        assert time.until >= paid
        paid, total = time.until, total + time.counts
    assert total <= cores * at


@given(SPANS, st.integers(0, 10**6), st.integers(1, 15), MILLI)
def test_a_boost_never_burns_more_than_is_left(cpu: int, power: int, boost: int, left: int) -> None:
    cost = burnt(cpu, power, boost, left)
    assert 0 <= cost <= left
    assert 0 <= tip(cost) <= cost


def test_the_reason_has_all_that_is_needed_to_compute_the_amount_by_hand() -> None:
    near_by = [[11, 4000], [13, 4200], [14, 1000]]
    inputs = {"cpu": 480 * SECOND, "said": 480 * SECOND, "power": 1250, "near": near_by}
    assert reasons.recomputed(Kind.EARNED, inputs) == 6000
    assert reasons.recomputed(Kind.HALF, inputs) == 3000
    assert reasons.words(Kind.EARNED, inputs) == (
        "480 CPU-seconds × power 1.250 / 60 = 10.000; frames nearby: 4.000 of 11, 4.200 of 13, 1.000 of 14: "
        "median 4.000, so between 2.000 and 6.000"
    )
    burning = {"cpu": 60 * SECOND, "power": 1000, "boost": 3, "left": 2000}
    assert reasons.recomputed(Kind.TIP, burning) == 1400
    assert reasons.recomputed(Kind.GONE, burning) == 600
    assert reasons.words(Kind.GONE, burning) == (
        "60 CPU-seconds × power 1.000 / 60 = 1.000 × boost 3 = 3.000; 2.000 were left; 30 % of it"
    )
