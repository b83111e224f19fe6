"""Which machines must draw the same, to the last bit or but for rounding: real databases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import pytest

from farm.database.handle import Database
from farm.jobs import checkers
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer
from tests.scheduler.strangers import CARDS, Strangers
from tests.scheduler.world import BLENDER, Agent, frames_of

DENOISES = Offer(method="blender", version="4.5.2", engines=["CYCLES", "CYCLES+OIDN"])


@pytest.fixture
def strangers(database: Database) -> Iterator[Strangers]:
    made = Strangers(database)
    made.world.log_in(made.checked, contained=True, devices=["CPU x"])
    yield made
    assert made.world.faults() == []


class Classes:
    """Frames of two slaves, of which a test says what machines they are rendered on."""

    plain: ClassVar[dict[str, Any]] = {"devices": ["CPU x"], "system": "Linux 6.1 x86_64", "contained": True}

    def __init__(self, strangers: Strangers, device: str = "") -> None:
        self.world = strangers.world
        self.needs = Requirement(method="blender", version="4.5", engine="CYCLES", device=device)
        strangers.checker("one")
        self.one, self.other = strangers.checkers[0], strangers.checked

    def rendered(self, agent: Agent, **machine: Any) -> int:
        self.world.log_in(agent, **{**self.plain, **machine})
        self.world.job("1", requires=self.needs.model_dump_json())
        cards = int(self.needs.device == "gpu")
        (frame,) = frames_of(self.world.report(agent, want=1, cards=cards))
        self.world.report(agent, done=[frame.attempt])
        return frame.attempt

    def alike(self, one: int, other: int) -> bool:
        return self.world.database.read_now(partial(checkers.alike, one=one, other=other, requires=self.needs))


@pytest.mark.parametrize("other", [
    {"devices": ["CPU y"]}, {"system": "Windows 11 AMD64"}, {"offer": DENOISES}, {"arithmetic": "sse4_1, glibc 2.36"},
    {"arithmetic": ""}, {"offer": BLENDER.model_copy(update={"build": "another"})},
])  # fmt: skip
def test_processors_their_kernels_systems_and_builds_of_renderers_are_classes_of_their_own(
    strangers: Strangers, other: dict[str, Any]
) -> None:
    made = Classes(strangers)
    checked = made.rendered(made.other)
    assert made.alike(made.rendered(made.one, system="Linux 6.12 x86_64"), checked)
    assert not made.alike(made.rendered(made.one, **other), checked)


def test_the_very_build_is_told_on_processors_of_two_kinds_and_where_it_is_known(strangers: Strangers) -> None:
    made, built = Classes(strangers), BLENDER.model_copy(update={"build": "this"})
    checked = made.rendered(made.other, offer=built)

    def kin(offer: Offer, needs: Requirement = made.needs) -> bool:
        one = made.rendered(made.one, devices=["CPU y"], offer=offer)
        return made.world.database.read_now(partial(checkers.kin, one=one, other=checked, requires=needs))

    assert kin(built)
    assert not kin(built.model_copy(update={"build": "that"}))
    assert not kin(BLENDER)
    assert not kin(built, made.needs.model_copy(update={"engine": "BLENDER_EEVEE"}))


@pytest.mark.parametrize(("drivers", "cards", "same"), [
    (["nvidia 535.1"], ["CUDA A"], True), (["nvidia 550.2"], ["CUDA A"], False), ([], ["CUDA A"], False),
    (["nvidia 535.1"], ["CUDA B"], False),
])  # fmt: skip
def test_graphics_cards_are_of_one_class_only_with_the_same_driver_which_is_known(
    strangers: Strangers, drivers: list[str], cards: list[str], same: bool
) -> None:
    """No graphics card is here: these, and their drivers, are made up."""
    made = Classes(strangers, "gpu")
    checked = made.rendered(made.other, offer=CARDS, devices=["CPU x", "CUDA A"], drivers=["nvidia 535.1"])
    offer = CARDS.model_copy(update={"devices": cards})
    assert made.alike(made.rendered(made.one, offer=offer, devices=["CPU x", *cards], drivers=drivers), checked) is same


def test_what_a_machine_drew_before_it_became_another_convicts_nobody(strangers: Strangers) -> None:
    made = Classes(strangers)
    first, second = made.rendered(made.other, arithmetic="before"), made.rendered(made.one)
    assert not made.alike(first, second)
    made.world.pass_time(1)
    made.world.log_in(made.other, **made.plain)
    assert not made.alike(first, second), "it says the same now, but did not then"
    made.world.pass_time(1)
    assert made.alike(made.rendered(made.other), second)
