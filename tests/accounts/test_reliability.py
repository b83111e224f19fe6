"""How far slaves can be relied on: the rule, for all that may come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.accounts.reliability import AGE, ATTEMPTS, Record, after, on_probation, reliability

records = st.builds(Record, good=st.floats(0, 300), bad=st.floats(0, 300), at=st.integers(0, 10**15))


@pytest.mark.parametrize(("good", "value"), [(0, 0.05 ** (1 / 2)), (1, 0.05 ** (1 / 3)), (7, 0.05 ** (1 / 9))])
def test_without_failures_it_is_what_the_formula_gives_by_hand(good: int, value: float) -> None:
    # Beta(n, 1) is below x in x^n of all cases.
    assert reliability(Record(good)) == pytest.approx(value, abs=1e-9)


def test_with_failures_it_is_the_quantile_that_tables_have() -> None:
    # Beta(3, 3): x^3 (10 - 15 x + 6 x^2) = 0.05
    x = reliability(Record(1, 2))
    assert x**3 * (10 - 15 * x + 6 * x * x) == pytest.approx(0.05, abs=1e-9)


@given(records)
def test_probation_is_a_reliability_below_a_half(record: Record) -> None:
    value = reliability(record)
    assert 0 < value < 1
    if abs(value - 0.5) > 1e-6:
        assert on_probation(record) is (value < 0.5)


@given(records)
def test_a_good_end_raises_it_and_a_bad_one_lowers_it(record: Record) -> None:
    good, bad = Record(record.good + 1, record.bad), Record(record.good, record.bad + 1)
    assert reliability(bad) < reliability(record) < reliability(good)


@given(records, st.integers(0, 50), st.integers(0, 50), st.integers(0, 10**14))
def test_what_was_before_fades_and_never_grows(record: Record, good: int, bad: int, later: int) -> None:
    now = after(record, good, bad, record.at + later)
    assert good <= now.good <= record.good + good
    assert bad <= now.bad <= record.bad + bad


def test_after_two_hundred_attempts_or_two_weeks_half_is_left() -> None:
    record = Record(0, 8)
    for _ in range(ATTEMPTS):
        record = after(record, 1, 0, 0)
    assert record.bad == pytest.approx(4)
    assert after(Record(8, 8), 0, 0, AGE) == Record(4, 4, AGE)


def test_a_new_slave_is_on_probation_until_its_third_good_frame() -> None:
    assert [on_probation(Record(good)) for good in range(5)] == [True, True, True, False, False]


def test_a_slave_that_worked_for_long_is_on_probation_after_failures_in_a_row_and_off_it_again_when_it_works() -> None:
    record = after(Record(), 100, 0, 0)
    failures = 0
    while not on_probation(record):
        record, failures = after(record, 0, 1, 0), failures + 1
    assert 50 < failures < 100
    while on_probation(record):
        record = after(record, 1, 0, 0)
