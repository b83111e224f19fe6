"""One version of the renderer for all frames of a job."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.database.handle import Database
from farm.jobs.access import Asker
from farm.jobs.change import change
from farm.jobs.rules import Rules
from farm.protocol.jobs import JobChange, Requirement
from farm.protocol.slaves import Offer
from farm.scheduler import jobrow, pin
from farm.scheduler.crowd import Able
from farm.scheduler.fit import Machine, closest, fits, instead, pinned_to
from farm.words.errors import WrongState
from tests.scheduler.world import World, numbers_of

some_versions = st.tuples(st.integers(3, 5), st.integers(0, 6), st.integers(0, 20)).map(lambda v: ".".join(map(str, v)))
some_requirements = st.builds(
    Requirement,
    method=st.just("blender"),
    version=st.one_of(st.just(""), some_versions, some_versions.map(lambda v: v.rpartition(".")[0])),
    newer=st.booleans(),
)


def offer(version: str) -> Offer:
    return Offer(method="blender", version=version, engines=["CYCLES"])


def machine(place: int, versions: list[str], slots: int = 1) -> Machine:
    return Machine(place, f"ws{place}", slots, tuple(map(offer, versions)))


some_machines = st.lists(
    st.builds(machine, st.integers(1, 9), st.lists(some_versions, max_size=3), st.integers(1, 8)), max_size=8
)


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@given(some_requirements, some_machines)
def test_the_chosen_version_is_offered_and_never_older_than_asked_for(
    requires: Requirement, machines: list[Machine]
) -> None:
    best = closest(requires, machines)
    offered = {o.version for m in machines for o in m.offers}
    assert (best in offered) if best else not any(not fits(requires, [offer(v)]) for v in offered)
    if best and requires.version:
        wanted = version(requires.version)
        assert version(best)[: len(wanted)] >= wanted
        if not requires.newer:
            assert version(best)[: len(wanted)] == wanted


@given(some_requirements, some_machines)
def test_the_same_line_is_chosen_before_any_newer_one(requires: Requirement, machines: list[Machine]) -> None:
    best = closest(requires, machines)
    if best and requires.version:
        fitting = {o.version for m in machines for o in m.offers if not fits(requires, [o])}
        assert version(best)[:2] == min(version(v)[:2] for v in fitting)


@given(some_requirements, some_machines)
def test_a_pinned_job_fits_just_the_slaves_with_that_version(requires: Requirement, machines: list[Machine]) -> None:
    best = closest(requires, machines)
    for one in machines if best else []:
        has = best in {o.version for o in one.offers}
        assert (not fits(pinned_to(requires, best), list(one.offers))) == has


def test_of_one_line_the_version_with_the_most_slots_is_chosen_then_the_newest() -> None:
    requires = Requirement(method="blender", version="4.5")
    assert closest(requires, [machine(1, ["4.5.2"], 4), machine(2, ["4.5.9"]), machine(3, ["4.5.9"], 2)]) == "4.5.2"
    assert closest(requires, [machine(1, ["4.5.2"]), machine(2, ["4.5.10"])]) == "4.5.10"


def test_the_very_version_comes_before_one_with_more_slots() -> None:
    requires = Requirement(method="blender", version="4.5.4", newer=True)
    assert closest(requires, [machine(1, ["4.5.4"]), machine(2, ["4.5.9"], 8), machine(3, ["5.0.1"], 8)]) == "4.5.4"
    assert closest(requires, [machine(2, ["4.5.9"]), machine(3, ["5.0.1"], 8), machine(4, ["4.5.2"])]) == "4.5.9"


def test_the_choices_name_what_there_is_and_never_an_older_one_to_use() -> None:
    requires = Requirement(method="blender", version="4.5.4")
    newer = [machine(n, ["4.5.9"]) for n in (1, 2, 3)]
    assert instead(requires, newer) == "3 have 4.5.9: use it, install 4.5.4, or wait."
    assert instead(requires, [machine(1, ["4.2.0"])]) == "1 has 4.2.0: install 4.5.4, or wait."
    assert instead(requires, []) == ""


def test_all_frames_of_a_job_are_rendered_with_one_version(world: World) -> None:
    job = world.job("1-40")
    old, new = world.slave("ws01", 2, offer("4.5.2")), world.slave("ws02", 1, offer("4.5.9"))
    assert world.report(new, want=1).leases == []  # most slots have another, which comes soon
    assert world.render(old)
    assert world.job_row(job).pinned == "4.5.2"
    assert world.report(new, want=1).leases == []
    while world.render(old):
        pass
    assert world.state(job) == "done"


def test_a_slave_with_several_versions_renders_each_job_with_its_own(world: World) -> None:
    job = world.job("1-4", requires=Requirement(method="blender", version="4.2", newer=True).model_dump_json())
    both = world.slave("ws01", 1, offer("5.0.1"))
    world.slave("ws02", 1, offer("4.5.2"))
    assert world.report(both, want=1).leases == []
    world.steer("log_out", world.agents["ws02"])
    world.pass_time(2)
    assert numbers_of(world.report(both, want=1))
    assert world.job_row(job).pinned == "5.0.1"


def test_what_lies_over_a_jobs_files_settles_its_version_unless_its_person_wants_another(world: World) -> None:
    newer = json.dumps({"method": "blender", "version": "4.2", "newer": True})
    odd = world.slave("ws01", 1, offer("4.5.2"))
    bake = world.job("9", requires=newer)
    assert world.render(odd) == [9]
    usual = world.slave("ws02", 8, offer("4.2.1"))
    waits = [("1-3", bake, "9", False)]
    plain, job = (world.job("1-3", requires=newer, waits=waits, overlay=overlay) for overlay in (False, True))
    wish = json.dumps({"method": "blender", "version": "4.2"})
    other = world.job("1-3", requires=wish, waits=waits, overlay=True)
    world.report(usual, want=8)
    assert [world.job_row(number).pinned for number in (plain, job, other)] == ["4.2.1", "4.5.2", "4.2.1"]
    assert {numbered for numbered, _ in usual.holding.values()} == {plain, other}
    assert numbers_of(world.report(odd, want=1))


def test_a_job_that_is_kept_for_a_version_says_so_and_another_can_be_chosen(world: World) -> None:
    newer = json.dumps({"method": "blender", "version": "4.2", "newer": True})
    slow, busy = world.slave("ws01", 1, offer("4.2.9")), world.job("1-9", requires=newer)
    assert world.report(slow, want=1).leases
    job = world.job("1-4", requires=newer)
    idle = world.slave("ws02", 1, offer("5.0.1"))
    assert world.report(idle, want=1).leases == []
    kept = "It is kept for blender 4.2.9, which fits best, and whose slaves are busy; "
    assert world.why(job) == [f"{kept}slaves with 5.0.1 are idle: use that (version=5.0.1), or wait."]
    assert "All fitting slaves are busy" in world.why(busy)[0]
    change_version(world, job, version="5.0.1")
    assert numbers_of(world.report(idle, want=1))
    assert (world.job_row(job).pinned, world.job_row(busy).pinned) == ("5.0.1", "4.2.9")


def test_a_pinned_job_whose_slaves_left_says_what_it_waits_for(world: World) -> None:
    job = world.job("1-10")
    slave = world.slave("ws01", 1, offer("4.5.2"))
    world.render(slave)
    world.steer("log_out", slave)
    world.log_in(slave, 1, offer("4.5.9"))
    assert world.report(slave, want=1).leases == []
    (reason,) = world.why(job)
    assert reason == "No slave has blender 4.5.2 with CYCLES; 1 has 4.5.9: use it, install 4.5.2, or wait."


@pytest.mark.parametrize("first", ["4.5.2", "4.5.9"])
def test_a_returned_first_frame_keeps_the_version(world: World, first: str) -> None:
    job, slave = world.job("1-3"), world.slave("ws01", 1, offer(first))
    orders = world.report(slave, want=1)
    world.report(slave, returned=[f.attempt for lease in orders.leases for f in lease.frames])
    assert world.job_row(job).pinned == first


def test_two_processes_that_pin_at_once_agree_on_one_version(world: World) -> None:
    job = world.job("1-10")
    world.slave("ws01", 1, offer("4.5.2")), world.slave("ws02", 1, offer("4.5.9"))
    second = Database.open(world.database.url)
    start = threading.Barrier(2)
    stale = world.database.write_now(lambda c: jobrow.job_row(c, job))  # as both read it before either wrote

    def settle(database: Database, name: str, version: str) -> bool:
        machine_ = Machine(world.agents[name].id, name, 1, (offer(version),))
        start.wait()
        nobody = Able([], 0, stale.requires, stale.admission)
        return database.write_now(lambda c: pin.settled(c, stale, machine_, nobody, world.at) is not None)

    try:
        with ThreadPoolExecutor(2) as pool:
            both = [
                pool.submit(settle, world.database, "ws01", "4.5.2"),
                pool.submit(settle, second, "ws02", "4.5.9"),
            ]
            won = [future.result() for future in both]
    finally:
        second.close()
    assert won == [world.job_row(job).pinned == "4.5.2", world.job_row(job).pinned == "4.5.9"]
    assert sum(won) == 1


def test_another_version_may_be_chosen_until_frames_are_rendered(world: World) -> None:
    job, slave = world.job("1-3"), world.slave("ws01", 1, offer("4.2.1"))
    assert world.why(job) == ["No slave has blender 4.5 with CYCLES; 1 has 4.2.1: install 4.5, or wait."]
    newer = world.slave("ws02", 1, offer("5.0.1"))
    assert world.report(newer, want=1).leases == []
    change_version(world, job, newer=True)
    assert world.render(newer)
    assert world.job_row(job).pinned == "5.0.1"
    with pytest.raises(WrongState, match=r"1 of its frames are rendered, or being rendered, with 5\.0\.1"):
        change_version(world, job, version="4.2")
    assert world.report(slave, want=1).leases == []


def change_version(world: World, job: int, **told: object) -> None:
    asker = Asker(world.job_row(job).owner, "ada")
    wanted = JobChange.model_validate(told)
    world.database.write_now(lambda c: change(c, asker, job, wanted, Rules(), world.at))


@pytest.mark.parametrize("rendering", [True, False])
def test_a_late_result_of_the_former_version_is_not_taken(world: World, rendering: bool) -> None:
    job, slave = world.job("1-2"), world.slave("ws01", 1, offer("4.5.2"))
    (frame,) = [frame for lease in world.report(slave, want=1).leases for frame in lease.frames][:1]
    world.pass_time(60)
    world.sweep()  # it fell silent
    assert (world.slave_state(slave), world.counts(job)) == ("offline", {"ready": 2})
    change_version(world, job, newer=True)
    if rendering:
        assert world.report(slave, running={frame.attempt: 3.0}).revoked == [frame.attempt]
    else:
        (verdict,) = world.report(slave, done=[frame.attempt]).verdicts
        assert verdict.verdict == "refused"
    assert (world.counts(job), world.job_row(job).pinned) == ({"ready": 2}, "")
    newer = world.slave("ws02", 4, offer("5.0.1"))
    world.log_in(slave, 1, offer("3.4.1"))
    while world.render(newer):
        pass
    assert (world.state(job), world.job_row(job).pinned, world.faults()) == ("done", "5.0.1", [])
