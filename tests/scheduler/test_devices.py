"""One job, one class of devices; and who draws EEVEE."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.jobs.access import Asker
from farm.jobs.change import change
from farm.jobs.rules import Rules
from farm.protocol.jobs import JobChange, Requirement
from farm.protocol.slaves import Offer
from farm.scheduler.devices import Room, on_it, slot_for, yields
from farm.scheduler.fit import Machine, fits
from farm.words.errors import WrongState
from tests.scheduler.world import BLENDER, World, numbers_of

CARD = "OPTIX NVIDIA RTX 4090"
WITH_CARD = BLENDER.model_copy(update={"devices": [CARD], "engines": ["CYCLES", "BLENDER_EEVEE_NEXT"]})
CARD_ALONE = WITH_CARD.model_copy(update={"processor": False})
SOFTWARE = BLENDER.model_copy(update={"engines": ["CYCLES", "BLENDER_EEVEE_NEXT"], "software": ["BLENDER_EEVEE_NEXT"]})

engines = st.sampled_from(["CYCLES", "CYCLES+OIDN", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH", "LUXCORE"])
classes = st.sampled_from(["", "cpu", "gpu", "any"])
requirements = st.builds(Requirement, method=st.just("blender"), engine=engines, device=classes)
offers = st.builds(
    Offer,
    method=st.just("blender"),
    version=st.just("4.5.2"),
    engines=st.sets(engines).map(sorted),
    devices=st.sampled_from([[], [CARD]]),
    software=st.sampled_from([[], ["BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"]]),
    processor=st.booleans(),
)
machines = st.lists(offers, min_size=1, max_size=4).map(
    lambda given: [Machine(at, f"s{at}", 1, (offer,)) for at, offer in enumerate(given)]
)


def needs(device: str, engine: str = "CYCLES") -> str:
    return Requirement(method="blender", version="4.5", engine=engine, device=device).model_dump_json()


@given(requirements, offers)
def test_a_class_admits_only_slaves_that_have_it(requires: Requirement, offer: Offer) -> None:
    if not on_it(requires, offer):
        assert fits(requires, [offer]), "who lacks the device does not fit"
    if requires.engine.startswith("CYCLES") and not fits(requires, [offer]):
        assert {"": offer.processor, "cpu": offer.processor, "gpu": bool(offer.devices)}.get(requires.device, True)


@given(requirements)
def test_a_job_goes_to_slots_of_both_classes_only_if_its_owner_lets_them_mix(requires: Requirement) -> None:
    if requires.engine.startswith("CYCLES"):
        assert (slot_for(requires) == "") == (requires.device == "any")


@given(requirements, machines)
def test_somebody_who_is_alive_and_fits_never_yields(requires: Requirement, found: list[Machine]) -> None:
    able = [machine for machine in found if not fits(requires, list(machine.offers))]
    assert not able or any(not yields(requires, machine, able) for machine in able)


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.sampled_from(["", "cpu", "gpu"])))
def test_slots_are_filled_once_and_by_what_may_go_there(cpu: int, gpu: int, wanted: list[str]) -> None:
    room = Room(cpu, gpu)
    for slot in wanted:
        room.take(slot, min(1, room.free(slot)))  # type: ignore[arg-type]
        assert room.cpu >= 0
        assert room.gpu >= 0
    taken = cpu + gpu - room.free("")
    assert taken <= len(wanted)


def test_a_job_for_graphics_cards_waits_for_one_and_says_what_to_do(world: World) -> None:
    agent = world.slave("cpu1")
    job = world.job("1-4", requires=needs("gpu"))
    assert not numbers_of(world.report(agent, want=1))
    (reason,) = world.why(job)
    assert "No slave has blender 4.5 with CYCLES on a graphics card; start a slave with a graphics card" in reason
    card = world.slave("card1", 1, CARD_ALONE)
    assert numbers_of(world.report(card, want=1, cards=1)) == [1]
    assert not world.faults()


def test_each_slot_of_a_slave_gets_what_it_can_render(world: World) -> None:
    agent = world.slave("both", 3, WITH_CARD)
    on_cards = world.job("1-9", requires=needs("gpu"))
    on_cpu = world.job("1-9", requires=needs("cpu"))
    leases = world.report(agent, want=3, cards=1).leases
    assert sorted((lease.job, lease.slot) for lease in leases) == [
        (on_cards, "gpu"),
        (on_cpu, "cpu"),
        (on_cpu, "cpu"),
    ]


def test_a_job_that_may_mix_is_rendered_on_all_slots(world: World) -> None:
    world.job("1-9", requires=needs("any"))
    leases = world.report(world.slave("both", 3, WITH_CARD), want=3, cards=1).leases
    assert [lease.slot for lease in leases] == ["", "", ""]


def test_software_draws_eevee_only_while_no_graphics_card_is_alive(world: World) -> None:
    slow, fast = world.slave("slow", 1, SOFTWARE), world.slave("fast", 1, WITH_CARD)
    world.job("1-9", requires=needs("", "BLENDER_EEVEE_NEXT"))
    assert not numbers_of(world.report(slow, want=1))
    assert numbers_of(world.report(fast, want=1, cards=1)) == [1]
    world.steer("log_out", fast)
    assert numbers_of(world.report(slow, want=1))
    world.job("1-2", requires=needs("gpu", "BLENDER_EEVEE_NEXT"), priority=90)
    other = world.slave("slow2", 1, SOFTWARE)
    assert all(lease.job == 1 for lease in world.report(other, want=1).leases), "software is no graphics card"


def test_a_job_that_waits_for_a_card_can_be_changed_until_a_frame_is_rendered(world: World) -> None:
    def asked(job: int, device: str) -> None:
        asker, wanted = Asker(world.owner, "anna"), JobChange(device=device)  # type: ignore[arg-type]
        world.database.write_now(lambda c: change(c, asker, job, wanted, Rules(), world.at))

    agent = world.slave("cpu1")
    job = world.job("1-4", requires=needs("gpu"))
    assert not numbers_of(world.report(agent, want=1))
    asked(job, "cpu")
    world.render(agent)
    with pytest.raises(WrongState, match="one class of devices"):
        asked(job, "gpu")
    asked(job, "any")
    card = world.slave("card1", 1, CARD_ALONE)
    assert [lease.slot for lease in world.report(card, want=1, cards=1).leases] == [""]
