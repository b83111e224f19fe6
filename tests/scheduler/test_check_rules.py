"""What checks come to: the rules alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.scheduler.checkrules import (
    DAMAGED,
    FIRST,
    LEAST,
    Drawn,
    Picture,
    chance,
    comparable,
    near,
    ruling,
    tie,
)
from farm.words.checks import CheckState


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_all_of_the_first_ten_are_checked_and_never_less_than_one_in_fifty(checked: int, rendered: int) -> None:
    odds = chance(checked, rendered)
    assert odds == 1 if checked < FIRST else odds == max(LEAST, 1 / max(rendered, 1))


GRAINS = {
    name: bytes(values * 256).hex()
    for name, values in {"dark": [9] * 3, "darkish": [9, 10, 9], "bright": [99] * 3}.items()
}
drawings = st.lists(
    st.builds(
        Drawn, st.integers(1, 9), st.sampled_from("abc"), st.booleans(), grain=st.sampled_from(["", *GRAINS.values()])
    ),
    max_size=3,
)

BRIGHT, BRIGHTISH, BLACK = ((bytes([value] * 48)).hex() for value in (200, 180, 0))


@given(drawings)
def test_nobody_is_convicted_but_by_two_of_its_class_that_agree_on_more_than_rounding(drawn: list[Drawn]) -> None:
    checked = Picture("a", grain=GRAINS["dark"])
    state = ruling(checked, drawn)
    against = Counter(one.pixels for one in drawn if one.pixels != "a" and one.like and not near(checked, one))
    if state is CheckState.FALSE:
        assert max(against.values()) >= 2, "none of them has the very build"
    if drawn and drawn[0].pixels == "a":
        assert state is CheckState.PASSED
    if len(drawn) == 3:
        assert state is not CheckState.DUE, "nobody is asked for ever"


def test_rounding_is_told_from_noise() -> None:
    dark = Picture("a", grain=GRAINS["dark"])
    assert near(dark, Picture("b", grain=GRAINS["darkish"]))
    assert not near(dark, Picture("b", grain=GRAINS["bright"]))
    assert not near(dark, Picture("b"))
    few = bytes([9] * 3 * 244 + [99] * 3 * 12).hex()
    assert near(dark, Picture("b", grain=few)), "some paths of light took another turn"


@pytest.mark.parametrize(("grain", "state"), [("darkish", CheckState.UNDECIDED), ("bright", CheckState.FALSE)])
def test_two_others_of_its_class_that_differ_by_rounding_alone_convict_nobody(grain: str, state: CheckState) -> None:
    drawn = [Drawn(number, "b", like=True, grain=GRAINS[grain]) for number in (1, 2)]
    assert ruling(Picture("a", grain=GRAINS["dark"]), drawn) is state
    assert ("rounding" in tie(Picture("a", grain=GRAINS["dark"]), drawn)) is (grain == "darkish")


@pytest.mark.parametrize(("grains", "state"), [
    (("bright", "bright"), CheckState.FALSE), (("bright", "darkish"), CheckState.DUE), (("bright", ""), CheckState.DUE),
])  # fmt: skip
def test_the_very_build_on_other_processors_convicts_of_more_than_rounding(
    grains: tuple[str, str], state: CheckState
) -> None:
    drawn = [Drawn(n, f"{n}", like=False, kin=True, grain=GRAINS.get(grain, "")) for n, grain in enumerate(grains)]
    assert ruling(Picture("a", grain=GRAINS["dark"]), drawn) is state
    others = [replace(one, kin=False) for one in drawn]
    assert ruling(Picture("a", grain=GRAINS["dark"]), others) is CheckState.DUE


def test_where_two_others_disagree_a_third_decides() -> None:
    one, two = Drawn(1, "b", like=True), Drawn(2, "a", like=True)
    assert ruling(Picture("a"), [one, two]) is CheckState.DUE
    assert ruling(Picture("a"), [one, two, replace(two, slave=3)]) is CheckState.PASSED
    assert ruling(Picture("a"), [one, two, replace(one, slave=3)]) is CheckState.FALSE
    assert ruling(Picture("a"), [one, two, Drawn(3, "c", like=True)]) is CheckState.UNDECIDED


@pytest.mark.parametrize(("checked", "others", "state"), [
    (BLACK, (BRIGHT, BRIGHTISH), CheckState.FALSE),
    (BLACK, (BRIGHT, BLACK), CheckState.UNDECIDED),
    (BRIGHT, (BRIGHTISH, BRIGHTISH), CheckState.UNDECIDED),
    (BLACK, (BRIGHT, ""), CheckState.UNDECIDED),
    ("", (BRIGHT, BRIGHT), CheckState.UNDECIDED),
])  # fmt: skip
def test_on_machines_of_another_kind_only_quite_another_picture_convicts(
    checked: str, others: tuple[str, str], state: CheckState
) -> None:
    drawn = [Drawn(number, "same", like=False, sketch=sketch) for number, sketch in enumerate(others)]
    assert ruling(Picture("a", checked), drawn) is state
    assert (tie(Picture("a", checked), drawn) != "") or state is CheckState.FALSE


def test_what_nobody_can_decode_is_not_taken_for_equal() -> None:
    assert not comparable(Picture(DAMAGED), Picture(DAMAGED))
    assert not comparable(Picture(""), Picture("a"))
    assert ruling(Picture(DAMAGED), [Drawn(1, "a", like=True), Drawn(2, "a", like=True)]) is CheckState.FALSE
