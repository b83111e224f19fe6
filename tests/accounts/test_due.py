"""When slaves are measured by themselves: the pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.accounts.due import DAY, FEWEST, MONTH, Past, Side, drift, due, estimated, fingerprint
from farm.protocol.points import Cause
from farm.protocol.slaves import Hardware, Offer

NOW = 10 * MONTH
BLENDER = Offer(method="blender", version="4.5.2", engines=["CYCLES"])
MACHINE = Hardware(hostname="ws1", system="Linux 6.1", cores=8, memory_bytes=1, devices=["CPU x", "OPTIX A"])


def past(age: int, power: int | None = 1000, machine: str = "a", cause: Cause = Cause.FIRST) -> Past:
    return Past(NOW - age, power, machine, cause)


@pytest.mark.parametrize(
    ("before", "ratio", "cause"),
    [
        ([], None, Cause.FIRST),
        ([past(1)], None, None),
        ([past(1, machine="b")], None, Cause.CHANGED),
        ([past(MONTH - 1)], None, None),
        ([past(MONTH)], None, Cause.AGE),
        ([past(DAY - 1, None)], None, None),
        ([past(DAY, None)], None, Cause.AGAIN),
        ([past(DAY)], 1.26, Cause.DRIFT),
        ([past(DAY)], 0.74, Cause.DRIFT),
        ([past(DAY)], 1.24, None),
        ([past(DAY)], 0.76, None),
        ([past(DAY - 1)], 2.0, None),
        ([past(DAY, 1100, cause=Cause.DRIFT), past(2 * DAY)], 2.0, None),
        ([past(DAY, 2000, cause=Cause.DRIFT), past(2 * DAY)], 2.0, Cause.DRIFT),
        ([past(DAY, 1100, cause=Cause.DRIFT), past(2 * DAY, None), past(3 * DAY, 500)], 2.0, Cause.DRIFT),
        ([past(MONTH, 1100, cause=Cause.DRIFT), past(2 * MONTH)], 2.0, Cause.AGE),
    ],
)
def test_a_slave_is_due_as_the_table_says(before: list[Past], ratio: float | None, cause: Cause | None) -> None:
    assert due(before, "a", ratio, NOW) is cause


@given(st.integers(0, 2 * MONTH), st.none() | st.integers(1, 5000), st.none() | st.floats(0.01, 100))
def test_who_was_measured_less_than_a_day_ago_and_has_not_changed_is_left_alone(
    age: int, power: int | None, ratio: float | None
) -> None:
    found = due([past(age, power)], "a", ratio, NOW)
    assert age >= DAY or found is None
    assert due([past(age, power, machine="b")], "a", ratio, NOW) is Cause.CHANGED


@given(st.integers(100, 10_000), st.floats(0.1, 10))
def test_frames_that_took_longer_than_others_by_some_factor_drift_by_it(each: int, factor: float) -> None:
    slow = [round(each * factor)] * FEWEST
    ratio = drift([Side(slow, [each] * FEWEST), Side(slow[1:], [1] * FEWEST), Side(slow, [])])
    assert ratio == pytest.approx(factor, abs=0.01)


def test_too_few_frames_say_nothing() -> None:
    assert drift([]) is None
    assert drift([Side([1] * (FEWEST - 1), [1] * 100), Side([1] * 100, [1] * (FEWEST - 1))]) is None


@given(st.floats(0.0001, 1000))
def test_who_was_never_measured_is_worth_less_where_it_takes_longer_and_never_more_than_the_reference(
    ratio: float,
) -> None:
    assert 1 <= estimated(ratio) <= 1000
    assert estimated(2) == 500
    assert estimated(0.5) == 1000


def test_another_processor_card_or_renderer_is_another_machine_and_another_kernel_is_not() -> None:
    card = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=["OPTIX A"])
    one = {key: fingerprint(key, MACHINE, [card]) for key in ("blender", "blender/optix", "povray")}
    assert len(set(one.values())) == 3
    kernel = MACHINE.model_copy(update={"system": "Linux 6.2", "hostname": "ws2", "contained": True})
    assert one["blender"] == fingerprint("blender", kernel, [card])
    assert one["blender"] != fingerprint("blender", MACHINE.model_copy(update={"cores": 4}), [card])
    assert one["blender"] != fingerprint("blender", MACHINE.model_copy(update={"devices": ["CPU y"]}), [card])
    assert one["blender"] == fingerprint("blender", MACHINE, [BLENDER])
    assert one["blender/optix"] != fingerprint("blender/optix", MACHINE, [BLENDER])
    newer = card.model_copy(update={"version": "4.5.3"})
    assert one["blender"] != fingerprint("blender", MACHINE, [card, newer])
    assert one["blender/optix"] != fingerprint("blender/optix", MACHINE, [newer])
    assert one["povray"] == fingerprint("povray", MACHINE, [newer])
