"""Who guesses is slowed down; who forgot once is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.accounts.throttle import REMEMBERED, WINDOW, Limit, Throttle
from farm.words.clock import SECOND
from farm.words.errors import TooManyRequests


def guess(throttle: Throttle, times: int, at: int, name: str = "ada", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        throttle.check(name, address, at)
        throttle.wrong(name, address, at)


def test_the_sixth_try_after_five_wrong_ones_is_refused_and_told_how_long() -> None:
    throttle = Throttle()
    guess(throttle, 5, 0)
    with pytest.raises(TooManyRequests) as caught:
        throttle.check("ada", "10.0.0.1", 60 * SECOND)
    assert caught.value.facts["retry_after"] == 240


def test_it_is_forgiven_after_the_window() -> None:
    throttle = Throttle()
    guess(throttle, 5, 0)
    throttle.check("ada", "10.0.0.1", WINDOW)


def test_a_clock_that_is_put_back_locks_nobody_out_until_it_is_there_again() -> None:
    throttle = Throttle()
    guess(throttle, 5, 100_000 * SECOND)
    throttle.check("ada", "10.0.0.1", 100_000 * SECOND - WINDOW)
    guess(throttle, 5, 10_000 * SECOND)
    with pytest.raises(TooManyRequests):
        throttle.check("ada", "10.0.0.1", 10_000 * SECOND - 1)


def test_a_guesser_elsewhere_does_not_lock_the_owner_out() -> None:
    throttle = Throttle()
    guess(throttle, 5, 0, address="10.0.0.66")
    throttle.check("ada", "10.0.0.1", 1)


def test_one_address_can_not_try_many_names() -> None:
    throttle = Throttle()
    for number in range(30):
        guess(throttle, 1, 0, name=f"user{number}")
    with pytest.raises(TooManyRequests):
        throttle.check("another", "10.0.0.1", 1)


def test_many_addresses_can_not_try_one_name() -> None:
    throttle = Throttle()
    for number in range(100):
        guess(throttle, 1, 0, address=f"10.0.1.{number}")
    guess(throttle, 1, 1, address="10.0.2.1")
    with pytest.raises(TooManyRequests):
        throttle.check("ada", "10.0.2.1", 1)


def test_nobody_can_lock_the_owner_out() -> None:
    throttle = Throttle()
    for number in range(200):
        guess(throttle, 1, 0, address=f"10.0.1.{number}")
    throttle.check("ada", "192.168.1.5", 1)


def test_the_right_passphrase_forgives() -> None:
    throttle = Throttle()
    guess(throttle, 4, 0)
    throttle.right("ada", "10.0.0.1")
    guess(throttle, 5, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, WINDOW // 3)), max_size=120))
def test_no_pair_ever_gets_more_wrong_tries_than_its_limit_within_a_window(tries: list[tuple[str, str, int]]) -> None:
    throttle, at, seen = Throttle(Limit(pair=3, address=1000, name=1000)), 0, dict[tuple[str, str], list[int]]()
    for name, address, later in tries:
        at += later
        try:
            throttle.check(name, address, at)
        except TooManyRequests:
            continue
        throttle.wrong(name, address, at)
        seen.setdefault((name, address), []).append(at)
    for times in seen.values():
        # Windows begin at a first wrong try, so two of them may touch.
        assert all(sum(t <= one < t + WINDOW // 2 for one in times) <= 6 for t in times)


def test_a_flood_of_names_costs_bounded_memory() -> None:
    throttle = Throttle(Limit(address=10**9))
    for number in range(REMEMBERED + 100):
        throttle.wrong(f"user{number}", "10.0.0.1", 0)
    assert len(throttle._tries) == REMEMBERED
