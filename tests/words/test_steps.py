"""Traces: texts that slaves write and servers keep."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.words.steps import LONGEST, PATTERN, Span, Step, read, written

SPANS = st.builds(Span, st.sampled_from(Step), st.integers(0, 10**12), st.integers(0, 10**12))


@given(st.lists(SPANS, max_size=12))
def test_what_is_written_is_what_is_read(spans: list[Span]) -> None:
    assert list(read(written(spans))) == spans
    assert re.match(PATTERN, written(spans))


def test_a_trace_of_all_steps_over_a_month_fits() -> None:
    month = 30 * 86_400 * 10**6
    of_slaves = [step for step in Step if step not in (Step.SUBMIT, Step.QUEUE, Step.REPORT, Step.HOME)]
    assert len(written(Span(step, month, month) for step in of_slaves)) <= LONGEST


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert all(span.at < 10**13 and span.length < 10**13 for span in read(text))


@pytest.mark.parametrize(
    "text", ["render", "render:-1+2", "render:1+2;", "x" * 50, "render:1+" + "9" * 14, " wait:0+1"]
)
def test_what_is_no_trace_does_not_pass(text: str) -> None:
    assert not re.match(PATTERN, text)


def test_steps_of_a_newer_slave_are_left_out() -> None:
    assert [span.step for span in read("wait:0+1 teleport:1+2 render:3+4")] == [Step.WAIT, Step.RENDER]
