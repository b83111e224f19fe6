from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.peers.exchange import BOUND, DRIFT, FEWEST, HALF_LIFE, PAR, Probe, Rate, rate, told

NOW = 10 * HALF_LIFE
amounts = st.integers(0, 10**9)
probes = st.lists(st.builds(Probe, at=st.integers(0, NOW), theirs=amounts, ours=amounts), max_size=30)


@given(probes)
def test_no_rate_is_beyond_its_bounds_whatever_was_signed(found: list[Probe]) -> None:
    assert PAR // BOUND <= rate(found, NOW).milli <= PAR * BOUND


@given(probes)
def test_two_servers_that_count_each_others_work_see_each_others_rate_the_other_way_round(found: list[Probe]) -> None:
    here = rate(found, NOW).milli
    there = rate([Probe(one.at, one.ours, one.theirs) for one in found], NOW).milli
    assert abs(here * there / PAR**2 - 1) < 0.01


def test_who_counts_alike_is_at_par_and_so_is_who_was_never_measured() -> None:
    assert rate([], NOW) == Rate()
    assert rate([Probe(NOW, n, n) for n in range(1, 1000, 7)], NOW).milli == PAR


def test_one_short_frame_says_little_and_many_minutes_say_all() -> None:
    assert abs(rate([Probe(NOW, 1, 10)], NOW).milli - PAR) < 10
    assert abs(rate([Probe(NOW, 10_000, 20_000)] * 100, NOW).milli - 2 * PAR) < 2


def test_what_was_long_ago_fades() -> None:
    before, lately = [Probe(0, 1000, 3000)] * 50, [Probe(NOW, 1000, 1000)] * 50
    assert rate(before, 0).milli > 2.9 * PAR
    assert rate([*before, *lately], NOW).milli < 1.1 * PAR


def test_an_admin_is_told_only_of_what_enough_probes_say() -> None:
    off = PAR + DRIFT + 1
    assert Rate(off, FEWEST).drifts
    assert Rate(PAR - DRIFT - 1, FEWEST).drifts
    assert not Rate(off, FEWEST - 1).drifts
    assert not Rate(PAR + DRIFT, FEWEST).drifts
    assert "annex signs for is worth 1.25" in told("annex", Rate(off, 7))


@given(st.integers(0, 10**12), st.integers(PAR // BOUND, PAR * BOUND))
def test_an_amount_is_converted_by_the_rate(theirs: int, milli: int) -> None:
    assert Rate(milli, 9).here(theirs) == theirs * milli // PAR
